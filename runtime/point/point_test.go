package point

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

var start = time.Date(2026, 11, 23, 8, 20, 1, 0, time.UTC)

func mustNew(t *testing.T, d Definition) *Point {
	t.Helper()
	d.Name, d.Device = "p", "d"
	p, err := New(d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func sample(v driver.Value) driver.Sample { return driver.Sample{Value: component.Some(v)} }

func TestNewNamesAllThatIsWrong(t *testing.T) {
	_, err := New(Definition{
		Scalar: driver.ScalarTypeText, Scale: 2, Count: 3, Deadband: Deadband{Width: -1},
		Interval: 2, Heartbeat: 1, Range: &Range{Min: 2, Max: 1},
	})
	if err == nil {
		t.Fatal("accepted")
	}
	for _, want := range []string{"no name", "no device", "scaled", "list", "deadband", "interval", "range"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not mention %q", err, want)
		}
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		name   string
		scalar driver.ScalarType
		count  uint32
		value  driver.Value
		ok     bool
	}{
		{"int8 low", driver.ScalarTypeInt8, 0, driver.ValueSigned(-128), true},
		{"int8 below", driver.ScalarTypeInt8, 0, driver.ValueSigned(-129), false},
		{"int8 above", driver.ScalarTypeInt8, 0, driver.ValueSigned(128), false},
		{"int64 low", driver.ScalarTypeInt64, 0, driver.ValueSigned(math.MinInt64), true},
		{"uint16 high", driver.ScalarTypeUint16, 0, driver.ValueUnsigned(65535), true},
		{"uint16 above", driver.ScalarTypeUint16, 0, driver.ValueUnsigned(65536), false},
		{"uint64 high", driver.ScalarTypeUint64, 0, driver.ValueUnsigned(math.MaxUint64), true},
		{"signed for unsigned", driver.ScalarTypeUint16, 0, driver.ValueSigned(1), false},
		{"float64 for float32", driver.ScalarTypeFloat32, 0, driver.ValueFloat64(1), false},
		{"floats for float32", driver.ScalarTypeFloat32, 2, driver.ValueFloats([]float64{1, 2}), true},
		{"list for scalar", driver.ScalarTypeFloat64, 0, driver.ValueFloats([]float64{1}), false},
		{"scalar for list", driver.ScalarTypeFloat64, 1, driver.ValueFloat64(1), false},
		{"too short", driver.ScalarTypeBoolean, 2, driver.ValueBooleans([]bool{true}), false},
		{"element too wide", driver.ScalarTypeInt8, 2, driver.ValueSigneds([]int64{1, 300}), false},
		{"unsigned element too wide", driver.ScalarTypeUint32, 1, driver.ValueUnsigneds([]uint64{1 << 32}), false},
		{"text", driver.ScalarTypeText, 0, driver.ValueText("x"), true},
		{"bytes for text", driver.ScalarTypeText, 0, driver.ValueBytes([]byte("x")), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := mustNew(t, Definition{Scalar: tt.scalar, Count: tt.count}).Check(sample(tt.value))
			if (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrWrongType) {
				t.Errorf("got %v, want ok %v", err, tt.ok)
			}
		})
	}
	if err := mustNew(t, Definition{Scalar: driver.ScalarTypeInt8}).Check(driver.Sample{}); err != nil {
		t.Errorf("a sample without a value: %v", err)
	}
}

