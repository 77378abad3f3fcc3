package codec

import (
	"errors"
	"fmt"
	"math"

	"github.com/droverhq/drover/abi/driver"
)

// Coils returns the data bytes of a request that writes a point in an area of bits: eight a byte, the lowest first. The
// value is one that the point may hold (sdk.Point.Fits).
func (c *Codec) Coils(v driver.Value) []byte {
	data := make([]byte, (c.size+7)/8)
	for i := range c.size {
		if boolean(v, i) {
			data[i/8] |= 1 << (i % 8)
		}
	}
	return data
}

// Partial says whether some bits of the point's registers are not the point's, so that they have to be kept when it is
// written: those around a bit, the other byte of a number of 8 bits, the one behind a text of odd length.
func (c *Codec) Partial() bool {
	switch {
	case c.shape.Area.Bits():
		return false
	case c.shape.sized():
		return c.shape.Length%2 != 0
	}
	return c.shape.Bit != NoBit || width(c.shape.Scalar) == 8
}

// Encode puts the value into registers, 2 x Size bytes, and leaves the bits that are not the point's as they are: Decode
// then gives the value back. The value is one that the point may hold (sdk.Point.Fits). The error says what the
// registers cannot hold.
func (c *Codec) Encode(registers []byte, v driver.Value) error {
	if len(registers) != 2*c.size {
		return fmt.Errorf("%d bytes of registers, the point has %d", len(registers), 2*c.size)
	}
	switch {
	case c.shape.Bit != NoBit:
		for i := range c.shape.elements() {
			c.putBit(registers, c.shape.Bit+i, boolean(v, i))
		}
		return nil
	case c.shape.sized():
		return c.putString(registers, v)
	}
	step := 2 * c.shape.registers()
	for i := range c.shape.elements() {
		bits, err := c.bitsOf(v, i)
		if err != nil {
			return err
		}
		c.putPattern(registers[i*step:], bits)
	}
	return nil
}

// boolean returns element i of a truth value or of a list of them.
func boolean(v driver.Value, i int) bool {
	if v.Tag() == driver.ValueTagBooleans {
		return v.Booleans()[i]
	}
	return v.Boolean()
}

func (c *Codec) putBit(registers []byte, bit int, on bool) {
	word := registers[bit/16*2:]
	bits := c.shape.Order.uint16(word) &^ (1 << (bit % 16))
	if on {
		bits |= 1 << (bit % 16)
	}
	c.shape.Order.putUint16(word, bits)
}

// bitsOf returns the bits of element i of a number or of a list of numbers.
func (c *Codec) bitsOf(v driver.Value, i int) (uint64, error) {
	switch v.Tag() {
	case driver.ValueTagSigned:
		return uint64(v.Signed()), nil
	case driver.ValueTagSigneds:
		return uint64(v.Signeds()[i]), nil
	case driver.ValueTagUnsigned:
		return v.Unsigned(), nil
	case driver.ValueTagUnsigneds:
		return v.Unsigneds()[i], nil
	case driver.ValueTagFloat32:
		return uint64(math.Float32bits(v.Float32())), nil
	case driver.ValueTagFloat64:
		return math.Float64bits(v.Float64()), nil
	}
	f := v.Floats()[i]
	if c.shape.Scalar == driver.ScalarTypeFloat64 {
		return math.Float64bits(f), nil
	}
	short := float32(f)
	if math.IsInf(float64(short), 0) && !math.IsInf(f, 0) {
		return 0, fmt.Errorf("element %d: %v is beyond a float32", i, f)
	}
	return uint64(math.Float32bits(short)), nil
}

// putPattern writes the bits of one number. One of 8 bits is the low byte of its register, and leaves the high one.
func (c *Codec) putPattern(word []byte, bits uint64) {
	switch width(c.shape.Scalar) {
	case 8:
		c.shape.Order.putUint16(word, c.shape.Order.uint16(word)&0xFF00|uint16(uint8(bits)))
	case 16:
		c.shape.Order.putUint16(word, uint16(bits))
	case 32:
		c.shape.Order.putUint32(word, uint32(bits))
	default:
		c.shape.Order.putUint64(word, bits)
	}
}

var errZero = errors.New("a text in registers ends at its first zero byte, and this one has it inside")

// putString writes a text, filled up with zero bytes, or bytes.
func (c *Codec) putString(registers []byte, v driver.Value) error {
	content, most := v.Bytes(), c.shape.Length
	if c.shape.Scalar == driver.ScalarTypeText {
		content = []byte(v.Text())
		for _, b := range content {
			if b == 0 {
				return errZero
			}
		}
		if len(content) > most {
			return fmt.Errorf("a text of %d bytes, expected at most %d", len(content), most)
		}
	} else if len(content) != most {
		return fmt.Errorf("%d bytes, expected %d", len(content), most)
	}
	if c.shape.Order.lowByteFirst() {
		swapBytes(registers)
		defer swapBytes(registers)
	}
	clear(registers[copy(registers[:most], content):most])
	return nil
}
