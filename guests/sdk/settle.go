//go:build wasip1

package sdk

import (
	"encoding/json"
	"runtime"
	"unsafe"
)

// settled has the last piece of memory that settle took, so that the compiler does not leave it out.
var settled struct {
	bytes    []byte
	pointers []*byte
}

// settle has Go's runtime do now, before the host takes an image of the memory for all instances to share, what each would
// otherwise do for itself, in pages of its own: collect the garbage of the initialization, find room for objects of each
// size that is common, and take stacks to grow into.
//
// Go keeps objects of one size together, in spans that mostly have 8 KB, and up to 512 bytes the map of their pointers at
// the end of the span. So the room for those is in the second half: an object and the map are then in one page of the host's.
func settle() {
	runtime.GC()
	for n := 8; n <= 512; n += max(8, n/8&^7) {
		settled.bytes = make([]byte, n)
		for first := true; first; {
			settled.pointers = make([]*byte, n/8)
			first = uintptr(unsafe.Pointer(unsafe.SliceData(settled.pointers)))%8192 < 4096
		}
	}
	settled.bytes, settled.pointers = nil, nil
	json.Valid([]byte("{}")) // keeps a scanner
	done := make(chan struct{})
	go func() {
		descend(6)
		close(done)
	}()
	<-done
}

// descend takes n+1 kilobytes of stack.
//
//go:noinline
func descend(n int) byte {
	var frame [1 << 10]byte
	if n > 0 {
		frame[n] = descend(n - 1)
	}
	return frame[n/2]
}
