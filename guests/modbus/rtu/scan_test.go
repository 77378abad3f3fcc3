package rtu

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/droverhq/drover/guests/modbus/pdu"
)

var (
	holding3 = pdu.Read{Area: pdu.Holding, Start: 0x6B, Count: 3}
	// lookalike is a request whose echo begins as its reply does: the high byte of its start is the reply's byte count.
	lookalike = pdu.Read{Area: pdu.Holding, Start: 0x0205, Count: 1}
)

const (
	echo      = "1103006B00037687"
	reply     = "110306022B00000064C8BA"
	foreign   = "2203060001000200037045"
	exception = "118302C134"
)

func TestFind(t *testing.T) {
	tests := []struct {
		name     string
		received string
		request  pdu.Read
		want     Scan
		response string
	}{
		{name: "nothing", want: Scan{Need: 5}},
		{name: "unit", received: "11", want: Scan{Need: 4, Partial: true}},
		{name: "unit and function", received: "1103", want: Scan{Need: 6, Partial: true}},
		{name: "head of reply", received: "110306022B", want: Scan{Need: 6, Partial: true}},
		{name: "all but one byte", received: reply[:20], want: Scan{Need: 1, Partial: true}},
		{name: "reply", received: reply, response: "0306022B00000064"},
		{name: "exception", received: exception, response: "8302"},
		{name: "head of exception", received: "1183", want: Scan{Need: 3, Partial: true}},
		{name: "reply with bytes behind", received: reply + "00FF", response: "0306022B00000064"},
		{name: "noise, then reply", received: "00FF1103" + reply, response: "0306022B00000064"},
		{name: "echo, then reply", received: echo + reply, response: "0306022B00000064"},
		{name: "echo alone", received: echo, want: Scan{Need: 5}},
		{name: "part of echo", received: echo[:10], want: Scan{Need: 3, Partial: true}},
		{name: "echo, then part of reply", received: echo + "110306", want: Scan{Need: 8, Partial: true}},
		{name: "foreign unit, then reply", received: foreign + reply, response: "0306022B00000064"},
		{name: "foreign unit", received: foreign, want: Scan{Need: 5}},
		{name: "wrong check", received: reply[:20] + "BB", want: Scan{Need: 5, Corrupt: true}},
		{name: "wrong check, then reply", received: reply[:20] + "BB" + reply, response: "0306022B00000064"},
		{name: "another byte count", received: "110304022B0000", want: Scan{Need: 5}},
		{name: "another function", received: "110402000AF8F4", want: Scan{Need: 5}},
		{name: "echo that looks like a reply", request: lookalike, received: "1103020500019723",
			want: Scan{Need: 5}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			request := tt.request
			if request == (pdu.Read{}) {
				request = holding3
			}
			sent := AppendRequest(nil, 0x11, request)
			received := unhex(t, tt.received)
			if tt.request == lookalike {
				received = sent
			}
			got := Find(received, 0x11, request, sent, false)
			if want := unhex(t, tt.response); !bytes.Equal(got.Response, want) {
				t.Fatalf("response %X, want %X", got.Response, want)
			}
			if got.Response != nil {
				return
			}
			if got.Need != tt.want.Need || got.Corrupt != tt.want.Corrupt || got.Partial != tt.want.Partial {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestFindAmongEchoes searches for replies that are the same as their requests.
func TestFindAmongEchoes(t *testing.T) {
	mask, raw := pdu.Request(pdu.MaskWrite(4, 0xF2, 0x25)), func(pdus string) pdu.Request {
		r, err := pdu.NewRaw(unhex(t, pdus))
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	tests := []struct {
		name    string
		request pdu.Request
		// received are frames without their checks.
		received []string
		echoing  bool
		response string
		need     int
	}{
		{"reply", mask, []string{"11160004" + "00F20025"}, false, "16000400F20025", 0},
		{"echo alone", mask, []string{"11160004" + "00F20025"}, true, "", 5},
		{"echo and reply", mask, []string{"11160004" + "00F20025", "11160004" + "00F20025"}, true, "16000400F20025", 0},
		{"echo and exception", mask, []string{"11160004" + "00F20025", "119601"}, true, "9601", 0},
		{"reply of another write", mask, []string{"11160005" + "00F20025"}, false, "", 5},
		{"function of somebody's own", raw("41AA"), []string{"1141AABBCC"}, false, "41AABBCC", 0},
		{"the same with an echo", raw("41AA"), []string{"1141AA", "1141AABBCC"}, true, "41AABBCC", 0},
		{"the same, unfinished", raw("41AA"), []string{"1141AABBCC", "1141"}, false, "", 0},
		{"its exception", raw("41AA"), []string{"11C101"}, false, "C101", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var received []byte
			for _, frame := range tt.received {
				start := len(received)
				received = append(received, unhex(t, frame)...)
				received = binary.LittleEndian.AppendUint16(received, CRC(received[start:]))
			}
			if tt.name == "the same, unfinished" {
				received = received[:5]
			}
			got := Find(received, 0x11, tt.request, AppendRequest(nil, 0x11, tt.request), tt.echoing)
			if !bytes.Equal(got.Response, unhex(t, tt.response)) || got.Need != tt.need {
				t.Errorf("response %X, need %d; want %s, %d", got.Response, got.Need, tt.response, tt.need)
			}
		})
	}
}

// TestFindAsBytesArrive reads by Need alone, as a line is read, and holds that a reply is found at its last byte.
func TestFindAsBytesArrive(t *testing.T) {
	sent := AppendRequest(nil, 0x11, holding3)
	for _, line := range []string{reply, exception, echo + reply, echo + exception} {
		all := unhex(t, line)
		for n, reads := 0, 0; ; reads++ {
			scan := Find(all[:n], 0x11, holding3, sent, false)
			if scan.Response != nil {
				if n != len(all) || reads > 4 {
					t.Errorf("%s: found after %d of %d bytes and %d reads", line, n, len(all), reads)
				}
				break
			}
			if n += scan.Need; n > len(all) {
				t.Fatalf("%s: asks for %d bytes of %d", line, n, len(all))
			}
		}
	}
}

func FuzzFind(f *testing.F) {
	for _, s := range []string{reply, exception, echo + reply, foreign, "FFFF" + reply} {
		f.Add(unhex(f, s), uint8(0x11), uint8(3), uint16(0x6B), uint16(3))
	}
	f.Fuzz(func(t *testing.T, received []byte, unit, area uint8, start, count uint16) {
		request := pdu.Read{Area: pdu.Area(area%4 + 1), Start: start, Count: count%125 + 1}
		sent := AppendRequest(nil, unit, request)
		scan := Find(received, unit, request, sent, false)
		if scan.Response == nil {
			if scan.Need < 1 {
				t.Fatalf("%X: no response and nothing needed", received)
			}
			return
		}
		frame := append([]byte{unit}, scan.Response...)
		frame = binary.LittleEndian.AppendUint16(frame, CRC(frame))
		if !bytes.Contains(received, frame) {
			t.Fatalf("%X: response %X was not received with this unit and check", received, scan.Response)
		}
		if _, err := request.Data(scan.Response); err != nil {
			if _, ok := errors.AsType[pdu.Exception](err); !ok && scan.Response[1] != 0 {
				t.Fatalf("%X: response %X does not answer: %v", received, scan.Response, err)
			}
		}
	})
}
