package point

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math"

	"github.com/droverhq/drover/abi/driver"
)

// What the errors of Parse wrap.
var (
	// ErrNotOfType: the JSON value is of another kind than the point's, or no value of its type comes out of it.
	ErrNotOfType = errors.New("not of the point's type")
	// ErrOutOfRange: it is outside of the point's range, or of its type's.
	ErrOutOfRange = errors.New("out of range")
)

// Parse reads a value to be written, as AppendJSON prints it, and returns what the driver is given: unscaled in decimal,
// in the point's type. The JSON must be valid.
//
// A number becomes an integer only exactly: 21.53 is no multiple of a scale of 0.1. With a scale or an offset, numbers
// beyond 2^53 are refused, because a float64 has not all of them; without, 64-bit integers have all their digits. A
// float takes the nearest that its type has.
func (p *Point) Parse(text []byte) (driver.Value, error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return driver.Value{}, fmt.Errorf("%w: %w", ErrNotOfType, err)
	}
	if p.def.Count > 0 {
		return p.parseList(v)
	}
	switch kindOf(p.def.Scalar) {
	case kindBool:
		return parseAs(v, "true or false", driver.ValueBoolean)
	case kindText:
		return parseAs(v, "text", driver.ValueText)
	case kindBytes:
		return parseBytes(v)
	}
	bits, err := p.parseNumber(v)
	return p.scalar(bits), err
}

func notOfType(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrNotOfType}, args...)...)
}

// parseAs reads what JSON has a type for.
func parseAs[T any](v any, what string, value func(T) driver.Value) (driver.Value, error) {
	t, ok := v.(T)
	if !ok {
		return driver.Value{}, notOfType("%s is expected, not %s", what, describe(v))
	}
	return value(t), nil
}

func parseBytes(v any) (driver.Value, error) {
	text, ok := v.(string)
	if !ok {
		return driver.Value{}, notOfType("bytes in base64 are expected, not %s", describe(v))
	}
	b, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return driver.Value{}, notOfType("bytes in base64 are expected: %v", err)
	}
	return driver.ValueBytes(b), nil
}

// describe names a JSON value for people.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case bool:
		return fmt.Sprint(v)
	case json.Number:
		return shorten(v.String())
	case string:
		return "the text " + shorten(fmt.Sprintf("%q", v))
	case []any:
		return "an array"
	default:
		return "an object"
	}
}

func shorten(s string) string {
	const most = 40
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

func (p *Point) parseList(v any) (driver.Value, error) {
	list, ok := v.([]any)
	if !ok {
		return driver.Value{}, notOfType("an array of %d is expected, not %s", p.def.Count, describe(v))
	}
	if uint64(len(list)) != uint64(p.def.Count) {
		return driver.Value{}, notOfType("an array of %d is expected, not of %d", p.def.Count, len(list))
	}
	many := make([]uint64, len(list))
	for i, element := range list {
		bits, err := p.parseElement(element)
		if err != nil {
			return driver.Value{}, fmt.Errorf("element %d: %w", i, err)
		}
		many[i] = bits
	}
	return p.list(many), nil
}

func (p *Point) parseElement(v any) (uint64, error) {
	if kindOf(p.def.Scalar) != kindBool {
		return p.parseNumber(v)
	}
	b, ok := v.(bool)
	if !ok {
		return 0, notOfType("true or false is expected, not %s", describe(v))
	}
	return boolBits(b), nil
}

// scalar returns one value of the point's type, which is a number.
func (p *Point) scalar(bits uint64) driver.Value {
	switch kindOf(p.def.Scalar) {
	case kindSigned:
		return driver.ValueSigned(int64(bits))
	case kindUnsigned:
		return driver.ValueUnsigned(bits)
	case kindFloat32:
		return driver.ValueFloat32(float32(math.Float64frombits(bits)))
	default:
		return driver.ValueFloat64(math.Float64frombits(bits))
	}
}

func (p *Point) list(many []uint64) driver.Value {
	switch kindOf(p.def.Scalar) {
	case kindBool:
		return driver.ValueBooleans(bitsOfBits(many, func(b uint64) bool { return b != 0 }))
	case kindSigned:
		return driver.ValueSigneds(bitsOfBits(many, func(b uint64) int64 { return int64(b) }))
	case kindUnsigned:
		return driver.ValueUnsigneds(many)
	default:
		return driver.ValueFloats(bitsOfBits(many, math.Float64frombits))
	}
}

func bitsOfBits[T any](from []uint64, value func(uint64) T) []T {
	to := make([]T, len(from))
	for i, b := range from {
		to[i] = value(b)
	}
	return to
}
