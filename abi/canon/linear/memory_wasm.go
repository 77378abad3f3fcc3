package linear

import "unsafe"

// The guest's memory, as far as the host is concerned. All of this is used by one thread, and no goroutine is switched
// between Enter and Leave.
var (
	block   = make([]byte, blockSize)
	idle    = pool{New()}
	current *Arena                       // of the import that is being called, which the host allocates from
	params  = within(block[resultSize:]) // what the host allocates from otherwise: the parameters of the next export
	result  = within(block[:resultSize]) // what the last export returned
)

// Parameters and results begin in one block. The host has instances share what they did not write to, page by page: in
// blocks of their own, a few bytes of each would take a page. The parameters have room for a configuration of 150 points,
// so that they are in one piece, which serves imports then.
const (
	blockSize  = 16 << 10
	resultSize = 1 << 10
)

// Get takes an arena for one import.
func Get() *Arena { return idle.get() }

// Enter is called right before the import, with everything lowered.
func (a *Arena) Enter() { current = a }

// Leave is called right after the import.
func (a *Arena) Leave() { current = nil }

// Free gives the arena back when the result was lifted.
func (a *Arena) Free() { idle.put(a) }

// Lifted says that the parameters of an export were lifted. No other export has as many as the one that configures, which
// is called once: what it took serves imports.
func Lifted() {
	params.Drop()
	params = idle.larger(params)
}

// Result returns the arena for the result of an export, which keeps it until the next one, or its post-return.
func Result() *Arena {
	result.Reset()
	return result
}

// Returned is the post-return of every export.
func Returned() { result.Reset() }

// realloc serves the host. It neither locks nor, unless a value is larger than the arena, allocates: see the package's
// comment.
//
//go:wasmexport cabi_realloc
func realloc(old, oldSize, align, size uint32) uint32 {
	a := current
	if a == nil {
		a = params
	}
	p := a.Block(uintptr(size), uintptr(align))
	if n := min(oldSize, size); n > 0 {
		copy(unsafe.Slice((*byte)(p), size), unsafe.Slice((*byte)(At(old)), n))
	}
	return Addr(p)
}

// Addr is p as the canonical ABI has it.
func Addr(p unsafe.Pointer) uint32 { return uint32(uintptr(p)) }

// At is the pointer to an address.
func At(addr uint32) unsafe.Pointer {
	p := uintptr(addr)
	return *(*unsafe.Pointer)(unsafe.Pointer(&p))
}

// PinString pins the bytes of s and returns where they are and how many.
func (a *Arena) PinString(s string) (ptr, n uint32) {
	p := unsafe.Pointer(unsafe.StringData(s))
	a.Pin(p)
	return Addr(p), uint32(len(s))
}

// PinSlice pins the elements of s, which Go lays out as the canonical ABI does, and returns where they are and how many.
func PinSlice[T Scalar](a *Arena, s []T) (ptr, n uint32) {
	p := unsafe.Pointer(unsafe.SliceData(s))
	a.Pin(p)
	return Addr(p), uint32(len(s))
}

// String returns a copy of the n bytes at ptr.
func String(ptr, n uint32) string { return string(unsafe.Slice((*byte)(At(ptr)), n)) }

// Append appends a copy of the n elements at ptr, which Go lays out as the canonical ABI does.
func Append[T Scalar](dst []T, ptr, n uint32) []T {
	return append(dst, unsafe.Slice((*T)(At(ptr)), n)...)
}

// PutSlice writes where a list or string is, and how long, at offset of p.
func PutSlice(p unsafe.Pointer, offset uintptr, ptr, n uint32) {
	Put(p, offset, ptr)
	Put(p, offset+4, n)
}
