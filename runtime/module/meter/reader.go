package meter

import (
	"fmt"
	"unicode/utf8"
)

// reader reads the binary format's values (WebAssembly core specification 2.0, 5.2) from bytes[at:end]. The first error
// sticks; after it, everything reads as zero.
type reader struct {
	bytes []byte
	at    int
	end   int
	err   *Error
}

// fail records what was expected at an offset, and stops the reading.
func (r *reader) fail(offset int, expected, found string) {
	if r.err == nil {
		r.err = &Error{Offset: offset, Expected: expected, Found: found}
	}
	r.at = r.end
}

func (r *reader) done() bool { return r.at >= r.end }

func (r *reader) byte(what string) byte {
	if r.at >= r.end {
		r.fail(r.at, what, "the end")
		return 0
	}
	b := r.bytes[r.at]
	r.at++
	return b
}

// u32 reads an unsigned LEB128 of at most 32 bits.
func (r *reader) u32(what string) uint32 {
	if r.at < r.end && r.bytes[r.at] < 0x80 {
		r.at++
		return uint32(r.bytes[r.at-1])
	}
	start, v := r.at, uint32(0)
	for shift := 0; shift < 35; shift += 7 {
		b := r.byte(what)
		if shift == 28 && b > 0x0f {
			break
		}
		v |= uint32(b&0x7f) << shift
		if b < 0x80 {
			return v
		}
	}
	r.fail(start, what+" in at most 32 bits", "a longer number")
	return 0
}

// signed skips a signed LEB128 of at most bits, and returns its lowest 64.
func (r *reader) signed(bits int, what string) int64 {
	start, v := r.at, int64(0)
	for shift := 0; shift < bits; shift += 7 {
		b := r.byte(what)
		v |= int64(b&0x7f) << shift
		if b < 0x80 {
			if shift+7 < 64 && b&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
	r.fail(start, fmt.Sprintf("%s in at most %d bits", what, bits), "a longer number")
	return 0
}

// skip returns the next n bytes.
func (r *reader) skip(n uint32, what string) []byte {
	if int64(n) > int64(r.end-r.at) {
		r.fail(r.at, fmt.Sprintf("%d bytes of %s", n, what), fmt.Sprintf("%d", r.end-r.at))
		return nil
	}
	b := r.bytes[r.at : r.at+int(n)]
	r.at += int(n)
	return b
}

// count reads the length of a vector, of which each item has at least one byte.
func (r *reader) count(what string, most int) int {
	start := r.at
	n := int64(r.u32("the number of " + what))
	switch {
	case n > int64(most):
		r.fail(start, fmt.Sprintf("at most %d %s", most, what), fmt.Sprint(n))
		return 0
	case n > int64(r.end-r.at):
		r.fail(start, fmt.Sprintf("%d %s", n, what), fmt.Sprintf("%d bytes", r.end-r.at))
		return 0
	}
	return int(n)
}

func (r *reader) name(what string) string {
	start := r.at
	b := r.skip(r.u32("the length of "+what), what)
	if !utf8.Valid(b) {
		r.fail(start, what+" in UTF-8", "other bytes")
	}
	return string(b)
}

// part is a reader of the next n bytes, which it skips.
func (r *reader) part(n uint32, what string) reader {
	start := r.at
	if r.skip(n, what) == nil && n != 0 {
		return reader{err: r.err}
	}
	return reader{bytes: r.bytes, at: start, end: start + int(n)}
}

// index reads an index below limit. It is read most often of all: what an error says is put together when there is one.
func (r *reader) index(what string, limit int) uint32 {
	start, failed := r.at, r.err != nil
	i := r.u32(what)
	switch {
	case r.err != nil:
		if !failed {
			r.err.Expected = "the index of a " + r.err.Expected
		}
	case int64(i) >= int64(limit):
		r.fail(start, fmt.Sprintf("the index of one of %d %ss", limit, what), fmt.Sprint(i))
		return 0
	}
	return i
}
