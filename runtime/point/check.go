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
	return p.shape.check(s.Value.Value)
}

// shape is what a value of a point must be.
type shape struct {
	scalar driver.ScalarType
	tag    driver.ValueTag
	count  uint32 // of a list
	width  uint   // of integers
}

func shapeOf(t driver.ScalarType, count uint32) shape {
	return shape{scalar: t, tag: tagOf(t, count > 0), count: count, width: width(t)}
}

func (s *shape) check(v driver.Value) error {
	if v.Tag() != s.tag {
		return fmt.Errorf("%w: %s where the point is %s", ErrWrongType, v.Tag(), s.tag)
	}
	if n, list := elements(v); list && uint64(n) != uint64(s.count) {
		return fmt.Errorf("%w: %d elements where the point has %d", ErrWrongType, n, s.count)
	}
	if !inWidth(v, s.width) {
		return fmt.Errorf("%w: does not fit %s", ErrWrongType, s.scalar)
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

// inWidth says whether every integer of v fits into that many bits.
func inWidth(v driver.Value, width uint) bool {
	switch v.Tag() {
	case driver.ValueTagSigned:
		return fitsSigned(v.Signed(), width)
	case driver.ValueTagUnsigned:
		return fitsUnsigned(v.Unsigned(), width)
	case driver.ValueTagSigneds:
		for _, i := range v.Signeds() {
			if !fitsSigned(i, width) {
				return false
			}
		}
	case driver.ValueTagUnsigneds:
		for _, u := range v.Unsigneds() {
			if !fitsUnsigned(u, width) {
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
