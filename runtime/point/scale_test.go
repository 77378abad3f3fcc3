package point

import (
	"math"
	"math/big"
	"strconv"
	"testing"

	"github.com/droverhq/drover/abi/driver"
)

func scaled(t *testing.T, scalar driver.ScalarType, raw driver.Value, scale, offset float64) string {
	t.Helper()
	p, err := New(Definition{Name: "p", Device: "d", Scalar: scalar, Scale: scale, Offset: offset})
	if err != nil {
		t.Fatal(err)
	}
	v := Value{kind: p.kind}
	if v.take(raw); !p.scale(&v) {
		return "none"
	}
	return string(v.AppendJSON(nil))
}

func TestScale(t *testing.T) {
	const (
		i16 = driver.ScalarTypeInt16
		i64 = driver.ScalarTypeInt64
		u64 = driver.ScalarTypeUint64
		f32 = driver.ScalarTypeFloat32
		f64 = driver.ScalarTypeFloat64
	)
	tests := []struct {
		scalar        driver.ScalarType
		raw           driver.Value
		scale, offset float64
		want          string
	}{
		{i16, driver.ValueSigned(3), 0.1, 0, "0.3"},
		{i16, driver.ValueSigned(-3), 0.1, 0, "-0.3"},
		{i16, driver.ValueSigned(0), -0.1, 0, "0"},
		{i16, driver.ValueSigned(215), 0.1, -40, "-18.5"},
		{i16, driver.ValueSigned(400), 0.1, -40, "0"},
		{i16, driver.ValueSigned(7), 0.01, 0.07, "0.14"},
		{i16, driver.ValueSigned(5), 1e-9, 0, "5e-9"},
		// Integers stay integers while scale and offset are.
		{i16, driver.ValueSigned(12), 100, 5, "1205"},
		{i16, driver.ValueSigned(-12), 100, 5, "-1195"},
		{i64, driver.ValueSigned(9007199254740993), 1, 1, "9007199254740994"},
		{u64, driver.ValueUnsigned(math.MaxUint64), 1, 0, "18446744073709551615"},
		{u64, driver.ValueUnsigned(math.MaxUint64), 10, 0, "184467440737095500000"},
		// Exact up to 2^53, the nearest float64 above.
		{i64, driver.ValueSigned(9007199254740991), 0.1, 0, "900719925474099.1"},
		{i64, driver.ValueSigned(math.MinInt64), 0.5, 0, "-4611686018427388000"},
		{u64, driver.ValueUnsigned(math.MaxUint64), 0.1, 0, "1844674407370955300"},
		// float32 stands for its own shortest form.
		{f32, driver.ValueFloat32(1.1), 10, 0, "11"},
		{f32, driver.ValueFloat32(21.53), 0.001, 0, "0.02153"},
		{f32, driver.ValueFloat32(16777216), 1, 0.5, "16777216.5"},
		{f64, driver.ValueFloat64(1.1), 1.1, 0, "1.21"},
		{f64, driver.ValueFloat64(0.1), 1, 0.2, "0.3"},
		{f64, driver.ValueFloat64(1e300), 1, 1e-300, "1e+300"},
		{f64, driver.ValueFloat64(1e300), 1e300, 0, "none"},
		{f64, driver.ValueFloat64(5e-324), 0.1, 0, "0"},
		{f64, driver.ValueFloat64(math.NaN()), 0.1, 0, "none"},
		{f64, driver.ValueFloat64(math.Inf(-1)), 1, 0, "none"},
	}
	for _, tt := range tests {
		if got := scaled(t, tt.scalar, tt.raw, tt.scale, tt.offset); got != tt.want {
			t.Errorf("%v * %g + %g = %s, want %s", tt.raw, tt.scale, tt.offset, got, tt.want)
		}
	}
}

// FuzzScale compares with rational arithmetic on the same shortest decimals.
func FuzzScale(f *testing.F) {
	f.Add(3.0, 0.1, 0.0)
	f.Add(1e17, 1.0000000000000002, -1e-17)
	f.Add(-5e-324, 1e308, 1e-5)
	f.Add(0.1, 123456789.12345679, 1e40)
	f.Fuzz(func(t *testing.T, raw, scale, offset float64) {
		if !finite(raw) || !finite(scale) || !finite(offset) {
			return
		}
		s := newScaler(scale, offset)
		got := s.float(shortest(raw, 64))
		r := new(big.Rat).Mul(rational(raw), rational(scale))
		want, _ := r.Add(r, rational(offset)).Float64()
		if got != want {
			t.Errorf("%g * %g + %g = %g, want %g", raw, scale, offset, got, want)
		}
	})
}

func rational(f float64) *big.Rat {
	r, _ := new(big.Rat).SetString(strconv.FormatFloat(f, 'e', -1, 64))
	return r
}