func TestConvert(t *testing.T) {
	later := start.Add(time.Minute)
	tests := []struct {
		name   string
		sample driver.Sample
		want   Reading
	}{
		{"now", sample(driver.ValueFloat64(1)),
			Reading{Name: "p", Value: Value{kind: kindFloat64, bits: math.Float64bits(1)}, Time: later}},
		{"non-finite", driver.Sample{Value: component.Some(driver.ValueFloat64(math.NaN())), Time: start.UnixNano()},
			Reading{Name: "p", Quality: driver.QualityBad, Code: CodeNonFinite, Time: start}},
		{"nothing", driver.Sample{}, Reading{Name: "p", Quality: driver.QualityBad, Code: CodeMissing, Time: later}},
		{"reason", driver.Sample{Quality: driver.QualityBad, Reason: component.Some("io.timeout")},
			Reading{Name: "p", Quality: driver.QualityBad, Code: "io.timeout", Time: later}},
		{"good needs no reason",
			driver.Sample{Value: component.Some(driver.ValueFloat64(1)), Reason: component.Some("x")},
			Reading{Name: "p", Value: Value{kind: kindFloat64, bits: math.Float64bits(1)}, Time: later}},
		{"uncertain keeps its value",
			driver.Sample{Value: component.Some(driver.ValueFloat64(1)), Quality: driver.QualityUncertain,
				Reason: component.Some("old")},
			Reading{Name: "p", Value: Value{kind: kindFloat64, bits: math.Float64bits(1)},
				Quality: driver.QualityUncertain, Code: "old", Time: later}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := mustNew(t, Definition{Scalar: driver.ScalarTypeFloat64}).Convert(tt.sample, later)
			if !got.Value.Equal(tt.want.Value) || got.Name != tt.want.Name || got.Quality != tt.want.Quality ||
				got.Code != tt.want.Code || !got.Time.Equal(tt.want.Time) {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// What the driver gave is its own memory, which the next call overwrites.
func TestConvertCopies(t *testing.T) {
	raw, list := []byte("abc"), []float64{1, 2}
	a := mustNew(t, Definition{Scalar: driver.ScalarTypeBytes}).Convert(sample(driver.ValueBytes(raw)), start)
	b := mustNew(t, Definition{Scalar: driver.ScalarTypeFloat64, Count: 2}).Convert(sample(driver.ValueFloats(list)), start)
	raw[0], list[0] = 'x', 9
	if got := string(a.Value.AppendJSON(nil)) + string(b.Value.AppendJSON(nil)); got != `"YWJj"[1,2]` {
		t.Errorf("got %s", got)
	}
}

func TestAppendJSON(t *testing.T) {
	tests := []struct {
		scalar driver.ScalarType
		count  uint32
		value  driver.Value
		want   string
	}{
		{driver.ScalarTypeBoolean, 0, driver.ValueBoolean(true), `true`},
		{driver.ScalarTypeInt64, 0, driver.ValueSigned(math.MinInt64), `-9223372036854775808`},
		{driver.ScalarTypeUint64, 0, driver.ValueUnsigned(math.MaxUint64), `18446744073709551615`},
		{driver.ScalarTypeFloat32, 0, driver.ValueFloat32(0.1), `0.1`},
		{driver.ScalarTypeFloat32, 0, driver.ValueFloat32(16777216), `16777216`},
		{driver.ScalarTypeFloat32, 0, driver.ValueFloat32(math.SmallestNonzeroFloat32), `1e-45`},
		{driver.ScalarTypeFloat64, 0, driver.ValueFloat64(float64(float32(0.1))), `0.10000000149011612`},
		{driver.ScalarTypeFloat64, 0, driver.ValueFloat64(1e21), `1e+21`},
		{driver.ScalarTypeFloat64, 0, driver.ValueFloat64(1e20), `100000000000000000000`},
		{driver.ScalarTypeFloat64, 0, driver.ValueFloat64(1.5e-7), `1.5e-7`},
		{driver.ScalarTypeFloat64, 0, driver.ValueFloat64(1e-123), `1e-123`},
		{driver.ScalarTypeText, 0, driver.ValueText("a\"\\\n\x01é\xff"), `"a\"\\\n\u0001é` + "\ufffd" + `"`},
		{driver.ScalarTypeBytes, 0, driver.ValueBytes([]byte{0xfb, 0xff}), `"+/8="`},
		{driver.ScalarTypeBoolean, 2, driver.ValueBooleans([]bool{true, false}), `[true,false]`},
		{driver.ScalarTypeInt8, 2, driver.ValueSigneds([]int64{-1, 2}), `[-1,2]`},
		{driver.ScalarTypeUint8, 1, driver.ValueUnsigneds([]uint64{255}), `[255]`},
		{driver.ScalarTypeFloat32, 2, driver.ValueFloats([]float64{float64(float32(0.1)), 2}), `[0.1,2]`},
	}
	for _, tt := range tests {
		r := mustNew(t, Definition{Scalar: tt.scalar, Count: tt.count}).Convert(sample(tt.value), start)
		if got := string(r.Value.AppendJSON(nil)); got != tt.want {
			t.Errorf("%v prints %s, want %s", tt.value, got, tt.want)
		}
	}
	if got := string(Value{}.AppendJSON(nil)); got != "null" {
		t.Errorf("no value prints %s", got)
	}
}

func TestSteadyStateAllocatesNothing(t *testing.T) {
	points := []struct {
		p *Point
		s driver.Sample
	}{
		{mustNew(t, Definition{Scalar: driver.ScalarTypeInt16, Scale: 0.1, Report: ReportChange}), sample(driver.ValueSigned(215))},
		{mustNew(t, Definition{Scalar: driver.ScalarTypeFloat32, Scale: 0.001, Offset: 3}), sample(driver.ValueFloat32(21.53))},
		{mustNew(t, Definition{Scalar: driver.ScalarTypeFloat64, Scale: 0.1}), sample(driver.ValueFloat64(math.Pi))},
		{mustNew(t, Definition{Scalar: driver.ScalarTypeUint64}), sample(driver.ValueUnsigned(1 << 60))},
		{mustNew(t, Definition{Scalar: driver.ScalarTypeBoolean}), sample(driver.ValueBoolean(true))},
	}
	buf := make([]byte, 0, 256)
	allocs := testing.AllocsPerRun(100, func() {
		for i := range points {
			if err := points[i].p.Check(points[i].s); err != nil {
				t.Error(err)
			}
			r := points[i].p.Convert(points[i].s, start)
			points[i].p.Accept(r, start)
			buf = r.Value.AppendJSON(buf[:0])
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// TestIntegerText: the declared type decides, not the value.
func TestIntegerText(t *testing.T) {
	tests := []struct {
		def   Definition
		value driver.Value
		want  string
	}{
		{Definition{Scalar: driver.ScalarTypeUint64}, driver.ValueUnsigned(math.MaxUint64), `"18446744073709551615"`},
		{Definition{Scalar: driver.ScalarTypeInt64}, driver.ValueSigned(-1), `"-1"`},
		{Definition{Scalar: driver.ScalarTypeInt64, Scale: 10, Offset: 1}, driver.ValueSigned(2), `"21"`},
		{Definition{Scalar: driver.ScalarTypeInt64, Scale: 10}, driver.ValueSigned(math.MaxInt64), `"92233720368547760000"`},
		{Definition{Scalar: driver.ScalarTypeInt64, Scale: 0.5}, driver.ValueSigned(3), `1.5`},
		{Definition{Scalar: driver.ScalarTypeInt64, Count: 2}, driver.ValueSigneds([]int64{1, 2}), `["1","2"]`},
		{Definition{Scalar: driver.ScalarTypeUint32}, driver.ValueUnsigned(7), `7`},
		{Definition{Scalar: driver.ScalarTypeFloat64}, driver.ValueFloat64(7), `7`},
		{Definition{Scalar: driver.ScalarTypeText}, driver.ValueText("7"), `"7"`},
	}
	for _, tt := range tests {
		tt.def.IntegerText = true
		p := mustNew(t, tt.def)
		r := p.Convert(sample(tt.value), start)
		if got := string(r.Value.AppendJSON(nil)); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.def.Scalar, got, tt.want)
		}
		if tt.def.Scale == 10 && tt.def.Offset == 0 {
			continue // beyond what can be written with a scale
		}
		if back, err := p.Parse([]byte(tt.want)); err != nil || string(p.Convert(sample(back), start).Value.AppendJSON(nil)) != tt.want {
			t.Errorf("%s is not taken back: %v", tt.want, err)
		}
	}
	p := mustNew(t, Definition{Scalar: driver.ScalarTypeInt64, IntegerText: true})
	for _, text := range []string{`""`, `"x"`, `"1/3"`, `"0x10"`, `" 1"`, `"1.5"`, `"true"`, `"9223372036854775808"`} {
		if v, err := p.Parse([]byte(text)); err == nil {
			t.Errorf("%s is taken as %v", text, v)
		}
	}
	if v, err := p.Parse([]byte(`12`)); err != nil || v.Signed() != 12 {
		t.Errorf("a number: %v, %v", v, err)
	}
}
