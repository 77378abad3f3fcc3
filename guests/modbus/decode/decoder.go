package decode

import (
	"bytes"
	"math"

	"github.com/droverhq/drover/abi/driver"
)

// Decoder makes the values of one point.
type Decoder struct {
	shape Shape
	size  int
	// value is the last one. A list's, once made, is filled again in place; a text's is kept while raw stays the same.
	value    driver.Value
	booleans []bool
	signeds  []int64
	unsigned []uint64
	floats   []float64
	raw      []byte
	scratch  []byte
}

// New returns the decoder of a point, or what does not fit together in its shape.
func New(shape Shape) (*Decoder, error) {
	if err := shape.Check(); err != nil {
		return nil, err
	}
	if shape.Order == 0 {
		shape.Order = ABCD
	}
	d := &Decoder{shape: shape, size: shape.Size()}
	d.prepare()
	return d, nil
}

// Size is the number of registers, or of bits in an area of bits, that the point takes.
func (d *Decoder) Size() int { return d.size }

// Decode returns the value of the point from the data bytes of a response in which the point's first register or bit is
// the one at place at. It answers false where they do not hold the whole point. The value shares memory with the next
// one.
func (d *Decoder) Decode(data []byte, at int) (driver.Value, bool) {
	if d.shape.Area.Bits() {
		return d.bits(data, at)
	}
	if at < 0 || len(data) < 2*(at+d.size) {
		return driver.Value{}, false
	}
	data = data[2*at : 2*(at+d.size)]
	switch {
	case d.shape.Bit != NoBit:
		return d.registerBits(data), true
	case d.shape.sized():
		return d.string(data), true
	case d.shape.Count > 0:
		d.fill(data)
		return d.value, true
	}
	return d.scalar(data), true
}

// prepare makes the memory of a list and the value that refers to it.
func (d *Decoder) prepare() {
	n := d.shape.Count
	switch {
	case n == 0:
	case d.shape.Scalar == driver.ScalarTypeBoolean:
		d.booleans = make([]bool, n)
		d.value = driver.ValueBooleans(d.booleans)
	case signed(d.shape.Scalar):
		d.signeds = make([]int64, n)
		d.value = driver.ValueSigneds(d.signeds)
	case floating(d.shape.Scalar):
		d.floats = make([]float64, n)
		d.value = driver.ValueFloats(d.floats)
	default:
		d.unsigned = make([]uint64, n)
		d.value = driver.ValueUnsigneds(d.unsigned)
	}
}

func signed(t driver.ScalarType) bool {
	return t >= driver.ScalarTypeInt8 && t <= driver.ScalarTypeInt64
}

func floating(t driver.ScalarType) bool {
	return t == driver.ScalarTypeFloat32 || t == driver.ScalarTypeFloat64
}

// scalar decodes one number.
func (d *Decoder) scalar(data []byte) driver.Value {
	switch t := d.shape.Scalar; {
	case t == driver.ScalarTypeFloat32:
		return driver.ValueFloat32(math.Float32frombits(d.shape.Order.uint32(data)))
	case t == driver.ScalarTypeFloat64:
		return driver.ValueFloat64(math.Float64frombits(d.shape.Order.uint64(data)))
	case signed(t):
		return driver.ValueSigned(d.signed(data))
	}
	return driver.ValueUnsigned(d.pattern(data))
}

// fill decodes a list of numbers.
func (d *Decoder) fill(data []byte) {
	step := 2 * registers(d.shape.Scalar)
	for i := range d.signeds {
		d.signeds[i] = d.signed(data[i*step:])
	}
	for i := range d.unsigned {
		d.unsigned[i] = d.pattern(data[i*step:])
	}
	for i := range d.floats {
		d.floats[i] = d.float(data[i*step:])
	}
}

// pattern returns the bits of one number. One of 8 bits is the low byte of its register.
func (d *Decoder) pattern(data []byte) uint64 {
	switch d.shape.Scalar {
	case driver.ScalarTypeInt8, driver.ScalarTypeUint8:
		return uint64(uint8(d.shape.Order.uint16(data)))
	case driver.ScalarTypeInt16, driver.ScalarTypeUint16:
		return uint64(d.shape.Order.uint16(data))
	case driver.ScalarTypeInt32, driver.ScalarTypeUint32, driver.ScalarTypeFloat32:
		return uint64(d.shape.Order.uint32(data))
	}
	return d.shape.Order.uint64(data)
}

func (d *Decoder) signed(data []byte) int64 {
	bits := d.pattern(data)
	switch d.shape.Scalar {
	case driver.ScalarTypeInt8:
		return int64(int8(bits))
	case driver.ScalarTypeInt16:
		return int64(int16(bits))
	case driver.ScalarTypeInt32:
		return int64(int32(bits))
	}
	return int64(bits)
}

func (d *Decoder) float(data []byte) float64 {
	if d.shape.Scalar == driver.ScalarTypeFloat32 {
		return float64(math.Float32frombits(d.shape.Order.uint32(data)))
	}
	return math.Float64frombits(d.shape.Order.uint64(data))
}

// bits decodes points of areas of bits: eight a byte, the lowest first.
func (d *Decoder) bits(data []byte, at int) (driver.Value, bool) {
	if at < 0 || 8*len(data) < at+d.size {
		return driver.Value{}, false
	}
	if d.shape.Count == 0 {
		return driver.ValueBoolean(data[at/8]>>(at%8)&1 != 0), true
	}
	for i := range d.booleans {
		d.booleans[i] = data[(at+i)/8]>>((at+i)%8)&1 != 0
	}
	return d.value, true
}

// registerBits decodes bits of registers.
func (d *Decoder) registerBits(data []byte) driver.Value {
	if d.shape.Count == 0 {
		return driver.ValueBoolean(d.registerBit(data, d.shape.Bit))
	}
	for i := range d.booleans {
		d.booleans[i] = d.registerBit(data, d.shape.Bit+i)
	}
	return d.value
}

func (d *Decoder) registerBit(data []byte, bit int) bool {
	return d.shape.Order.uint16(data[bit/16*2:])>>(bit%16)&1 != 0
}

// string decodes texts and bytes. While the unit answers the same, the value is the same.
func (d *Decoder) string(data []byte) driver.Value {
	if d.raw != nil && bytes.Equal(d.raw, data) {
		return d.value
	}
	d.raw = append(d.raw[:0], data...)
	d.scratch = append(d.scratch[:0], data...)
	if d.shape.Order.lowByteFirst() {
		swapBytes(d.scratch)
	}
	content := d.scratch[:d.shape.Length]
	if d.shape.Scalar == driver.ScalarTypeText {
		d.value = driver.ValueText(text(content))
	} else {
		d.value = driver.ValueBytes(bytes.Clone(content))
	}
	return d.value
}

func swapBytes(b []byte) {
	for i := 0; i+1 < len(b); i += 2 {
		b[i], b[i+1] = b[i+1], b[i]
	}
}
