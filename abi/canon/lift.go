package canon

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
	"unsafe"
)

// U16 reads the first two bytes of p.
func U16(p []byte) uint16 { return binary.LittleEndian.Uint16(p) }

// U32 reads the first four bytes of p.
func U32(p []byte) uint32 { return binary.LittleEndian.Uint32(p) }

// U64 reads the first eight bytes of p.
func U64(p []byte) uint64 { return binary.LittleEndian.Uint64(p) }

// F32 reads the first four bytes of p as a float.
func F32(p []byte) float32 { return math.Float32frombits(U32(p)) }

// F64 reads the first eight bytes of p as a float.
func F64(p []byte) float64 { return math.Float64frombits(U64(p)) }

// Tag checks a discriminant: it traps unless v is below n, the number of cases of the type named what.
func Tag(v, n uint32, what string) uint32 {
	if v >= n {
		fault("%s has no case %d", what, v)
	}
	return v
}

// View returns the size bytes at ptr, which hold a value of fixed size. It is valid until the guest runs again.
func (g *Guest) View(ptr, size, align uint32) []byte {
	g.check(ptr, uint64(size), align, "a value is at")
	return g.read(ptr, size)
}

// Area checks the place that the guest gave for a result and returns it.
func (g *Guest) Area(ptr, size, align uint32) uint32 {
	g.check(ptr, uint64(size), align, "the result's place is")
	return ptr
}

// Bytes lifts a list<u8> as a view of the guest's memory, valid until the guest runs again.
func (g *Guest) Bytes(ptr, n uint32) []byte {
	g.charge(uint64(n), 0)
	g.check(ptr, uint64(n), 1, "a list is at")
	return g.read(ptr, n)
}

// CopyBytes lifts a list<u8> as a slice of its own.
func (g *Guest) CopyBytes(ptr, n uint32) []byte {
	return append([]byte(nil), g.Bytes(ptr, n)...)
}

// String lifts a string. It traps on bytes that are no UTF-8.
func (g *Guest) String(ptr, n uint32) string {
	p := g.Bytes(ptr, n)
	if !utf8.Valid(p) {
		fault("the string at %#x is not UTF-8", ptr)
	}
	return string(p)
}

// Elements returns a view of the n elements at ptr, each of size bytes in the guest and a T in Go, and takes them off
// the budget before anything is allocated for them. The view is valid until the guest runs again.
func Elements[T any](g *Guest, ptr, n, size, align uint32) []byte {
	var t T
	g.charge(uint64(n)*uint64(max(unsafe.Sizeof(t), uintptr(size))), uint64(n))
	bytes := uint64(n) * uint64(size)
	g.check(ptr, bytes, align, "a list is at")
	return g.read(ptr, uint32(bytes))
}

// charge takes bytes and elements off the budget of the current lift.
func (g *Guest) charge(bytes, elements uint64) {
	if bytes > uint64(g.bytes) {
		fault("more than %d bytes in one call", g.limits.Bytes)
	}
	if elements > uint64(g.elements) {
		fault("more than %d list elements in one call", g.limits.Elements)
	}
	g.bytes -= int(bytes)
	g.elements -= int(elements)
}

func (g *Guest) read(ptr, n uint32) []byte {
	p, ok := g.memory.Read(ptr, n)
	if !ok {
		fault("address %#x with %d bytes is outside of the memory", ptr, n)
	}
	return p
}
