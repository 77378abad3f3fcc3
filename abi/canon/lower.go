package canon

import (
	"context"
	"math"
	"strings"
)

// The Put functions write to an address that was checked before. They trap all the same when it is not in the memory.

// PutU8 writes v at ptr.
func (g *Guest) PutU8(ptr uint32, v uint8) { stored(g.memory.WriteByte(ptr, v), ptr) }

// PutU16 writes v at ptr.
func (g *Guest) PutU16(ptr uint32, v uint16) { stored(g.memory.WriteUint16Le(ptr, v), ptr) }

// PutU32 writes v at ptr.
func (g *Guest) PutU32(ptr uint32, v uint32) { stored(g.memory.WriteUint32Le(ptr, v), ptr) }

// PutU64 writes v at ptr.
func (g *Guest) PutU64(ptr uint32, v uint64) { stored(g.memory.WriteUint64Le(ptr, v), ptr) }

// PutF32 writes v at ptr.
func (g *Guest) PutF32(ptr uint32, v float32) { g.PutU32(ptr, math.Float32bits(v)) }

// PutF64 writes v at ptr.
func (g *Guest) PutF64(ptr uint32, v float64) { g.PutU64(ptr, math.Float64bits(v)) }

// PutBool writes v at ptr.
func (g *Guest) PutBool(ptr uint32, v bool) { g.PutU8(ptr, uint8(Bool(v))) }

// PutSlice writes address and length of a list or a string at ptr.
func (g *Guest) PutSlice(ptr, first, n uint32) {
	g.PutU32(ptr, first)
	g.PutU32(ptr+4, n)
}

// Bool is a bool as a flat value.
func Bool(v bool) uint64 {
	if v {
		return 1
	}
	return 0
}

// NewString lowers s into memory that it takes from the guest, and returns where it is and how long. Bytes that are no
// UTF-8 become U+FFFD, because guests are promised UTF-8.
func (g *Guest) NewString(ctx context.Context, s string) (ptr, n uint32) {
	s = strings.ToValidUTF8(s, "\uFFFD")
	ptr = g.Alloc(ctx, uint64(len(s)), 1)
	stored(g.memory.WriteString(ptr, s), ptr)
	return ptr, uint32(len(s))
}

// NewBytes lowers p into memory that it takes from the guest, and returns where it is and how long.
func (g *Guest) NewBytes(ctx context.Context, p []byte) (ptr, n uint32) {
	ptr = g.Alloc(ctx, uint64(len(p)), 1)
	stored(g.memory.Write(ptr, p), ptr)
	return ptr, uint32(len(p))
}

// NewList takes memory from the guest for n elements of size bytes.
func (g *Guest) NewList(ctx context.Context, n int, size, align uint32) uint32 {
	return g.Alloc(ctx, uint64(n)*uint64(size), align)
}

func stored(ok bool, ptr uint32) {
	if !ok {
		fault("address %#x is outside of the memory", ptr)
	}
}
