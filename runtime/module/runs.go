package module

import (
	"bytes"
	"iter"
)

// runs are the parts of content, in whole pages of so many bytes, that have something else than zeros.
func runs(content []byte, page uint64) iter.Seq2[uint64, uint64] {
	zeros := make([]byte, page)
	size := uint64(len(content))
	return func(yield func(uint64, uint64) bool) {
		for at := uint64(0); at < size; at += page {
			begin := at
			for at < size && !bytes.Equal(content[at:min(at+page, size)], zeros[:min(page, size-at)]) {
				at += page
			}
			if at > begin && !yield(begin, min(at, size)) {
				return
			}
		}
	}
}
