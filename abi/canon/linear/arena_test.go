package linear

import (
	"testing"
	"unsafe"
)

// TestArena sees that blocks are aligned, apart from one another and kept, also where the arena has to grow.
func TestArena(t *testing.T) {
	a := New()
	for round := range 3 {
		type block struct {
			p unsafe.Pointer
			n uintptr
		}
		var blocks []block
		for i := range uintptr(200) {
			n, align := i*7%500, uintptr(1)<<(i%4)
			p := a.Alloc(n, align)
			if uintptr(p)%align != 0 {
				t.Fatalf("a block at %p is not aligned to %d", p, align)
			}
			fill(p, n, byte(i))
			blocks = append(blocks, block{p, n})
		}
		for i, b := range blocks {
			for _, c := range unsafe.Slice((*byte)(b.p), b.n) {
				if c != byte(i) {
					t.Fatalf("round %d: block %d was written over", round, i)
				}
			}
		}
		a.Reset()
	}
	if len(a.chunk) <= chunkSize || len(a.more) != 0 {
		t.Errorf("the arena keeps %d bytes and %d more chunks", len(a.chunk), len(a.more))
	}
}

func fill(p unsafe.Pointer, n uintptr, v byte) {
	s := unsafe.Slice((*byte)(p), n)
	for i := range s {
		s[i] = v
	}
}

// TestArenaSteady sees that an arena that has grown to the need allocates nothing.
func TestArenaSteady(t *testing.T) {
	a := New()
	x := new(byte)
	if n := testing.AllocsPerRun(100, func() {
		a.Alloc(3000, 1)
		a.Alloc(3000, 8)
		a.Pin(unsafe.Pointer(x))
		a.Reset()
	}); n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}

// TestArenaKeepsLittle sees that one large call does not hold its memory for ever.
func TestArenaKeepsLittle(t *testing.T) {
	a := New()
	a.Alloc(1<<20, 1)
	if a.Reset(); len(a.chunk) > chunkKeep {
		t.Errorf("the arena keeps %d bytes", len(a.chunk))
	}
}

// TestArenaInto sees which block goes into the caller's buffer.
func TestArenaInto(t *testing.T) {
	buf := make([]byte, 3, 10)
	free := unsafe.Pointer(&buf[:4][3])
	for _, c := range []struct {
		size, align uintptr
		want        bool
	}{{7, 1, true}, {8, 1, false}, {1, 1, true}, {0, 1, false}, {4, 4, false}} {
		a := New()
		a.Into(buf)
		if p := a.Block(c.size, c.align); (p == free) != c.want {
			t.Errorf("a block of %d bytes, aligned to %d: in the buffer %v", c.size, c.align, p == free)
		}
		if p := a.Block(c.size, c.align); c.want && p == free {
			t.Errorf("a second block of %d bytes lies in the same place", c.size)
		}
	}
}

// TestPool sees that an arena is had by one call at a time and used again.
func TestPool(t *testing.T) {
	var p pool
	a, b := p.get(), p.get()
	a.Alloc(10, 1)
	if p.put(a); a == b || a.used != 0 {
		t.Errorf("two calls have one arena, or %d bytes of it are used", a.used)
	}
	if p.put(b); p.get() != b || p.get() != a || p.first != nil {
		t.Error("arenas are not used again")
	}
}

// TestArenaTakesALongListOnce sees that a list that does not fit, and what follows it, take one chunk.
func TestArenaTakesALongListOnce(t *testing.T) {
	a := New()
	a.Alloc(5600, 8)
	a.Alloc(12, 4)
	chunk := unsafe.SliceData(a.chunk)
	if len(a.more) != 0 || len(a.chunk) > 5600+2*chunkStep {
		t.Errorf("%d bytes and %d more chunks", len(a.chunk), len(a.more))
	}
	if a.Reset(); unsafe.SliceData(a.chunk) != chunk {
		t.Error("the chunk was not kept")
	}
}

// TestArenaDrop sees that a call that needed much leaves its largest chunk, which goes to the pool.
func TestArenaDrop(t *testing.T) {
	a, idle := New(), pool{New()}
	small, second := idle.first, New()
	small.next = second
	a.Alloc(1, 1)
	a.Alloc(7200, 1)
	a.Alloc(4000, 1)
	if a.Drop(); len(a.chunk) != 7680 || len(a.more) != 0 || a.size != 7680 || a.used != 0 {
		t.Errorf("%d bytes of %d, %d used, and %d more chunks", len(a.chunk), a.size, a.used, len(a.more))
	}
	if got := idle.larger(a); got != small || got.next != nil || idle.first != a || a.next != second {
		t.Error("the larger one is not first in the pool")
	}
	if got := idle.larger(small); got != small || idle.first != a {
		t.Error("the smaller one went to the pool")
	}
}
