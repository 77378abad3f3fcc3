package sdk

import (
	"fmt"
	"math"

	"github.com/droverhq/drover/abi/driver"
)

// Boolean returns the value of a point declared boolean.
func Boolean(v bool) Value { return driver.ValueBoolean(v) }

// Signed returns the value of a point declared int8 to int64.
func Signed(v int64) Value { return driver.ValueSigned(v) }

// Unsigned returns the value of a point declared uint8 to uint64.
func Unsigned(v uint64) Value { return driver.ValueUnsigned(v) }

// Float32 returns the value of a point declared float32.
func Float32(v float32) Value { return driver.ValueFloat32(v) }

// Float64 returns the value of a point declared float64.
func Float64(v float64) Value { return driver.ValueFloat64(v) }

// Text returns the value of a point declared text. What is not UTF-8 in it is replaced.
func Text(v string) Value { return driver.ValueText(clean(v)) }

// Bytes returns the value of a point declared bytes. The slice must not change until it is published.
func Bytes(v []byte) Value { return driver.ValueBytes(v) }

// Booleans returns the value of a point declared boolean with a count. The slice must not change until it is published.
func Booleans(v []bool) Value { return driver.ValueBooleans(v) }

// Signeds returns the value of a point declared int8 to int64 with a count. The slice must not change until it is
// published.
func Signeds(v []int64) Value { return driver.ValueSigneds(v) }

// Unsigneds returns the value of a point declared uint8 to uint64 with a count. The slice must not change until it is
// published.
func Unsigneds(v []uint64) Value { return driver.ValueUnsigneds(v) }

// Floats returns the value of a point declared float32 or float64 with a count. The slice must not change until it is
// published.
func Floats(v []float64) Value { return driver.ValueFloats(v) }

// Fits returns nil when v is what the point is declared to hold: the case, the count, and the range of its integers.
func (p *Point) Fits(v Value) error {
	want, ok := valueCase(p.Scalar, p.Count)
	if !ok {
		return fmt.Errorf("point %s: no value holds %d of %s", p.Name, p.Count, p.Scalar)
	}
	if v.Tag() != want {
		return fmt.Errorf("point %s: %s is declared, the value is %s", p.Name, p.Scalar, v.Tag())
	}
	if n, list := elements(v); list && n != int(p.Count) {
		return fmt.Errorf("point %s: %d elements are declared, the value has %d", p.Name, p.Count, n)
	}
	if !inRange(p.Scalar, v) {
		return fmt.Errorf("point %s: the value is out of the range of %s", p.Name, p.Scalar)
	}
	return nil
}

// valueCase returns the case that carries a scalar type. Text and bytes have no lists.
func valueCase(s driver.ScalarType, count uint32) (driver.ValueTag, bool) {
	single, list := driver.ValueTagSigned, driver.ValueTagSigneds
	switch s {
	case driver.ScalarTypeBoolean:
		single, list = driver.ValueTagBoolean, driver.ValueTagBooleans
	case driver.ScalarTypeUint8, driver.ScalarTypeUint16, driver.ScalarTypeUint32, driver.ScalarTypeUint64:
		single, list = driver.ValueTagUnsigned, driver.ValueTagUnsigneds
	case driver.ScalarTypeFloat32:
		single, list = driver.ValueTagFloat32, driver.ValueTagFloats
	case driver.ScalarTypeFloat64:
		single, list = driver.ValueTagFloat64, driver.ValueTagFloats
	case driver.ScalarTypeText:
		return driver.ValueTagText, count == 0
	case driver.ScalarTypeBytes:
		return driver.ValueTagBytes, count == 0
	}
	if count > 0 {
		return list, true
	}
	return single, true
}

func elements(v Value) (n int, list bool) {
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

func inRange(s driver.ScalarType, v Value) bool {
	switch v.Tag() {
	case driver.ValueTagSigned:
		return fitsSigned(s, v.Signed())
	case driver.ValueTagUnsigned:
		return fitsUnsigned(s, v.Unsigned())
	case driver.ValueTagSigneds:
		for _, n := range v.Signeds() {
			if !fitsSigned(s, n) {
				return false
			}
		}
	case driver.ValueTagUnsigneds:
		for _, n := range v.Unsigneds() {
			if !fitsUnsigned(s, n) {
				return false
			}
		}
	}
	return true
}

func fitsSigned(s driver.ScalarType, n int64) bool {
	switch s {
	case driver.ScalarTypeInt8:
		return n == int64(int8(n))
	case driver.ScalarTypeInt16:
		return n == int64(int16(n))
	case driver.ScalarTypeInt32:
		return n == int64(int32(n))
	}
	return true
}

func fitsUnsigned(s driver.ScalarType, n uint64) bool {
	switch s {
	case driver.ScalarTypeUint8:
		return n <= math.MaxUint8
	case driver.ScalarTypeUint16:
		return n <= math.MaxUint16
	case driver.ScalarTypeUint32:
		return n <= math.MaxUint32
	}
	return true
}
