package rtu

import (
	"bytes"
	"encoding/hex"
	"testing"
	"time"

	"github.com/droverhq/drover/guests/modbus/pdu"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCRCVectors(t *testing.T) {
	tests := []struct{ name, frame, crc string }{
		{"FC01 request", "110100130013", "8E92"},
		{"FC01 response", "110103CD6B05", "4012"},
		{"FC02 request", "110200C40016", "BAA9"},
		{"FC02 response", "110203ACDB35", "2018"},
		{"FC03 request", "1103006B0003", "7687"},
		{"FC03 response", "110306022B00000064", "C8BA"},
		{"FC04 request", "110400080001", "B298"},
		{"FC04 response", "110402000A", "F8F4"},
		{"FC05 echo", "110500ACFF00", "4E8B"},
		{"FC06 echo", "110600010003", "9A9B"},
		{"FC0F request", "110F0013000A02CD01", "BF0B"},
		{"FC0F response", "110F0013000A", "2699"},
		{"FC10 request", "1110000100020400 0A0102", "C6F0"},
		{"FC10 response", "111000010002", "1298"},
		{"exception 2 to FC01", "118102", "C054"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			frame := unhex(t, string(bytes.ReplaceAll([]byte(tt.frame+tt.crc), []byte(" "), nil)))
			if !Valid(frame) {
				t.Errorf("%X: check %04X is wrong", frame, CRC(frame[:len(frame)-2]))
			}
			for bit := range 8 * len(frame) {
				frame[bit/8] ^= 1 << (bit % 8)
				if Valid(frame) {
					t.Errorf("bit %d changed and not noticed", bit)
				}
				frame[bit/8] ^= 1 << (bit % 8)
			}
		})
	}
}

func TestAppendRequest(t *testing.T) {
	got := AppendRequest([]byte{0xAA}, 0x11, pdu.Read{Area: pdu.Holding, Start: 0x6B, Count: 3})
	if want := unhex(t, "AA1103006B00037687"); !bytes.Equal(got, want) {
		t.Errorf("got %X, want %X", got, want)
	}
}

func TestTiming(t *testing.T) {
	tests := []struct {
		baud              uint32
		silence, lineTime time.Duration
	}{
		{9600, 4010 * time.Microsecond, 252 * time.Millisecond},
		{19200, 2005 * time.Microsecond, 126 * time.Millisecond},
		{38400, 1750 * time.Microsecond, 64500 * time.Microsecond},
		{115200, 1750 * time.Microsecond, 23800 * time.Microsecond},
		{0, 1750 * time.Microsecond, 3500 * time.Microsecond},
	}
	for _, tt := range tests {
		if got := Silence(tt.baud); (got - tt.silence).Abs() > 2*time.Microsecond {
			t.Errorf("silence at %d: %v, want %v", tt.baud, got, tt.silence)
		}
		if got := LineTime(tt.baud, 8+205); (got - tt.lineTime).Abs() > tt.lineTime/100 {
			t.Errorf("100 registers at %d: %v, want %v", tt.baud, got, tt.lineTime)
		}
	}
}
