package point

import (
	"math"
	"slices"

	"github.com/droverhq/drover/abi/driver"
)

// kind is how a value is stored and printed.
type kind uint8

const (
	kindNone kind = iota
	kindBool
	kindSigned
	kindUnsigned
	kindFloat32
	kindFloat64
	kindText
	kindBytes
)

// kindOf returns the kind of a declared type, kindNone where there is no such type.
func kindOf(t driver.ScalarType) kind {
	switch t {
	case driver.ScalarTypeBoolean:
		return kindBool
	case driver.ScalarTypeInt8, driver.ScalarTypeInt16, driver.ScalarTypeInt32, driver.ScalarTypeInt64:
		return kindSigned
	case driver.ScalarTypeUint8, driver.ScalarTypeUint16, driver.ScalarTypeUint32, driver.ScalarTypeUint64:
		return kindUnsigned
	case driver.ScalarTypeFloat32:
		return kindFloat32
	case driver.ScalarTypeFloat64:
		return kindFloat64
	case driver.ScalarTypeText:
		return kindText
	case driver.ScalarTypeBytes:
		return kindBytes
	}
	return kindNone
}

func (k kind) numeric() bool  { return k >= kindSigned && k <= kindFloat64 }
func (k kind) listable() bool { return k >= kindBool && k <= kindFloat64 }

// Value is the value of a reading: immutable, and the host's own. The zero value is none.
type Value struct {
	kind kind
	list bool
	// quoted has numbers as strings in JSON.
	quoted bool
	// bits is a scalar: 0 and 1, an integer, or the bits of a float64. A float32 is kept as the float64 of equal value.
	bits uint64
	// text is a text, or bytes.
	text string
	// many is a list, each element as in bits.
	many []uint64
}

// None says whether there is no value.
func (v Value) None() bool { return v.kind == kindNone }

// Equal says whether both are the same value of the same type. Both zeros of a float are equal.
func (v Value) Equal(w Value) bool {
	if v.kind != w.kind || v.list != w.list || v.text != w.text || v.len() != w.len() {
		return false
	}
	if v.kind != kindFloat32 && v.kind != kindFloat64 {
		return v.bits == w.bits && slices.Equal(v.many, w.many)
	}
	for i := range v.len() {
		if v.float(i) != w.float(i) {
			return false
		}
	}
	return true
}

// comparable says whether v and w are numbers, or lists of as many numbers.
func (v Value) comparable(w Value) bool {
	return v.kind.numeric() && w.kind.numeric() && v.list == w.list && v.len() == w.len()
}

func (v *Value) len() int {
	if v.list {
		return len(v.many)
	}
	return 1
}

// at returns the bits of element i; a scalar has one.
func (v *Value) at(i int) uint64 {
	if v.list {
		return v.many[i]
	}
	return v.bits
}

// float returns element i of a number as the nearest float64.
func (v *Value) float(i int) float64 {
	switch b := v.at(i); v.kind {
	case kindSigned:
		return float64(int64(b))
	case kindUnsigned:
		return float64(b)
	default:
		return math.Float64frombits(b)
	}
}

// finite says whether no element is NaN or infinite.
func (v *Value) finite() bool {
	if v.kind != kindFloat32 && v.kind != kindFloat64 {
		return true
	}
	for i := range v.len() {
		if !finite(math.Float64frombits(v.at(i))) {
			return false
		}
	}
	return true
}

// take copies what the driver gave, which Check has passed, into a value that has its kind and nothing else.
func (v *Value) take(raw driver.Value) {
	switch raw.Tag() {
	case driver.ValueTagBoolean:
		v.bits = boolBits(raw.Boolean())
	case driver.ValueTagSigned:
		v.bits = uint64(raw.Signed())
	case driver.ValueTagUnsigned:
		v.bits = raw.Unsigned()
	case driver.ValueTagFloat32:
		v.bits = math.Float64bits(float64(raw.Float32()))
	case driver.ValueTagFloat64:
		v.bits = math.Float64bits(raw.Float64())
	case driver.ValueTagText:
		v.text = raw.Text()
	case driver.ValueTagBytes:
		v.text = string(raw.Bytes())
	case driver.ValueTagBooleans:
		v.fill(bitsOf(raw.Booleans(), boolBits))
	case driver.ValueTagSigneds:
		v.fill(bitsOf(raw.Signeds(), func(i int64) uint64 { return uint64(i) }))
	case driver.ValueTagUnsigneds:
		v.fill(slices.Clone(raw.Unsigneds()))
	case driver.ValueTagFloats:
		v.fill(bitsOf(raw.Floats(), math.Float64bits))
	}
}

func (v *Value) fill(many []uint64) { v.list, v.many = true, many }

func bitsOf[T any](from []T, bits func(T) uint64) []uint64 {
	to := make([]uint64, len(from))
	for i, f := range from {
		to[i] = bits(f)
	}
	return to
}

func boolBits(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
