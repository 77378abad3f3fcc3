package modbus

import (
	"encoding/hex"
	"strings"
	"testing"
)

func bytesOf(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sample is the device of the examples in Application Protocol 6.
func sample() *Device {
	d := NewDevice(nil)
	d.Update(func(m *Memory) {
		for i, b := range []byte{0xcd, 0x6b, 0x05} {
			for bit := range uint16(8) {
				m.SetCoils(0x13+uint16(i)*8+bit, b&(1<<bit) != 0)
			}
		}
		for i, b := range []byte{0xac, 0xdb, 0x35} {
			for bit := range uint16(8) {
				m.SetDiscretes(0xc4+uint16(i)*8+bit, b&(1<<bit) != 0)
			}
		}
		m.SetCoils(0xac, false)
		m.SetHolding(0x6b, 0x022b, 0, 0x64)
		m.SetHolding(1, 0, 0)
		m.SetInput(8, 10)
		for i := range uint16(126) {
			m.SetHolding(0x1000+i, i)
		}
		m.SetInput(0xffff, 7)
	})
	return d
}

func TestServe(t *testing.T) {
	tests := []struct{ name, request, response string }{
		{"FC 1", "01 0013 0013", "01 03 CD6B05"},
		{"FC 2", "02 00C4 0016", "02 03 ACDB35"},
		{"FC 3", "03 006B 0003", "03 06 022B 0000 0064"},
		{"FC 4", "04 0008 0001", "04 02 000A"},
		{"FC 4 at the last address", "04 FFFF 0001", "04 02 0007"},
		{"FC 5", "05 00AC FF00", "05 00AC FF00"},
		{"FC 6", "06 0001 0003", "06 0001 0003"},
		{"FC 15", "0F 0013 000A 02 CD01", "0F 0013 000A"},
		{"FC 16", "10 0001 0002 04 000A 0102", "10 0001 0002"},
		{"FC 22", "16 006B 00F2 0025", "16 006B 00F2 0025"},
		{"FC 22, too short", "16 006B 00F2", "96 03"},
		{"FC 22, no register", "16 0100 00F2 0025", "96 02"},
		{"unknown function", "2B 0E0100", "AB 01"},
		{"function without data", "03", "83 03"},
		{"address that does not exist", "03 006B 0004", "83 02"},
		{"address that wraps", "04 FFFF 0002", "84 02"},
		{"no register", "03 006B 0000", "83 03"},
		{"a register too many", "03 1000 007E", "83 03"},
		{"a bit too many", "01 0013 07D1", "81 03"},
		{"coil value", "05 00AC FF01", "85 03"},
		{"coil that does not exist", "05 00AD FF00", "85 02"},
		{"write of a register that does not exist", "06 0003 0001", "86 02"},
		{"byte count too small", "10 0001 0002 02 000A 0102", "90 03"},
		{"bytes missing", "10 0001 0002 04 000A 01", "90 03"},
		{"coils that do not exist", "0F 0001 0002 01 03", "8F 02"},
		{"registers that do not exist", "10 0002 0002 04 0001 0002", "90 02"},
		{"bytes too many", "03 006B 0003 00", "83 03"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			request := bytesOf(t, test.request)
			got := sample().serve(request[0], request[1:])
			if want := bytesOf(t, test.response); string(got) != string(want) {
				t.Errorf("response % x, want % x", got, want)
			}
		})
	}
}

func TestWritesArrive(t *testing.T) {
	d := sample()
	for _, request := range []string{"05 00AC FF00", "06 006C 1234", "0F 0013 000A 02 3202", "10 0001 0002 04 000A 0102"} {
		b := bytesOf(t, request)
		if got := d.serve(b[0], b[1:]); got[0]&0x80 != 0 {
			t.Fatalf("%s: exception % x", request, got)
		}
	}
	d.Update(func(m *Memory) {
		if !m.Coil(0xac) || m.Coil(0x13) || !m.Coil(0x14) || !m.Coil(0x1c) {
			t.Error("coils do not hold what was written")
		}
		if m.Holding(0x6c) != 0x1234 || m.Holding(1) != 10 || m.Holding(2) != 0x102 {
			t.Error("registers do not hold what was written")
		}
	})
}

// A write that fails changes nothing, also not where it could have.
func TestFailedWriteChangesNothing(t *testing.T) {
	d := sample()
	b := bytesOf(t, "10 006C 0003 06 0001 0002 0003")
	if got := d.serve(b[0], b[1:]); string(got) != "\x90\x02" {
		t.Fatalf("response % x", got)
	}
	d.Update(func(m *Memory) {
		if m.Holding(0x6c) != 0 || m.Holding(0x6d) != 0x64 {
			t.Error("a refused write changed registers")
		}
	})
}
