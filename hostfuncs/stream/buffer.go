package stream

import "time"

const (
	// bufferLimit is the most that a line holds for a driver that does not read; then its reader stops reading.
	bufferLimit = 64 << 10
	// bufferIdle is the most that an empty buffer keeps.
	bufferIdle  = 4 << 10
	bufferFirst = 512
	// markLimit bounds the pieces whose times of arrival are known. Above it, the newest count as one.
	markLimit = 128
)

// buffer holds received bytes in a ring, with the times at which they arrived. Times count from the line's start.
type buffer struct {
	ring  []byte
	head  int
	size  int
	marks []mark
}

// mark is a piece of the buffer that arrived without a gap that is known.
type mark struct {
	size        int
	first, last time.Duration
}

// room returns how much put would take.
func (b *buffer) room() int { return bufferLimit - b.size }

// put appends as much of p as there is room for, which arrived at the time at, and says how much.
func (b *buffer) put(p []byte, at time.Duration) int {
	p = p[:min(len(p), b.room())]
	if len(p) == 0 {
		return 0
	}
	b.grow(b.size + len(p))
	tail := (b.head + b.size) % len(b.ring)
	n := copy(b.ring[tail:], p)
	copy(b.ring, p[n:])
	b.size += len(p)
	b.mark(len(p), at)
	return len(p)
}

func (b *buffer) mark(size int, at time.Duration) {
	if n := len(b.marks); n > 0 && (n == markLimit || b.marks[n-1].last == at) {
		b.marks[n-1].size += size
		b.marks[n-1].last = at
		return
	}
	b.marks = append(b.marks, mark{size: size, first: at, last: at})
}

// grow makes the ring hold size bytes.
func (b *buffer) grow(size int) {
	if size <= len(b.ring) {
		return
	}
	c := max(len(b.ring), bufferFirst)
	for c < size {
		c *= 2
	}
	ring := make([]byte, c)
	n := copy(ring, b.ring[b.head:min(b.head+b.size, len(b.ring))])
	copy(ring[n:], b.ring[:b.size-n])
	b.ring, b.head = ring, 0
}

// take removes the first n bytes, or all there are, and appends them to dst.
func (b *buffer) take(dst []byte, n int) []byte {
	n = min(n, b.size)
	front := min(n, len(b.ring)-b.head)
	dst = append(dst, b.ring[b.head:b.head+front]...)
	dst = append(dst, b.ring[:n-front]...)
	b.drop(n)
	return dst
}

func (b *buffer) drop(n int) {
	b.size -= n
	if b.size == 0 {
		b.clear()
		return
	}
	b.head = (b.head + n) % len(b.ring)
	k := 0
	for ; n >= b.marks[k].size; k++ {
		n -= b.marks[k].size
	}
	b.marks = b.marks[:copy(b.marks, b.marks[k:])]
	b.marks[0].size -= n
}

// clear forgets everything, and gives back what a burst made it grow to.
func (b *buffer) clear() {
	b.head, b.size, b.marks = 0, 0, b.marks[:0]
	if len(b.ring) > bufferIdle {
		b.ring = nil
	}
}

// frame says how many bytes at the front make a frame so far, and whether it is complete: there are limit bytes, or
// bytes follow after a silence of gap. Otherwise last is when its last byte arrived. A gap of 0 cuts nothing.
func (b *buffer) frame(limit int, gap time.Duration) (size int, complete bool, last time.Duration) {
	for i, m := range b.marks {
		if i > 0 && gap > 0 && m.first-last >= gap {
			return size, true, last
		}
		size += m.size
		if size >= limit {
			return limit, true, m.last
		}
		last = m.last
	}
	return size, false, last
}
