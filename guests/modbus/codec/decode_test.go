package codec

import (
	"encoding/hex"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/modbus/pdu"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// plain returns a value as a Go value, to compare and print.
func plain(v driver.Value) any {
	switch v.Tag() {
	case driver.ValueTagBoolean:
		return v.Boolean()
	case driver.ValueTagSigned:
		return v.Signed()
	case driver.ValueTagUnsigned:
		return v.Unsigned()
	case driver.ValueTagFloat32:
		return v.Float32()
	case driver.ValueTagFloat64:
		return v.Float64()
	case driver.ValueTagText:
		return v.Text()
	case driver.ValueTagBytes:
		return v.Bytes()
	case driver.ValueTagBooleans:
		return v.Booleans()
	case driver.ValueTagSigneds:
		return v.Signeds()
	case driver.ValueTagUnsigneds:
		return v.Unsigneds()
	}
	return v.Floats()
}

func register(scalar driver.ScalarType, order Order) Shape {
	return Shape{Scalar: scalar, Area: pdu.Holding, Bit: NoBit, Order: order}
}

func list(s Shape, count uint32) Shape { s.Count = count; return s }

func length(s Shape, n int) Shape { s.Length = n; return s }

func bit(n int, order Order) Shape {
	return Shape{Scalar: driver.ScalarTypeBoolean, Area: pdu.Input, Bit: n, Order: order}
}

var coil = Shape{Scalar: driver.ScalarTypeBoolean, Area: pdu.Coil, Bit: NoBit}

func TestDecode(t *testing.T) {
	const (
		i8, i16, i32, i64 = driver.ScalarTypeInt8, driver.ScalarTypeInt16, driver.ScalarTypeInt32, driver.ScalarTypeInt64
		u8, u16, u32, u64 = driver.ScalarTypeUint8, driver.ScalarTypeUint16, driver.ScalarTypeUint32,
			driver.ScalarTypeUint64
		f32, f64  = driver.ScalarTypeFloat32, driver.ScalarTypeFloat64
		text, raw = driver.ScalarTypeText, driver.ScalarTypeBytes
	)
	tests := []struct {
		name  string
		shape Shape
		data  string
		at    int
		want  any
	}{
		{"uint16", register(u16, ABCD), "022B", 0, uint64(0x22B)},
		{"uint16 CDAB", register(u16, CDAB), "022B", 0, uint64(0x22B)},
		{"uint16 BADC", register(u16, BADC), "2B02", 0, uint64(0x22B)},
		{"uint16 DCBA", register(u16, DCBA), "2B02", 0, uint64(0x22B)},
		{"uint16 without an order", register(u16, 0), "022B", 0, uint64(0x22B)},
		{"uint16 further on", register(u16, ABCD), "0000 0000 0064", 2, uint64(100)},
		{"int16", register(i16, ABCD), "FF85", 0, int64(-123)},
		{"int8", register(i8, ABCD), "7F85", 0, int64(-123)},
		{"int8 in the high byte", register(i8, BADC), "857F", 0, int64(-123)},
		{"uint8", register(u8, ABCD), "FF85", 0, uint64(133)},
		{"uint32 ABCD", register(u32, ABCD), "0102 0304", 0, uint64(0x01020304)},
		{"uint32 CDAB", register(u32, CDAB), "0304 0102", 0, uint64(0x01020304)},
		{"uint32 BADC", register(u32, BADC), "0201 0403", 0, uint64(0x01020304)},
		{"uint32 DCBA", register(u32, DCBA), "0403 0201", 0, uint64(0x01020304)},
		{"int32", register(i32, CDAB), "FFFE FFFF", 0, int64(-2)},
		{"uint64 ABCD", register(u64, ABCD), "0102 0304 0506 0708", 0, uint64(0x0102030405060708)},
		{"uint64 CDAB", register(u64, CDAB), "0708 0506 0304 0102", 0, uint64(0x0102030405060708)},
		{"uint64 BADC", register(u64, BADC), "0201 0403 0605 0807", 0, uint64(0x0102030405060708)},
		{"uint64 DCBA", register(u64, DCBA), "0807 0605 0403 0201", 0, uint64(0x0102030405060708)},
		{"int64", register(i64, ABCD), "8000 0000 0000 0000", 0, int64(math.MinInt64)},
		{"float32 ABCD", register(f32, ABCD), "42F6 E979", 0, float32(123.456)},
		{"float32 CDAB", register(f32, CDAB), "E979 42F6", 0, float32(123.456)},
		{"float32 BADC", register(f32, BADC), "F642 79E9", 0, float32(123.456)},
		{"float32 DCBA", register(f32, DCBA), "79E9 F642", 0, float32(123.456)},
		{"float64", register(f64, ABCD), "405E DD2F 1A9F BE77", 0, 123.456},
		{"float64 DCBA", register(f64, DCBA), "77BE 9F1A 2FDD 5E40", 0, 123.456},
		{"list of int16", list(register(i16, ABCD), 3), "0001 FFFF 8000", 0, []int64{1, -1, -32768}},
		{"list of one", list(register(u16, ABCD), 1), "0001", 0, []uint64{1}},
		{"list of uint32 CDAB", list(register(u32, CDAB), 2), "0001 0000 0000 0001", 0, []uint64{1, 65536}},
		{"list of float32", list(register(f32, ABCD), 2), "3F80 0000 C000 0000", 0, []float64{1, -2}},
		{"list of float64", list(register(f64, ABCD), 1), "3FF0 0000 0000 0000", 0, []float64{1}},
		{"bit 0", bit(0, ABCD), "0001", 0, true},
		{"bit 15", bit(15, ABCD), "8000", 0, true},
		{"bit 3 clear", bit(3, ABCD), "FFF7", 0, false},
		{"bit 8 with bytes swapped", bit(8, BADC), "0001", 0, true},
		{"list of bits over two registers", list(bit(14, ABCD), 4), "4000 0002", 0, []bool{true, false, false, true}},
		{"coil", coil, "CD6B05", 3, true},
		{"coil clear", coil, "CD6B05", 4, false},
		{"last coil", coil, "CD6B05", 18, true},
		{"list of coils", list(coil, 5), "CD6B05", 6, []bool{true, true, true, true, false}},
		{"text", length(register(text, ABCD), 6), "4142 4344 4546", 0, "ABCDEF"},
		{"text with bytes swapped", length(register(text, BADC), 6), "4241 4443 4645", 0, "ABCDEF"},
		{"text of odd length", length(register(text, ABCD), 3), "4142 4344", 0, "ABC"},
		{"text of odd length, swapped", length(register(text, DCBA), 3), "4241 4443", 0, "ABC"},
		{"text that ends at zero", length(register(text, ABCD), 6), "4142 0043 4445", 0, "AB"},
		{"text with filling", length(register(text, ABCD), 6), "2041 4220 2020", 0, " AB"},
		{"text in UTF-8", length(register(text, ABCD), 4), "C2B0 4300", 0, "°C"},
		{"text in ISO 8859-1", length(register(text, ABCD), 2), "B043", 0, "°C"},
		{"bytes", length(register(raw, ABCD), 3), "0001 02FF", 0, []byte{0, 1, 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d, err := New(tt.shape)
			if err != nil {
				t.Fatal(err)
			}
			data := unhex(t, tt.data)
			for range 2 {
				got, ok := d.Decode(data, tt.at)
				if diff := cmp.Diff(tt.want, plain(got)); !ok || diff != "" {
					t.Errorf("%v (-want +got):\n%s", ok, diff)
				}
			}
			if _, ok := d.Decode(data[:len(data)-1], tt.at); ok && tt.shape.Area != pdu.Coil {
				t.Error("decoded from too few bytes")
			}
			if _, ok := d.Decode(data, tt.at+8*len(data)); ok {
				t.Error("decoded from behind the end")
			}
		})
	}
}

func TestTextChanges(t *testing.T) {
	d, err := New(length(register(driver.ScalarTypeText, ABCD), 2))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"AB", "AB", "CD", "AB", ""} {
		data := []byte{0, 0}
		copy(data, want)
		if got, ok := d.Decode(data, 0); !ok || got.Text() != want {
			t.Errorf("got %q, %v, want %q", got.Text(), ok, want)
		}
	}
}

