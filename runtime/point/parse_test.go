package point

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// raw prints what the driver is given.
func raw(t *testing.T, p *Point, v driver.Value) string {
	t.Helper()
	if err := p.Check(driver.Sample{Value: component.Some(v)}); err != nil {
		t.Errorf("the driver is given what does not fit: %v", err)
	}
	taken := Value{kind: p.kind}
	taken.take(v)
	return v.Tag().String() + " " + string(taken.AppendJSON(nil))
}

func TestParse(t *testing.T) {
	const (
		boolean = driver.ScalarTypeBoolean
		i8      = driver.ScalarTypeInt8
		i16     = driver.ScalarTypeInt16
		u16     = driver.ScalarTypeUint16
		i64     = driver.ScalarTypeInt64
		u64     = driver.ScalarTypeUint64
		f32     = driver.ScalarTypeFloat32
		f64     = driver.ScalarTypeFloat64
		text    = driver.ScalarTypeText
		bytes   = driver.ScalarTypeBytes
	)
	tenth := Definition{Scalar: i16, Scale: 0.1}
	kelvin := Definition{Scalar: u16, Scale: 0.1, Offset: -273.15}
	percent := Definition{Scalar: u16, Scale: 0.5, Range: &Range{0, 100}}
	tests := []struct {
		d    Definition
		json string
		want string
		err  error
	}{
		{Definition{Scalar: boolean}, `true`, "boolean true", nil},
		{Definition{Scalar: boolean}, `1`, "", ErrNotOfType},
		{Definition{Scalar: boolean}, `null`, "", ErrNotOfType},
		{Definition{Scalar: boolean, Count: 2}, `[true,false]`, "booleans [true,false]", nil},
		{Definition{Scalar: boolean, Count: 2}, `[true,0]`, "", ErrNotOfType},
		{Definition{Scalar: text}, `"a\u00fc\n"`, `text "aü\n"`, nil},
		{Definition{Scalar: text}, `7`, "", ErrNotOfType},
		{Definition{Scalar: bytes}, `"AP8="`, `bytes "AP8="`, nil},
		{Definition{Scalar: bytes}, `"AP8"`, "", ErrNotOfType},
		{Definition{Scalar: bytes}, `[0]`, "", ErrNotOfType},

		{Definition{Scalar: i8}, `-128`, "signed -128", nil},
		{Definition{Scalar: i8}, `128`, "", ErrOutOfRange},
		{Definition{Scalar: i8}, `1e2`, "signed 100", nil},
		{Definition{Scalar: i8}, `1.5`, "", ErrNotOfType},
		{Definition{Scalar: i8}, `"1"`, "", ErrNotOfType},
		{Definition{Scalar: i8}, `{}`, "", ErrNotOfType},
		{Definition{Scalar: u16}, `-1`, "", ErrOutOfRange},
		{Definition{Scalar: u16}, `65535`, "unsigned 65535", nil},
		// 64-bit integers have all their digits.
		{Definition{Scalar: i64}, `-9223372036854775808`, "signed -9223372036854775808", nil},
		{Definition{Scalar: i64}, `9223372036854775808`, "", ErrOutOfRange},
		{Definition{Scalar: u64}, `18446744073709551615`, "unsigned 18446744073709551615", nil},
		{Definition{Scalar: u64}, `18446744073709551616`, "", ErrOutOfRange},
		{Definition{Scalar: i64, Count: 2}, `[9007199254740993, -1]`, "signeds [9007199254740993,-1]", nil},
		{Definition{Scalar: i64, Count: 2}, `[1]`, "", ErrNotOfType},
		{Definition{Scalar: i64, Count: 2}, `1`, "", ErrNotOfType},
		{Definition{Scalar: i64, Count: 2}, `[1,"2"]`, "", ErrNotOfType},

		{Definition{Scalar: f32}, `0.1`, "float32 0.1", nil},
		{Definition{Scalar: f32}, `3.5e38`, "", ErrOutOfRange},
		{Definition{Scalar: f32}, `1e-60`, "", ErrOutOfRange},
		{Definition{Scalar: f32}, `0e5`, "float32 0", nil},
		{Definition{Scalar: f64}, `1e-300`, "float64 1e-300", nil},
		{Definition{Scalar: f64}, `1e400`, "", ErrOutOfRange},
		{Definition{Scalar: f64}, `1e-999999999999999999999`, "", ErrOutOfRange},
		{Definition{Scalar: f64}, `1` + strings.Repeat("0", 500), "", ErrOutOfRange},
		{Definition{Scalar: f32, Count: 3}, `[0.1, 2, -3e1]`, "floats [0.1,2,-30]", nil},

		{tenth, `0.3`, "signed 3", nil},
		{tenth, `-3276.8`, "signed -32768", nil},
		{tenth, `3276.8`, "", ErrOutOfRange},
		{tenth, `21.53`, "", ErrNotOfType},
		{kelvin, `-273.15`, "unsigned 0", nil},
		{kelvin, `20.05`, "unsigned 2932", nil},
		{kelvin, `20`, "", ErrNotOfType},
		{percent, `100`, "unsigned 200", nil},
		{percent, `100.5`, "", ErrOutOfRange},
		{percent, `-0.5`, "", ErrOutOfRange},
		{Definition{Scalar: f32, Scale: 0.001}, `0.02153`, "float32 21.53", nil},
		{Definition{Scalar: i64, Scale: -1}, `7`, "signed -7", nil},
		// Beyond 2^53 scaling is not exact, whatever the scale.
		{Definition{Scalar: i64, Scale: 10}, `90071992547409920`, "", ErrOutOfRange},
		{Definition{Scalar: i64, Scale: 10}, `9007199254740990`, "signed 900719925474099", nil},
		{Definition{Scalar: i64, Scale: 0.1}, `900719925474099.2`, "signed 9007199254740992", nil},
		{Definition{Scalar: i64, Scale: 0.1}, `900719925474099.3`, "", ErrOutOfRange},
	}
	for _, tt := range tests {
		tt.d.Name, tt.d.Device = "p", "d"
		p, err := New(tt.d)
		if err != nil {
			t.Fatal(err)
		}
		v, err := p.Parse([]byte(tt.json))
		if !errors.Is(err, tt.err) {
			t.Errorf("%s as %+v: %v, want %v", tt.json, tt.d, err, tt.err)
		}
		if tt.err != nil {
			continue
		}
		if got := raw(t, p, v); got != tt.want {
			t.Errorf("%s as %+v is %s, want %s", tt.json, tt.d, got, tt.want)
		}
	}
}

