package linear

import "unsafe"

// Scalar is a type that Go lays out as the canonical ABI does.
type Scalar interface {
	~bool | ~int8 | ~uint8 | ~int16 | ~uint16 | ~int32 | ~uint32 | ~int64 | ~uint64 | ~float32 | ~float64
}

// Put writes v at offset of p.
func Put[T Scalar](p unsafe.Pointer, offset uintptr, v T) { *(*T)(unsafe.Add(p, offset)) = v }

// Load reads a T at offset of p.
func Load[T Scalar](p unsafe.Pointer, offset uintptr) T { return *(*T)(unsafe.Add(p, offset)) }

// LoadBool reads a bool at offset of p: any byte but 0 is true.
func LoadBool(p unsafe.Pointer, offset uintptr) bool { return Load[uint8](p, offset) != 0 }

// Bool is a bool as a flat value.
func Bool(v bool) uint32 {
	if v {
		return 1
	}
	return 0
}
