package mbap

import (
	"bytes"
	"errors"
	"testing"

	"github.com/droverhq/drover/guests/modbus/pdu"
)

func TestAppendRequest(t *testing.T) {
	got := AppendRequest(nil, 0x1501, 0xFF, pdu.Read{Area: pdu.Holding, Start: 4, Count: 1})
	want := []byte{0x15, 0x01, 0, 0, 0, 6, 0xFF, 3, 0, 4, 0, 1}
	if !bytes.Equal(got, want) {
		t.Errorf("got %X, want %X", got, want)
	}
}

func TestNext(t *testing.T) {
	whole := []byte{0x15, 0x01, 0, 0, 0, 5, 0xFF, 3, 2, 0, 5}
	for n := range whole {
		if frame, size, err := Next(whole[:n]); size != 0 || err != nil {
			t.Errorf("%d bytes: got %+v, %d, %v, want to wait", n, frame, size, err)
		}
	}
	frame, size, err := Next(append(whole, 1, 2, 3))
	if err != nil || size != len(whole) || frame.Transaction != 0x1501 || frame.Unit != 0xFF ||
		!bytes.Equal(frame.Response, whole[7:]) {
		t.Errorf("got %+v, %d, %v", frame, size, err)
	}
}

func TestNextRefusesHeaders(t *testing.T) {
	tests := []struct {
		name   string
		header []byte
	}{
		{"protocol id", []byte{0, 1, 0, 1, 0, 5, 1}},
		{"length 1", []byte{0, 1, 0, 0, 0, 1, 1}},
		{"length 255", []byte{0, 1, 0, 0, 0, 255, 1}},
		{"length 65535", []byte{0, 1, 0, 0, 255, 255, 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Next(tt.header)
			if _, ok := errors.AsType[*HeaderError](err); !ok {
				t.Errorf("got %v, want a header error", err)
			}
		})
	}
}

func FuzzNext(f *testing.F) {
	f.Add([]byte{0x15, 0x01, 0, 0, 0, 5, 0xFF, 3, 2, 0, 5})
	f.Add([]byte{0, 1, 0, 0, 0, 254, 1})
	f.Fuzz(func(t *testing.T, received []byte) {
		frame, size, err := Next(received)
		switch {
		case err != nil && size != 0, size > len(received), size > MaxSize:
			t.Fatalf("%X: %d, %v", received, size, err)
		case size > 0 && (len(frame.Response) < 1 || len(frame.Response) != size-HeaderSize):
			t.Fatalf("%X: frame %+v of %d bytes", received, frame, size)
		}
	})
}
