package point

import (
	"errors"
	"fmt"
	"math"

	"github.com/droverhq/drover/abi/driver"
)

// ErrWrongType is what Check's errors wrap: the publish error wrong-type.
var ErrWrongType = errors.New("wrong type")

// Check says whether a sample fits the point: the case of its value, the number of elements, and the width of integers.
// A sample without a value fits. The error wraps ErrWrongType.
func (p *Point) Check(s driver.Sample) error {
	if !s.Value.Some {
		return nil
	}
	return fits(s.Value.Value, p.def.Scalar, p.def.Count)
}

func fits(v driver.Value, t driver.ScalarType, count uint32) error {
	if want := tagOf(t, count > 0); v.Tag() != want {
		return fmt.Errorf("%w: %s where the point is %s", ErrWrongType, v.Tag(), want)
	}
	if n, list := elements(v); list && uint64(n) != uint64(count) {
		return fmt.Errorf("%w: %d elements where the point has %d", ErrWrongType, n, count)
	}
	if !inWidth(v, t) {
		return fmt.Errorf("%w: does not fit %s", ErrWrongType, t)
	}
	return nil
}

// tagOf returns the case that carries a point of this type.
func tagOf(t driver.ScalarType, list bool) driver.ValueTag {
	switch kindOf(t) {
	case kindBool:
		return pick(list, driver.ValueTagBooleans, driver.ValueTagBoolean)
	case kindSigned:
		return pick(list, driver.ValueTagSigneds, driver.ValueTagSigned)
	case kindUnsigned:
		return pick(list, driver.ValueTagUnsigneds, driver.ValueTagUnsigned)
	case kindFloat32:
		return pick(list, driver.ValueTagFloats, driver.ValueTagFloat32)
	case kindFloat64:
		return pick(list, driver.ValueTagFloats, driver.ValueTagFloat64)
	case kindText:
		return driver.ValueTagText
	default:
		return driver.ValueTagBytes
	}
}

func pick(list bool, many, one driver.ValueTag) driver.ValueTag {
	if list {
		return many
	}
	return one
}

// elements counts those of a list; false for a scalar.
func elements(v driver.Value) (int, bool) {
	switch v.Tag() {
	case driver.ValueTagBooleans:
		return len(v.Booleans()), true
	case driver.ValueTagSigneds:
		return len(v.Signeds()), true
	case driver.ValueTagUnsigneds:
		return len(v.Unsigneds()), true
	case driver.ValueTagFloats:
		return len(v.Floats()), true
	}
	return 0, false
}

// inWidth says whether every integer of v fits into t.
func inWidth(v driver.Value, t driver.ScalarType) bool {
	switch v.Tag() {
	case driver.ValueTagSigned:
		return fitsSigned(v.Signed(), width(t))
	case driver.ValueTagUnsigned:
		return fitsUnsigned(v.Unsigned(), width(t))
	case driver.ValueTagSigneds:
		for _, i := range v.Signeds() {
			if !fitsSigned(i, width(t)) {
				return false
			}
		}
	case driver.ValueTagUnsigneds:
		for _, u := range v.Unsigneds() {
			if !fitsUnsigned(u, width(t)) {
				return false
			}
		}
	}
	return true
}

func fitsSigned(i int64, bits uint) bool    { return i>>(bits-1) == 0 || i>>(bits-1) == -1 }
func fitsUnsigned(u uint64, bits uint) bool { return u <= math.MaxUint64>>(64-bits) }

func width(t driver.ScalarType) uint {
	switch t {
	case driver.ScalarTypeInt8, driver.ScalarTypeUint8:
		return 8
	case driver.ScalarTypeInt16, driver.ScalarTypeUint16:
		return 16
	case driver.ScalarTypeInt32, driver.ScalarTypeUint32:
		return 32
	}
	return 64
}
