package stream

import (
	"context"
	"testing"
	"time"
)

// Bytes are counted as they come and go, whoever reads them.
func TestTraffic(t *testing.T) {
	e := &echo{device: newDevice(), back: make(chan int)}
	var traffic Traffic
	line := OpenCounted(&traffic, func(context.Context) (Device, error) { return e, nil })
	defer line.Close()
	s := New("main", line, newSession(), false)
	for range 3 {
		if s.Write(t.Context(), make([]byte, 8), ns(time.Minute)).Failed || s.Read(t.Context(), 256, ns(time.Minute)).Failed {
			t.Fatal("failed")
		}
	}
	if received, sent := traffic.Received.Load(), traffic.Sent.Load(); received != 24 || sent != 24 {
		t.Errorf("%d in, %d out, want 24 each", received, sent)
	}
}
