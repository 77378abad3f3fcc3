package point

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"strings"
)

// parseNumber returns the unscaled number as Value has it: an integer, or the bits of a float64.
func (p *Point) parseNumber(v any) (uint64, error) {
	text, ok := v.(json.Number)
	if !ok && p.quoted {
		text, ok = quotedNumber(v)
	}
	if !ok {
		return 0, notOfType("a number is expected, not %s", describe(v))
	}
	number, err := rationalOf(text.String())
	if err != nil {
		return 0, err
	}
	if r := p.def.Range; r != nil && (number.Cmp(rationalFloat(r.Min)) < 0 || number.Cmp(rationalFloat(r.Max)) > 0) {
		return 0, fmt.Errorf("%w: %s is not from %g to %g", ErrOutOfRange, shorten(text.String()), r.Min, r.Max)
	}
	raw, err := p.scaler.unscale(number)
	if err != nil {
		return 0, fmt.Errorf("%w: %s", err, shorten(text.String()))
	}
	return p.fit(raw, shorten(text.String()))
}

// quotedNumber takes a JSON number out of a string, as AppendJSON prints those of a point with Definition.IntegerText.
func quotedNumber(v any) (json.Number, bool) {
	s, ok := v.(string)
	return json.Number(s), ok && s != "" && strings.IndexByte("-0123456789", s[0]) >= 0 && json.Valid([]byte(s))
}

// fit makes the number one of the point's type.
func (p *Point) fit(raw *big.Rat, text string) (uint64, error) {
	switch kindOf(p.def.Scalar) {
	case kindFloat32:
		f, _ := raw.Float32()
		return p.fitFloat(float64(f), raw, text)
	case kindFloat64:
		f, _ := raw.Float64()
		return p.fitFloat(f, raw, text)
	}
	if !raw.IsInt() {
		if p.scaler.identity {
			return 0, notOfType("%s is no integer", text)
		}
		return 0, notOfType("%s is no integer times %g plus %g", text, p.def.Scale, p.def.Offset)
	}
	return p.fitInteger(raw.Num(), text)
}

func (p *Point) fitFloat(f float64, raw *big.Rat, text string) (uint64, error) {
	if !finite(f) || f == 0 && raw.Sign() != 0 {
		return 0, fmt.Errorf("%w: %s is beyond what %s has", ErrOutOfRange, text, p.def.Scalar)
	}
	return math.Float64bits(f), nil
}

func (p *Point) fitInteger(n *big.Int, text string) (uint64, error) {
	switch {
	case !p.scaler.identity && n.BitLen() > exactBits && n.CmpAbs(exactLimit()) > 0:
	case kindOf(p.def.Scalar) == kindSigned && n.IsInt64() && fitsSigned(n.Int64(), width(p.def.Scalar)):
		return uint64(n.Int64()), nil
	case kindOf(p.def.Scalar) == kindUnsigned && n.IsUint64() && fitsUnsigned(n.Uint64(), width(p.def.Scalar)):
		return n.Uint64(), nil
	}
	return 0, fmt.Errorf("%w: %s does not fit %s", ErrOutOfRange, text, p.def.Scalar)
}
