package codec

import (
	"bytes"
	"math"

	"github.com/droverhq/drover/abi/driver"
)

// Codec makes the values of one point out of registers or bits, and the other way round.
type Codec struct {
	shape Shape
	size  int
	form  form
	// tag and width are those of a number.
	tag   driver.ValueTag
	width int
	// value is the last one. A list's, once made, is filled again in place; a text's is kept while raw stays the same.
	value    driver.Value
	booleans []bool
	signeds  []int64
	unsigned []uint64
	floats   []float64
	raw      []byte
	scratch  []byte
}

// form is how a point lies in the data of a response.
type form uint8

const (
	formWord   form = iota // one unsigned register: most points are
	formNumber             // any other number
	formNumbers
	formBits
	formRegisterBits
	formString
)

// form is decided once: Decode is called for each point of each poll.
func (s *Shape) form() form {
	switch {
	case s.Area.Bits():
		return formBits
	case s.Bit != NoBit:
		return formRegisterBits
	case s.sized():
		return formString
	case s.Count > 0:
		return formNumbers
	case s.Scalar == driver.ScalarTypeUint16:
		return formWord
	}
	return formNumber
}

// tag is the case of a value of one number.
func tag(t driver.ScalarType) driver.ValueTag {
	switch {
	case t == driver.ScalarTypeFloat32:
		return driver.ValueTagFloat32
	case t == driver.ScalarTypeFloat64:
		return driver.ValueTagFloat64
	case signed(t):
		return driver.ValueTagSigned
	}
	return driver.ValueTagUnsigned
}

// New returns the codec of a point, or what does not fit together in its shape.
func New(shape Shape) (*Codec, error) {
	if err := shape.Check(); err != nil {
		return nil, err
	}
	if shape.Order == 0 {
		shape.Order = ABCD
	}
	return newCodec(shape), nil
}

// Of says whether the codec is what New returns for the shape.
func (c *Codec) Of(shape Shape) bool {
	if shape.Order == 0 {
		shape.Order = ABCD
	}
	return c.shape == shape
}

// newCodec returns the codec of a shape that is in order.
func newCodec(shape Shape) *Codec {
	c := &Codec{
		shape: shape, size: shape.Size(), form: shape.form(), tag: tag(shape.Scalar), width: width(shape.Scalar),
	}
	c.prepare()
	return c
}

// Size is the number of registers, or of bits in an area of bits, that the point takes.
func (c *Codec) Size() int { return c.size }

// Decode returns the value of the point from the data bytes of a response in which the point's first register or bit is
// the one at place at. It answers false where they do not hold the whole point. The value shares memory with the next
// one.
func (c *Codec) Decode(data []byte, at int) (driver.Value, bool) {
	if c.form == formBits {
		return c.bits(data, at)
	}
	if at < 0 || len(data) < 2*(at+c.size) {
		return driver.Value{}, false
	}
	data = data[2*at : 2*(at+c.size)]
	switch c.form {
	case formWord:
		return driver.ValueUnsigned(uint64(c.shape.Order.uint16(data))), true
	case formRegisterBits:
		return c.registerBits(data), true
	case formString:
		return c.string(data), true
	case formNumbers:
		c.fill(data)
		return c.value, true
	}
	return c.number(data), true
}

// DecodeApart is Decode into memory of its own: the value stays as it is whatever is decoded next.
func (c *Codec) DecodeApart(data []byte, at int) (driver.Value, bool) {
	return newCodec(c.shape).Decode(data, at)
}

// prepare makes the memory of a list and the value that refers to it.
func (c *Codec) prepare() {
	n := c.shape.Count
	switch {
	case n == 0:
	case c.shape.Scalar == driver.ScalarTypeBoolean:
		c.booleans = make([]bool, n)
		c.value = driver.ValueBooleans(c.booleans)
	case signed(c.shape.Scalar):
		c.signeds = make([]int64, n)
		c.value = driver.ValueSigneds(c.signeds)
	case floating(c.shape.Scalar):
		c.floats = make([]float64, n)
		c.value = driver.ValueFloats(c.floats)
	default:
		c.unsigned = make([]uint64, n)
		c.value = driver.ValueUnsigneds(c.unsigned)
	}
}

