// Package linear is the guest's side of the canonical ABI for plain Go: the memory that values cross the border in.
//
// Go's garbage collector neither moves what is on the heap nor sees a pointer that is written as an integer, so
// everything whose address is given away is pinned by an [Arena] until the call is over. Go's own layouts have 64-bit
// pointers in memory; those of the canonical ABI have 32-bit ones, and generated code writes them by explicit offsets.
//
// A guest is one thread, and goroutines switch only where Go's scheduler is entered: at an allocation, for one. The
// functions here that must not be interrupted therefore allocate nothing unless an arena is too small.
package linear

import "unsafe"

const (
	chunkSize = 4 << 10  // what an arena has from the start
	chunkKeep = 64 << 10 // the most that it keeps after a call that needed more
	chunkStep = 512      // what larger chunks are multiples of, so that what follows a long list finds room
)

// Arena has the memory of one call: the parameters that were lowered into it, the place of the result, and what the host
// took by cabi_realloc for the result. Each import takes one of its own before the call and has it until the result was
// lifted, so that another goroutine that runs meanwhile disturbs nothing.
type Arena struct {
	next  *Arena
	chunk []byte
	used  uintptr
	more  [][]byte // the chunks that were full, kept until the end of the call
	size  int      // of all that
	into  []byte   // where the caller wants a list<u8> of the result
	pins  []unsafe.Pointer
}

// pool is a list of arenas that no call has.
type pool struct{ first *Arena }

// get takes an arena, or makes one.
func (p *pool) get() *Arena {
	a := p.first
	if a == nil {
		return New()
	}
	p.first, a.next = a.next, nil
	return a
}

// put gives an arena back.
func (p *pool) put(a *Arena) {
	a.Reset()
	a.next, p.first = p.first, a
}

// larger gives the pool an arena for one of its own, if that is smaller, and returns the other one.
func (p *pool) larger(a *Arena) *Arena {
	own := p.first
	if own == nil || own.size >= a.size {
		return a
	}
	p.first, a.next, own.next = a, own.next, nil
	return own
}

// New returns an arena.
func New() *Arena { return within(make([]byte, chunkSize)) }

// within returns an arena whose first chunk is given.
func within(chunk []byte) *Arena {
	return &Arena{chunk: chunk, size: len(chunk), pins: make([]unsafe.Pointer, 0, 16)}
}

// Alloc returns size bytes, aligned, that stay until the end of the call. They are not zeroed.
func (a *Arena) Alloc(size, align uintptr) unsafe.Pointer {
	if align == 0 {
		align = 1
	}
	start := a.start(align)
	if start+size > uintptr(len(a.chunk)) {
		a.grow(max(chunkSize, (int(size+align)+chunkStep)&^(chunkStep-1)))
		start = a.start(align)
	}
	a.used = start + size
	return unsafe.Add(unsafe.Pointer(unsafe.SliceData(a.chunk)), start)
}

// start is where the next block of that alignment begins in the chunk.
func (a *Arena) start(align uintptr) uintptr {
	base := uintptr(unsafe.Pointer(unsafe.SliceData(a.chunk)))
	return (base+a.used+align-1)&^(align-1) - base
}

// grow makes a chunk, which is instead of one that nothing was taken of.
func (a *Arena) grow(size int) {
	if a.used > 0 {
		a.more = append(a.more, a.chunk)
	} else {
		a.size -= len(a.chunk)
	}
	a.chunk, a.used = make([]byte, size), 0
	a.size += size
}

// Into lets the host write a list<u8> of the result straight behind the bytes of buf when it fits.
func (a *Arena) Into(buf []byte) { a.into = buf[len(buf):cap(buf)] }

// Block is Alloc for the host.
func (a *Arena) Block(size, align uintptr) unsafe.Pointer {
	if into := a.into; align <= 1 && size > 0 && size <= uintptr(len(into)) {
		a.into = nil
		return unsafe.Pointer(unsafe.SliceData(into))
	}
	return a.Alloc(size, align)
}

// Pin keeps what p points to until the end of the call.
func (a *Arena) Pin(p unsafe.Pointer) { a.pins = append(a.pins, p) }

// Drop ends the call and keeps its largest chunk alone, of a call that was unlike those to come.
func (a *Arena) Drop() {
	for _, c := range a.more {
		if len(c) > len(a.chunk) {
			a.chunk = c
		}
	}
	a.more, a.size = nil, len(a.chunk)
	a.Reset()
}

// Reset ends the call: nothing of it is kept but the memory, in one piece, for the next call.
func (a *Arena) Reset() {
	clear(a.pins)
	a.pins, a.into, a.used = a.pins[:0], nil, 0
	if len(a.more) == 0 && a.size <= chunkKeep {
		return
	}
	size := min(a.size, chunkKeep)
	a.chunk, a.more, a.size = nil, nil, 0
	a.grow(size)
}