// FuzzParse: whatever is sent is refused, or fits the point, and reads as what was sent.
func FuzzParse(f *testing.F) {
	for _, s := range []string{`1`, `-1.5e3`, `true`, `"AP8="`, `[1,2]`, `null`, `{"a":1}`, `1e-400`, `9007199254740993`} {
		f.Add([]byte(s), uint8(3), uint8(0), 0.1, -40.0)
	}
	f.Fuzz(func(t *testing.T, text []byte, scalar, count uint8, scale, offset float64) {
		d := Definition{Name: "p", Device: "d", Scalar: driver.ScalarType(scalar % 13), Count: uint32(count % 3)}
		if kindOf(d.Scalar).numeric() {
			d.Scale, d.Offset = scale, offset
		}
		p, err := New(d)
		if err != nil || !json.Valid(text) {
			return
		}
		v, err := p.Parse(text)
		if err != nil {
			if !errors.Is(err, ErrNotOfType) && !errors.Is(err, ErrOutOfRange) {
				t.Errorf("%s: %v", text, err)
			}
			return
		}
		if err := p.Check(driver.Sample{Value: component.Some(v)}); err != nil {
			t.Errorf("%s became %v: %v", text, v, err)
		}
		if k := kindOf(d.Scalar); d.Count > 0 || k != kindSigned && k != kindUnsigned {
			return
		}
		sent, _ := new(big.Rat).SetString(strings.TrimSpace(string(text)))
		want, _ := sent.Float64()
		if got := p.Scaled(v); got.float(0) != want && !(p.scaler.identity && got.kind != kindFloat64) {
			t.Errorf("%s was written as %s and reads as %s", text, raw(t, p, v), got.AppendJSON(nil))
		}
	})
}

// FuzzUnscale: what a point reads can be written, and is the same again, where its decimals are exact.
func FuzzUnscale(f *testing.F) {
	f.Add(int64(3), 0.1, 0.0, uint8(2))
	f.Add(int64(9007199254740991), 0.01, -273.15, uint8(4))
	f.Add(int64(-32768), -1e-9, 1e6, uint8(2))
	f.Fuzz(func(t *testing.T, n int64, scale, offset float64, scalar uint8) {
		p, err := New(Definition{Name: "p", Device: "d", Scalar: driver.ScalarType(1 + scalar%4), Scale: scale, Offset: offset})
		if err != nil || !fitsSigned(n, width(p.def.Scalar)) {
			return
		}
		v := p.Scaled(driver.ValueSigned(n))
		if v.None() {
			return
		}
		text := string(v.AppendJSON(nil))
		exact := new(big.Rat).Mul(new(big.Rat).SetInt64(n), rationalFloat(p.def.Scale))
		exact.Add(exact, rationalFloat(offset))
		shown, err := rationalOf(text)
		limit := new(big.Rat).SetInt(exactLimit())
		if err != nil || shown.Cmp(exact) != 0 {
			return // rounded on the way out
		}
		back, err := p.Parse([]byte(text))
		beyond := !p.scaler.identity && (shown.Abs(shown).Cmp(limit) > 0 || n > 1<<53 || n < -1<<53)
		switch {
		case beyond && !errors.Is(err, ErrOutOfRange):
			t.Errorf("%d * %g + %g = %s is beyond 2^53, and was taken", n, scale, offset, text)
		case !beyond && (err != nil || back.Signed() != n):
			t.Errorf("%d * %g + %g = %s came back as %v, %v", n, scale, offset, text, back, err)
		}
	})
}
