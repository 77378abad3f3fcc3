package modbus

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
)

// The frames of the specification's examples with their sums, unit 0x11.
var frames = []string{
	"11 01 0013 0013 8E92",
	"11 02 00C4 0016 BAA9",
	"11 03 006B 0003 7687",
	"11 04 0008 0001 B298",
	"11 05 00AC FF00 4E8B",
	"11 06 0001 0003 9A9B",
	"11 0F 0013 000A 02 CD01 BF0B",
	"11 10 0001 0002 04 000A 0102 C6F0",
	"11 07 4C22", // Read Exception Status, which is not ours.
}

func TestRTUFrames(t *testing.T) {
	tests := []struct {
		name  string
		noise string
		slow  bool
	}{
		{"back to back", "", false},
		{"byte by byte", "", true},
		{"noise between", "00 FF 11 03 00", false},
		{"half a write before", "11 10 0001 0002 04", true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var line []byte
			for _, f := range frames {
				line = append(append(line, bytesOf(t, test.noise)...), bytesOf(t, f)...)
			}
			var r io.Reader = bytes.NewReader(line)
			if test.slow {
				r = iotest.OneByteReader(r)
			}
			framing := newRTU(r, nil)
			for _, f := range frames {
				request, err := framing.next()
				if err != nil {
					t.Fatalf("%s: %v", f, err)
				}
				want := bytesOf(t, f)
				got := append([]byte{request.Unit, request.Function}, request.Data...)
				if !bytes.Equal(got, want[:len(want)-2]) {
					t.Errorf("request % x, want % x", got, want)
				}
			}
			if _, err := framing.next(); err == nil {
				t.Error("a request after the end of the line")
			}
		})
	}
}

func TestRTUFindsAFrameAfterMuchNoise(t *testing.T) {
	line := append(bytes.Repeat([]byte{0x11, 0x10, 0xff}, 1000), bytesOf(t, frames[2])...)
	request, err := newRTU(bytes.NewReader(line), nil).next()
	if err != nil || request.Function != 3 {
		t.Fatalf("request %+v, %v", request, err)
	}
}

func FuzzRTU(f *testing.F) {
	for _, s := range []string{"\x11\x03\x00\x6b\x00\x03\x76\x87", "\x11\x10\x00\x01\x00\x02\x04", "\x11\x07\x4c\x22"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		framing := newRTU(iotest.OneByteReader(bytes.NewReader(b)), func(Request) {})
		device := sample()
		for {
			request, err := framing.next()
			if err != nil {
				return
			}
			if got := device.serve(request.Function, request.Data); len(got) < 2 || len(got) > maxPDU {
				t.Fatalf("response of %d bytes", len(got))
			}
		}
	})
}

func FuzzMBAP(f *testing.F) {
	f.Add([]byte("\x00\x01\x00\x00\x00\x06\x11\x03\x00\x6b\x00\x03"))
	f.Add([]byte("\x00\x01\x00\x00\x00\x01\x11"))
	f.Fuzz(func(t *testing.T, b []byte) {
		framing := newMBAP(bytes.NewReader(b))
		for {
			request, err := framing.next()
			if err != nil {
				return
			}
			frame := framing.wrap(request, sample().serve(request.Function, request.Data), Fault{})
			if len(frame) < mbapHeader+2 || len(frame) > mbapHeader+maxPDU {
				t.Fatalf("response of %d bytes", len(frame))
			}
		}
	})
}
