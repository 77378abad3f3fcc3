package channel

import (
	"math"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/failure"
)

func TestRate(t *testing.T) {
	begin := time.Date(2026, 11, 23, 8, 0, 0, 0, time.UTC)
	at := func(seconds float64) time.Time { return begin.Add(time.Duration(seconds * float64(time.Second))) }
	var r rate
	if got := r.now(begin); got != 0 {
		t.Errorf("before anything: %v", got)
	}
	for i := range 100 { // 10 every second, from 0 to 99 s
		r.add(10, at(float64(i)))
	}
	if got := r.now(at(99.5)); math.Abs(got-10) > 0.6 {
		t.Errorf("10 a second are %v", got)
	}
	if got := r.now(at(199.5)); got > 2 {
		t.Errorf("100 s after the last it is %v", got)
	}
	r.add(10, at(200)) // a pause is forgotten
	for i := range 5 {
		r.add(10, at(201+float64(i)))
	}
	if got := r.now(at(206)); math.Abs(got-10) > 0.6 {
		t.Errorf("after a pause 10 a second are %v", got)
	}
}

// What a driver makes of its gauges cannot make the count of overruns anything else than a count.
func TestIncrease(t *testing.T) {
	for _, tt := range []struct {
		was, is float64
		want    uint64
	}{
		{0, 0, 0}, {0, 3, 3}, {3, 5, 2}, {5, 2, 2}, {5, 5, 0}, {2, -7, 0}, {0, 0.5, 0},
		{0, math.NaN(), 0}, {math.NaN(), 4, 0}, {0, math.Inf(1), 0}, {math.Inf(1), 2, 2}, {0, 1 << 60, 0},
	} {
		if got := increase(tt.was, tt.is); got != tt.want {
			t.Errorf("from %v to %v: %d, want %d", tt.was, tt.is, got, tt.want)
		}
	}
}

// A driver with any number of codes of its own makes a bounded number of kinds.
func TestFailureKinds(t *testing.T) {
	var n counters
	for i := range 3 * maxFailureKinds {
		n.failed(failure.Record{Phase: failure.PhaseRun, Code: failure.Code(failure.DriverPrefix + string(rune('a'+i)))})
	}
	sum := uint64(0)
	for _, count := range n.failures {
		sum += count
	}
	if len(n.failures) > maxFailureKinds+1 || sum != 3*maxFailureKinds {
		t.Errorf("%d kinds of %d failures", len(n.failures), sum)
	}
}

func TestCountingDoesNotAllocate(t *testing.T) {
	var n counters
	now := time.Now()
	if got := testing.AllocsPerRun(100, func() { n.batch(qualities{driver.QualityGood: 3}, now) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
	if got := n.qualities[driver.QualityGood].Load(); got != 3*n.polls.Load() {
		t.Errorf("%d readings of %d polls", got, n.polls.Load())
	}
}
