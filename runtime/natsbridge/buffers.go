package natsbridge

import (
	"math/bits"
	"sync"
)

// buffer holds one encoded message.
type buffer struct{ b []byte }

const (
	smallestBuffer = 8  // 256 bytes
	largestBuffer  = 20 // 1 MiB
)

// buffers lends buffers by size, in powers of two, so that a short message does not hold the memory of a long one.
type buffers struct {
	pools [largestBuffer - smallestBuffer + 1]sync.Pool
}

// get returns an empty buffer with room for n bytes.
func (p *buffers) get(n int) *buffer {
	size := max(bits.Len(uint(max(n, 1)-1)), smallestBuffer)
	if size > largestBuffer {
		return &buffer{make([]byte, 0, n)}
	}
	if b, ok := p.pools[size-smallestBuffer].Get().(*buffer); ok {
		b.b = b.b[:0]
		return b
	}
	return &buffer{make([]byte, 0, 1<<size)}
}

// put takes a buffer back; nobody may use it any more.
func (p *buffers) put(b *buffer) {
	size := bits.Len(uint(cap(b.b))) - 1
	if size < smallestBuffer || size > largestBuffer || cap(b.b) != 1<<size {
		return
	}
	p.pools[size-smallestBuffer].Put(b)
}
