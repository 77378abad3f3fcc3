package codec

import (
	"fmt"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/modbus/pdu"
)

// NoBit is the Bit of a shape that is not a bit of a register.
const NoBit = -1

// Shape says what a point is in registers or bits.
type Shape struct {
	Scalar driver.ScalarType
	// Count is 0 for one value. Otherwise the point is a list of that many.
	Count uint32
	// Area is where the point is.
	Area pdu.Area
	// Bit is that of the first register, 0 the lowest, where the point is a bit of it; NoBit otherwise. A list of bits
	// goes on in the next register.
	Bit int
	// Length is the number of bytes of a text or of bytes; 0 otherwise.
	Length int
	Order  Order
}

// elements is how many values the point has.
func (s *Shape) elements() int { return max(int(s.Count), 1) }

// Size is the number of registers, or of bits in an area of bits, that the point takes.
func (s *Shape) Size() int {
	switch {
	case s.Area.Bits():
		return s.elements()
	case s.Bit != NoBit:
		return (s.Bit + s.elements() + 15) / 16
	case s.sized():
		return (s.Length + 1) / 2
	}
	return s.elements() * s.registers()
}

// sized says whether the type has a length of its own.
func (s *Shape) sized() bool {
	return s.Scalar == driver.ScalarTypeText || s.Scalar == driver.ScalarTypeBytes
}

// registers is how many one value takes.
func (s *Shape) registers() int { return max(width(s.Scalar)/16, 1) }

// width is the number of bits of a number; 0 of other types.
func width(t driver.ScalarType) int {
	switch t {
	case driver.ScalarTypeInt8, driver.ScalarTypeUint8:
		return 8
	case driver.ScalarTypeInt16, driver.ScalarTypeUint16:
		return 16
	case driver.ScalarTypeInt32, driver.ScalarTypeUint32, driver.ScalarTypeFloat32:
		return 32
	case driver.ScalarTypeInt64, driver.ScalarTypeUint64, driver.ScalarTypeFloat64:
		return 64
	}
	return 0
}

// Check says what does not fit together.
func (s *Shape) Check() error {
	boolean := s.Scalar == driver.ScalarTypeBoolean
	switch {
	case !s.Area.Valid():
		return fmt.Errorf("no area")
	case s.Area.Bits() && !boolean:
		return fmt.Errorf("area %s holds bits: the type must be bool, it is %s", s.Area, typeName(s.Scalar))
	case s.Area.Bits() && s.Bit != NoBit:
		return fmt.Errorf("area %s holds bits: no bit of a register there", s.Area)
	case s.Bit != NoBit && (s.Bit < 0 || s.Bit > 15):
		return fmt.Errorf("bit %d, expected 0 to 15", s.Bit)
	case s.Bit != NoBit && !boolean:
		return fmt.Errorf("a bit of a register has type bool, not %s", typeName(s.Scalar))
	case boolean && !s.Area.Bits() && s.Bit == NoBit:
		return fmt.Errorf(`type bool in area %s needs the bit of the register, as in "%s:100.3"`, s.Area, s.Area)
	}
	return s.checkLength()
}

func (s *Shape) checkLength() error {
	switch {
	case !s.sized() && s.Length != 0:
		return fmt.Errorf("type %s has no length", typeName(s.Scalar))
	case s.sized() && s.Count != 0:
		return fmt.Errorf("no lists of %s", typeName(s.Scalar))
	case s.sized() && s.Length <= 0:
		return fmt.Errorf(`type %s needs its length in bytes, as in "%s:100/16"`, typeName(s.Scalar), s.Area)
	case s.Count > pdu.AreaSize || s.Length > 2*pdu.AreaSize || s.Size() > s.Area.Max():
		return fmt.Errorf("the point is larger than one request can carry (%d)", s.Area.Max())
	}
	return nil
}