func TestShapeRefuses(t *testing.T) {
	tests := []struct {
		name  string
		shape Shape
		want  string
	}{
		{"no area", Shape{Bit: NoBit}, "no area"},
		{"number in coils", Shape{Scalar: driver.ScalarTypeInt16, Area: pdu.Coil, Bit: NoBit}, "must be bool"},
		{"bit of a coil", Shape{Area: pdu.Discrete, Bit: 1}, "no bit of a register"},
		{"bit 16", bit(16, ABCD), "expected 0 to 15"},
		{"number of a bit", Shape{Scalar: driver.ScalarTypeInt16, Area: pdu.Holding, Bit: 1}, "has type bool"},
		{"bool of a register", register(driver.ScalarTypeBoolean, ABCD), `"holding:100.3"`},
		{"number with a length", length(register(driver.ScalarTypeInt16, ABCD), 2), "has no length"},
		{"text without a length", register(driver.ScalarTypeText, ABCD), `"holding:100/16"`},
		{"list of texts", list(length(register(driver.ScalarTypeText, ABCD), 2), 2), "no lists of string"},
		{"too many registers", list(register(driver.ScalarTypeInt32, ABCD), 63), "larger than one request"},
		{"too many bits", list(coil, 2001), "larger than one request"},
		{"count that overflows", list(register(driver.ScalarTypeInt64, ABCD), math.MaxUint32), "larger than one"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.shape)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

func TestOrderNames(t *testing.T) {
	for o := ABCD; o <= DCBA; o++ {
		if got, ok := ParseOrder(o.String()); !ok || got != o {
			t.Errorf("ParseOrder(%q) = %v, %v", o.String(), got, ok)
		}
	}
	for _, name := range []string{"", "abcd", "ABDC"} {
		if _, ok := ParseOrder(name); ok {
			t.Errorf("ParseOrder(%q) took it", name)
		}
	}
}

func TestDecodeAllocatesNothing(t *testing.T) {
	shapes := map[string]Shape{
		"float32": register(driver.ScalarTypeFloat32, CDAB),
		"list":    list(register(driver.ScalarTypeInt32, ABCD), 4),
		"coils":   list(coil, 9),
		"bits":    list(bit(3, ABCD), 20),
		"text":    length(register(driver.ScalarTypeText, BADC), 9),
	}
	data := make([]byte, 20)
	for name, shape := range shapes {
		d, err := New(shape)
		if err != nil {
			t.Fatal(err)
		}
		d.Decode(data, 0)
		if n := testing.AllocsPerRun(100, func() { d.Decode(data, 1) }); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

// FuzzDecode holds that no shape that New takes, with no data, breaks out of the data.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4}, uint8(4), uint32(0), uint8(3), -1, 0, uint8(2), 0)
	f.Add([]byte("text"), uint8(11), uint32(0), uint8(3), -1, 3, uint8(3), 0)
	f.Add([]byte{0xFF, 0xFF, 0xFF}, uint8(0), uint32(17), uint8(1), -1, 0, uint8(0), 5)
	f.Fuzz(func(t *testing.T, data []byte, scalar uint8, count uint32, area uint8, bit, length int, order uint8, at int) {
		d, err := New(Shape{
			Scalar: driver.ScalarType(scalar % 13), Count: count, Area: pdu.Area(area), Bit: bit, Length: length,
			Order: Order(order % 5),
		})
		if err != nil {
			return
		}
		if at > 1<<20 {
			return
		}
		v, ok := d.Decode(data, at)
		if !ok {
			return
		}
		bits := 8 * len(data)
		if unit := map[bool]int{true: 1, false: 16}[d.shape.Area.Bits()]; (at+d.Size())*unit > bits {
			t.Fatalf("place %d of size %d decoded from %d bytes", at, d.Size(), len(data))
		}
		if v.Tag() == driver.ValueTagText && strings.ToValidUTF8(v.Text(), "") != v.Text() {
			t.Fatalf("text %q is not UTF-8", v.Text())
		}
	})
}
