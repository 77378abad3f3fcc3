package codec

import (
	"bytes"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/sdk"
)

func TestEncodeKeepsWhatIsNotThePoints(t *testing.T) {
	tests := []struct {
		name, before, after string
		shape               Shape
		value               driver.Value
		partial             bool
	}{
		{"register", "FFFF", "1234", register(driver.ScalarTypeUint16, ABCD), sdk.Unsigned(0x1234), false},
		{"low byte", "ABCD", "AB85", register(driver.ScalarTypeInt8, ABCD), sdk.Signed(-123), true},
		{"high byte", "ABCD", "85CD", register(driver.ScalarTypeInt8, DCBA), sdk.Signed(-123), true},
		{"low bytes of a list", "ABCD ABCD", "AB01 AB02", list(register(driver.ScalarTypeUint8, ABCD), 2),
			sdk.Unsigneds([]uint64{1, 2}), true},
		{"bit", "8000", "8008", bit(3, ABCD), sdk.Boolean(true), true},
		{"bit off", "FFFF", "F7FF", bit(3, BADC), sdk.Boolean(false), true},
		{"bits over two registers", "FFFF 0000", "7FFF 0003", list(bit(15, ABCD), 3), sdk.Booleans([]bool{false, true, true}), true},
		{"float32 DCBA", "FFFF FFFF", "79E9 F642", register(driver.ScalarTypeFloat32, DCBA), sdk.Float32(123.456), false},
		{"text of odd length", "FFFF FFFF", "4100 00FF", length(register(driver.ScalarTypeText, ABCD), 3), sdk.Text("A"), true},
		{"text of odd length, swapped", "FFFF FFFF", "0041 FF00", length(register(driver.ScalarTypeText, BADC), 3), sdk.Text("A"), true},
		{"text that fills", "FFFF", "4142", length(register(driver.ScalarTypeText, ABCD), 2), sdk.Text("AB"), false},
		{"bytes", "FFFF", "0001", length(register(driver.ScalarTypeBytes, ABCD), 2), sdk.Bytes([]byte{0, 1}), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c, err := New(tt.shape)
			if err != nil {
				t.Fatal(err)
			}
			registers := unhex(t, tt.before)
			if err := c.Encode(registers, tt.value); err != nil {
				t.Fatal(err)
			}
			if want := unhex(t, tt.after); !bytes.Equal(registers, want) || c.Partial() != tt.partial {
				t.Errorf("% X, want % X; partial %v", registers, want, c.Partial())
			}
		})
	}
}

func TestEncodeRefuses(t *testing.T) {
	tests := []struct {
		shape Shape
		value driver.Value
		want  string
	}{
		{length(register(driver.ScalarTypeText, ABCD), 2), sdk.Text("ABC"), "a text of 3 bytes, expected at most 2"},
		{length(register(driver.ScalarTypeText, ABCD), 4), sdk.Text("A\x00B"), "zero byte"},
		{length(register(driver.ScalarTypeBytes, ABCD), 4), sdk.Bytes([]byte{1}), "1 bytes, expected 4"},
		{list(register(driver.ScalarTypeFloat32, ABCD), 1), sdk.Floats([]float64{1e39}), "beyond a float32"},
	}
	for _, tt := range tests {
		c, err := New(tt.shape)
		if err != nil {
			t.Fatal(err)
		}
		err = c.Encode(make([]byte, 2*c.Size()), tt.value)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("got %v, want %q", err, tt.want)
		}
		if c.Encode(nil, tt.value) == nil {
			t.Error("encoded into nothing")
		}
	}
}

