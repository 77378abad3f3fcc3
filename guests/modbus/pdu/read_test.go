package pdu

import (
	"bytes"
	"encoding/hex"
	"errors"
	"testing"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadVectors(t *testing.T) {
	tests := []struct {
		name              string
		read              Read
		request, response string
		data              string
	}{
		{"coils", Read{Coil, 0x13, 0x13}, "0100130013", "0103CD6B05", "CD6B05"},
		{"discrete inputs", Read{Discrete, 0xC4, 0x16}, "0200C40016", "0203ACDB35", "ACDB35"},
		{"holding registers", Read{Holding, 0x6B, 3}, "03006B0003", "0306022B00000064", "022B00000064"},
		{"input registers", Read{Input, 8, 1}, "0400080001", "0402000A", "000A"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got, want := tt.read.Append(nil), unhex(t, tt.request); !bytes.Equal(got, want) {
				t.Errorf("request %X, want %X", got, want)
			}
			got, err := tt.read.Data(unhex(t, tt.response))
			if want := unhex(t, tt.data); err != nil || !bytes.Equal(got, want) {
				t.Errorf("data %X, %v, want %X", got, err, want)
			}
		})
	}
}

func TestReadRefusesWhatDoesNotAnswer(t *testing.T) {
	read := Read{Holding, 0x6B, 3}
	tests := []struct{ name, response string }{
		{"nothing", ""},
		{"function alone", "03"},
		{"another function", "0406022B00000064"},
		{"another byte count", "0304022B0000"},
		{"byte count of more than there is", "0306022B0000"},
		{"bytes behind", "0306022B0000006400"},
		{"exception without code", "83"},
		{"exception code 0", "8300"},
		{"exception with more", "830200"},
		{"exception of another function", "8402"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := read.Data(unhex(t, tt.response))
			if _, ok := errors.AsType[*FormatError](err); !ok {
				t.Errorf("got %v, want a format error", err)
			}
		})
	}
}

func TestException(t *testing.T) {
	_, err := Read{Coil, 0, 1}.Data([]byte{0x81, 2})
	if e, ok := errors.AsType[Exception](err); !ok || e != IllegalAddress {
		t.Fatalf("got %v, want exception 2", err)
	}
	if got, want := err.Error(), "exception 2 (illegal data address)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := Exception(77).Error(), "exception 77 (not in the specification)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for e := range Exception(20) {
		if got, want := e.Unreachable(), e == 10 || e == 11; got != want {
			t.Errorf("exception %d unreachable: %v, want %v", e, got, want)
		}
	}
}

func TestAreaNames(t *testing.T) {
	for a := Coil; a <= Input; a++ {
		if got, ok := ParseArea(a.String()); !ok || got != a {
			t.Errorf("ParseArea(%q) = %v, %v", a.String(), got, ok)
		}
	}
	for _, name := range []string{"", "Holding", "area 0"} {
		if got, ok := ParseArea(name); ok {
			t.Errorf("ParseArea(%q) = %v, want none", name, got)
		}
	}
}

// FuzzData holds that what is accepted is exactly an answer to the request.
func FuzzData(f *testing.F) {
	f.Add([]byte{3, 6, 2, 0x2B, 0, 0, 0, 0x64}, uint8(3), uint16(3))
	f.Add([]byte{1, 3, 0xCD, 0x6B, 5}, uint8(1), uint16(19))
	f.Add([]byte{0x81, 2}, uint8(1), uint16(19))
	f.Fuzz(func(t *testing.T, response []byte, area uint8, count uint16) {
		read := Read{Area: Area(area%4 + 1), Count: count%125 + 1}
		data, err := read.Data(response)
		if err != nil {
			if e, ok := errors.AsType[Exception](err); ok && (response[0] != read.Function()|0x80 || e == 0) {
				t.Errorf("%X taken for exception %d of function %d", response, e, read.Function())
			}
			return
		}
		if response[0] != read.Function() || len(data) != read.DataSize() || !bytes.Equal(response[2:], data) {
			t.Errorf("%X accepted as answer to %v", response, read)
		}
	})
}
