package natsbridge

import (
	"testing"
	"time"
)

func TestLatency(t *testing.T) {
	var l latency
	for _, d := range []time.Duration{0, 50 * time.Microsecond, 51 * time.Microsecond, time.Second, time.Minute, time.Hour} {
		l.add(d)
	}
	h := l.histogram()
	want := map[int]uint64{0: 2, 1: 1, 10: 1, 12: 1, 13: 1}
	for i, got := range h.Counts {
		if got != want[i] {
			t.Errorf("bucket %d has %d, want %d", i, got, want[i])
		}
	}
	if len(h.Bounds)+1 != len(h.Counts) || h.Sum != time.Hour+time.Minute+time.Second+101*time.Microsecond {
		t.Errorf("%d bounds, %d counts, sum %s", len(h.Bounds), len(h.Counts), h.Sum)
	}
	for i := 1; i < len(h.Bounds); i++ {
		if h.Bounds[i] <= h.Bounds[i-1] {
			t.Errorf("bound %s after %s", h.Bounds[i], h.Bounds[i-1])
		}
	}
	if n := testing.AllocsPerRun(100, func() { l.add(time.Millisecond) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