func signed(t driver.ScalarType) bool {
	return t >= driver.ScalarTypeInt8 && t <= driver.ScalarTypeInt64
}

func floating(t driver.ScalarType) bool {
	return t == driver.ScalarTypeFloat32 || t == driver.ScalarTypeFloat64
}

// number decodes one number.
func (c *Codec) number(data []byte) driver.Value {
	bits := c.pattern(data)
	switch c.tag {
	case driver.ValueTagFloat32:
		return driver.ValueFloat32(math.Float32frombits(uint32(bits)))
	case driver.ValueTagFloat64:
		return driver.ValueFloat64(math.Float64frombits(bits))
	case driver.ValueTagSigned:
		return driver.ValueSigned(c.extended(bits))
	}
	return driver.ValueUnsigned(bits)
}

// fill decodes a list of numbers.
func (c *Codec) fill(data []byte) {
	step := 2 * c.shape.registers()
	for i := range c.signeds {
		c.signeds[i] = c.extended(c.pattern(data[i*step:]))
	}
	for i := range c.unsigned {
		c.unsigned[i] = c.pattern(data[i*step:])
	}
	for i := range c.floats {
		c.floats[i] = c.float(data[i*step:])
	}
}

// pattern returns the bits of one number. One of 8 bits is the low byte of its register.
func (c *Codec) pattern(data []byte) uint64 {
	switch c.width {
	case 8:
		return uint64(uint8(c.shape.Order.uint16(data)))
	case 16:
		return uint64(c.shape.Order.uint16(data))
	case 32:
		return uint64(c.shape.Order.uint32(data))
	}
	return c.shape.Order.uint64(data)
}

// extended is the signed number that has these bits.
func (c *Codec) extended(bits uint64) int64 {
	unused := 64 - c.width
	return int64(bits<<unused) >> unused
}

func (c *Codec) float(data []byte) float64 {
	bits := c.pattern(data)
	if c.width == 32 {
		return float64(math.Float32frombits(uint32(bits)))
	}
	return math.Float64frombits(bits)
}

// bits decodes points of areas of bits: eight a byte, the lowest first.
func (c *Codec) bits(data []byte, at int) (driver.Value, bool) {
	if at < 0 || 8*len(data) < at+c.size {
		return driver.Value{}, false
	}
	if c.shape.Count == 0 {
		return driver.ValueBoolean(data[at/8]>>(at%8)&1 != 0), true
	}
	for i := range c.booleans {
		c.booleans[i] = data[(at+i)/8]>>((at+i)%8)&1 != 0
	}
	return c.value, true
}

// registerBits decodes bits of registers.
func (c *Codec) registerBits(data []byte) driver.Value {
	if c.shape.Count == 0 {
		return driver.ValueBoolean(c.registerBit(data, c.shape.Bit))
	}
	for i := range c.booleans {
		c.booleans[i] = c.registerBit(data, c.shape.Bit+i)
	}
	return c.value
}

func (c *Codec) registerBit(data []byte, bit int) bool {
	return c.shape.Order.uint16(data[bit/16*2:])>>(bit%16)&1 != 0
}

// string decodes texts and bytes. While the unit answers the same, the value is the same.
func (c *Codec) string(data []byte) driver.Value {
	if c.raw != nil && bytes.Equal(c.raw, data) {
		return c.value
	}
	c.raw = append(c.raw[:0], data...)
	c.scratch = append(c.scratch[:0], data...)
	if c.shape.Order.lowByteFirst() {
		swapBytes(c.scratch)
	}
	content := c.scratch[:c.shape.Length]
	if c.shape.Scalar == driver.ScalarTypeText {
		c.value = driver.ValueText(Text(content))
	} else {
		c.value = driver.ValueBytes(bytes.Clone(content))
	}
	return c.value
}

func swapBytes(b []byte) {
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
}
