package stream

import (
	"context"
	"testing"
	"time"
)

// echo is a device that gives back what is written to it, without allocating.
type echo struct {
	*device
	back chan int
	data [256]byte
}

func (e *echo) Read(p []byte) (int, error) {
	select {
	case n := <-e.back:
		return copy(p, e.data[:n]), nil
	case <-e.stop:
		return 0, context.Canceled
	}
}

func (e *echo) Write(p []byte) (int, error) {
	n := copy(e.data[:], p)
	e.back <- n
	return n, nil
}

func TestCallsDoNotAllocate(t *testing.T) {
	e := &echo{device: newDevice(), back: make(chan int)}
	line := Open(func(context.Context) (Device, error) { return e, nil })
	defer line.Close()
	s := New("main", line, newSession(), false)
	ctx := t.Context()
	request := make([]byte, 8)
	exchange := func(read func() bool) func() {
		return func() {
			if s.Write(ctx, request, ns(time.Minute)).Failed || read() {
				t.Fatal("failed")
			}
		}
	}
	tests := []struct {
		name string
		call func()
	}{
		{"write and read", exchange(func() bool { return s.Read(ctx, 256, ns(time.Minute)).Failed })},
		{"write and read-frame by size", exchange(func() bool {
			return s.ReadFrame(ctx, 256, ns(time.Minute), ns(time.Minute), 8).Failed
		})},
		{"write and read-frame by gap", exchange(func() bool {
			return s.ReadFrame(ctx, 256, ns(time.Minute), ns(100*time.Microsecond), 0).Failed
		})},
		{"read that times out", func() {
			if !s.Read(ctx, 256, ns(time.Microsecond)).Failed {
				t.Fatal("no timeout")
			}
		}},
		{"flush", func() { s.Flush(ctx) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.call() // Buffers and timer grow once.
			if n := testing.AllocsPerRun(200, tt.call); n > 0 {
				t.Errorf("%v allocations a call", n)
			}
		})
	}
}