// valueFrom makes a value that the shape's point may hold out of any bytes, as sdk.Point.Fits has it.
func valueFrom(s Shape, seed []byte) driver.Value {
	n := s.elements()
	word := func(i int) uint64 {
		var b [8]byte
		copy(b[:], seed[min(8*i, len(seed)):])
		return binary.LittleEndian.Uint64(b[:]) >> (64 - max(width(s.Scalar), 1))
	}
	one := s.Count == 0
	switch {
	case s.Scalar == driver.ScalarTypeText:
		return sdk.Text(string(seed[:min(len(seed), s.Length)]))
	case s.Scalar == driver.ScalarTypeBytes:
		return sdk.Bytes(append(seed, make([]byte, s.Length)...)[:s.Length])
	case s.Scalar == driver.ScalarTypeBoolean && one:
		return sdk.Boolean(word(0) != 0)
	case s.Scalar == driver.ScalarTypeBoolean:
		return sdk.Booleans(many(n, func(i int) bool { return word(i) != 0 }))
	case s.Scalar == driver.ScalarTypeFloat32 && one:
		return sdk.Float32(math.Float32frombits(uint32(word(0))))
	case s.Scalar == driver.ScalarTypeFloat32:
		return sdk.Floats(many(n, func(i int) float64 { return float64(math.Float32frombits(uint32(word(i)))) }))
	case s.Scalar == driver.ScalarTypeFloat64 && one:
		return sdk.Float64(math.Float64frombits(word(0)))
	case s.Scalar == driver.ScalarTypeFloat64:
		return sdk.Floats(many(n, func(i int) float64 { return math.Float64frombits(word(i)) }))
	case signed(s.Scalar):
		shift := 64 - width(s.Scalar)
		extend := func(i int) int64 { return int64(word(i)<<shift) >> shift }
		if one {
			return sdk.Signed(extend(0))
		}
		return sdk.Signeds(many(n, extend))
	case one:
		return sdk.Unsigned(word(0))
	}
	return sdk.Unsigneds(many(n, word))
}

func many[T any](n int, element func(int) T) []T {
	out := make([]T, n)
	for i := range out {
		out[i] = element(i)
	}
	return out
}

// FuzzEncode holds that what was encoded is decoded as what it was, and that what is not the point's is kept.
func FuzzEncode(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4}, uint8(4), uint32(0), uint8(3), -1, 0, uint8(2), uint8(0xFF))
	f.Add([]byte("text"), uint8(11), uint32(0), uint8(3), -1, 3, uint8(3), uint8(0))
	f.Add([]byte("bytes"), uint8(12), uint32(0), uint8(3), -1, 5, uint8(4), uint8(0xAA))
	f.Add([]byte{0xFF, 0xFF, 0xFF}, uint8(0), uint32(17), uint8(1), -1, 0, uint8(0), uint8(0))
	f.Add([]byte{0xFF, 0xFF, 0xFF}, uint8(0), uint32(17), uint8(3), 9, 0, uint8(3), uint8(0x55))
	f.Add([]byte{0xFF, 0, 0xFF, 1}, uint8(10), uint32(3), uint8(3), -1, 0, uint8(1), uint8(0x55))
	f.Fuzz(func(t *testing.T, seed []byte, scalar uint8, count uint32, area uint8, bit, size int, order, fill uint8) {
		shape := Shape{
			Scalar: driver.ScalarType(scalar % 13), Count: count, Area: pdu.Area(area), Bit: bit, Length: size,
			Order: Order(order % 5),
		}
		c, err := New(shape)
		if err != nil {
			return
		}
		v := valueFrom(shape, seed)
		if err := (&sdk.Point{Scalar: shape.Scalar, Count: shape.Count}).Fits(v); err != nil {
			t.Fatalf("the test's own value: %v", err)
		}
		want := plain(v)
		if shape.Area.Bits() {
			got, ok := c.Decode(c.Coils(v), 0)
			if diff := cmp.Diff(want, plain(got)); !ok || diff != "" {
				t.Fatal(diff)
			}
			return
		}
		registers := bytes.Repeat([]byte{fill}, 2*c.Size())
		if err := c.Encode(registers, v); err != nil {
			return
		}
		got, ok := c.DecodeApart(registers, 0)
		if text, is := want.(string); is {
			want = Text([]byte(text))
		}
		if diff := cmp.Diff(bitsIn(want), bitsIn(plain(got))); !ok || diff != "" {
			t.Fatal(diff)
		}
		if !c.Partial() {
			return
		}
		other := bytes.Repeat([]byte{^fill}, 2*c.Size())
		if err := c.Encode(other, v); err != nil || bytes.Equal(other, registers) {
			t.Fatalf("partial, and what was there before makes no difference: %v", err)
		}
	})
}

// bitsIn makes floats comparable: NaN is as equal to itself as any other. A float32 may lose a NaN's signalling bit.
func bitsIn(v any) any {
	switch v := v.(type) {
	case float32:
		return quiet(float64(v))
	case float64:
		return quiet(v)
	case []float64:
		return many(len(v), func(i int) uint64 { return quiet(v[i]) })
	}
	return v
}

func quiet(f float64) uint64 {
	if math.IsNaN(f) {
		return 0
	}
	return math.Float64bits(f)
}
