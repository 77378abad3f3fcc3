package pdu

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func bytesOf(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// The vectors are those of the specification, sections 6.5, 6.6, 6.11, 6.12, 6.16 and 6.21.
func TestWriteVectors(t *testing.T) {
	basic := Identify{Category: Basic}
	tests := []struct {
		name              string
		request           Request
		sent, response    string
		text              string
		mirrored          bool
		otherwise, broken string
	}{
		{"coil", WriteCoil(0xAC, true), "05 00AC FF00", "05 00AC FF00", "write coil 172..172", true, "05 00AD FF00", "05 00AC 0000"},
		{"register", WriteRegister(1, 3), "06 0001 0003", "06 0001 0003", "write holding 1..1", true, "06 0002 0003", "06 0001 0004"},
		{"coils", WriteCoils(0x13, 10, []byte{0xCD, 1}), "0F 0013 000A 02 CD01", "0F 0013 000A", "write coil 19..28", false,
			"0F 0014 000A", "0F 0013 000B"},
		{"registers", WriteRegisters(1, []byte{0, 10, 1, 2}), "10 0001 0002 04 000A 0102", "10 0001 0002",
			"write holding 1..2", false, "10 0002 0002", "10 0001 0002 04"},
		{"mask", MaskWrite(4, 0xF2, 0x25), "16 0004 00F2 0025", "16 0004 00F2 0025", "write holding 4..4", true,
			"16 0005 00F2 0025", "16 0004 00F2 0026"},
		{"identification", basic, "2B 0E 01 00", "2B 0E 01 01 00 00 03 00 03 414243 01 01 44 02 00",
			"identification from object 0", false, "2B 0D 01", "2B 0E 01 01 00 00 01 00 03 4142"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			sent, response := bytesOf(t, tt.sent), bytesOf(t, tt.response)
			if got := tt.request.Append([]byte{1}); !bytes.Equal(got[1:], sent) || got[0] != 1 {
				t.Errorf("sent % X, want % X", got, sent)
			}
			if err := tt.request.Check(response); err != nil {
				t.Error(err)
			}
			for n := 1; n <= len(response); n++ {
				size := tt.request.ResponseSize(response[:n])
				if size < n || size > len(response) || n == len(response) && size != n {
					t.Errorf("size %d after %d bytes of %d", size, n, len(response))
				}
			}
			if tt.request.ResponseSize(bytesOf(t, tt.otherwise)) != 0 {
				t.Error("another answer begins one")
			}
			for _, text := range []string{tt.broken, tt.otherwise, "", "03 02 0001"} {
				_, is := errors.AsType[*FormatError](tt.request.Check(bytesOf(t, text)))
				if !is {
					t.Errorf("%q: %v", text, tt.request.Check(bytesOf(t, text)))
				}
			}
			if err := tt.request.Check([]byte{sent[0] | 0x80, 4}); !errors.Is(err, DeviceFailure) {
				t.Error(err)
			}
			probe, mirrored := tt.request.Mirrored()
			if mirrored != tt.mirrored || mirrored && (probe.Count != 1 || !strings.Contains(tt.text, probe.String())) {
				t.Errorf("mirrored %v, probe %v", mirrored, probe)
			}
			if tt.request.String() != tt.text || tt.request.MaxResponse() < len(response) {
				t.Errorf("%v, at most %d", tt.request, tt.request.MaxResponse())
			}
		})
	}
}

func TestIdentification(t *testing.T) {
	got, err := Identify{Category: Extended, Object: 2}.Parse(bytesOf(t, "2B 0E 03 83 FF 80 02 02 01 41 7F 00"))
	want := Identification{Conformity: 0x83, More: true, Next: 0x80, Objects: []Object{{2, []byte("A")}, {0x7F, []byte{}}}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Error(err, diff)
	}
}

// TestRawSizes gives the responses of all functions of the specification a byte at a time.
func TestRawSizes(t *testing.T) {
	for request, response := range map[string]string{
		"01 0013 0013": "01 03 CD6B05", "03 006B 0003": "03 06 022B 0000 0064", "05 00AC FF00": "05 00AC FF00",
		"06 0001 0003": "06 0001 0003", "07": "07 6D", "08 0000 A537": "08 0000 A537", "0B": "0B FFFF 0108",
		"0C": "0C 08 0000 0108 0121 2000", "0F 0013 000A 02 CD01": "0F 0013 000A", "10 0001 0001 02 000A": "10 0001 0001",
		"11": "11 02 01FF", "14 07 06 0004 0001 0002": "14 06 05 06 0DFE 0020", "15 09 06 0004 0007 0001 06AF": "15 09 06 0004 0007 0001 06AF",
		"16 0004 00F2 0025": "16 0004 00F2 0025", "17 0003 0001 000E 0001 02 00FF": "17 02 00FE", "18 04DE": "18 0006 0002 01B8 1284",
		"2B 0E 01 00": "2B 0E 01 01 00 00 01 00 01 41", "2B 0D 00": "", "41 00": "",
	} {
		r, err := NewRaw(bytesOf(t, request))
		if err != nil {
			t.Fatal(err)
		}
		full := bytesOf(t, response)
		for n := 1; n <= len(full); n++ {
			if size := r.ResponseSize(full[:n]); size < n || size > len(full) {
				t.Errorf("%s: size %d after %d bytes of %d", request, size, n, len(full))
			}
		}
		if response == "" && r.ResponseSize(bytesOf(t, request)) != AnySize {
			t.Errorf("%s: the size of its response is not known", request)
		}
	}
	for _, text := range []string{"", "00", "80", "FF 01", strings.Repeat("41", MaxSize+1)} {
		if _, err := NewRaw(bytesOf(t, text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

// FuzzResponse holds that no response breaks a request, that a size never shrinks below what is there, and that what
// Check takes has the size that was told.
func FuzzResponse(f *testing.F) {
	for _, s := range []string{"03 02 0001", "06 0001 0003", "2B 0E 01 01 00 00 01 00 01 41", "18 FFFF", "83 02", "14 FF"} {
		f.Add(bytesOf(f, s), bytesOf(f, "03 0001 0001"))
	}
	f.Fuzz(func(t *testing.T, response, request []byte) {
		requests := []Request{
			Read{Holding, 1, 1}, WriteRegister(1, 3), WriteCoils(1, 3, []byte{5}), MaskWrite(1, 2, 3), Identify{Category: Basic},
		}
		if raw, err := NewRaw(request); err == nil {
			requests = append(requests, raw)
		}
		for _, r := range requests {
			if len(response) > 0 {
				if size := r.ResponseSize(response); size < AnySize || size > MaxSize {
					t.Fatalf("%v: size %d", r, size)
				}
			}
			if _, raw := r.(Raw); r.Check(response) == nil && !raw && r.ResponseSize(response) != len(response) {
				t.Fatalf("%v: %X is taken, its size is %d", r, response, r.ResponseSize(response))
			}
		}
	})
}
