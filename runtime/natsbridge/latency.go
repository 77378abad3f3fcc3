package natsbridge

import (
	"sync/atomic"
	"time"
)

// latencyBuckets is how many buckets have a bound.
const latencyBuckets = 13

// latencyBounds are the upper bounds of the histogram's buckets, from what an idle publisher needs to a server that was
// gone.
func latencyBounds() [latencyBuckets]time.Duration {
	return [latencyBuckets]time.Duration{
		50 * time.Microsecond, 100 * time.Microsecond, 250 * time.Microsecond, 500 * time.Microsecond,
		time.Millisecond, 2500 * time.Microsecond, 5 * time.Millisecond, 10 * time.Millisecond, 25 * time.Millisecond,
		100 * time.Millisecond, time.Second, 10 * time.Second, time.Minute,
	}
}

// Histogram is how often something took how long.
type Histogram struct {
	// Bounds are the upper bounds of the buckets; Counts has one more, for what took longer. They are not cumulative.
	Bounds []time.Duration `json:"bounds_ns"`
	Counts []uint64        `json:"counts"`
	// Sum is that of all times.
	Sum time.Duration `json:"sum_ns"`
}

// latency is a histogram that any goroutine may read while another adds.
type latency struct {
	counts [latencyBuckets + 1]atomic.Uint64
	sum    atomic.Int64
}

func (l *latency) add(d time.Duration) {
	i, bounds := 0, latencyBounds()
	for i < latencyBuckets && d > bounds[i] {
		i++
	}
	l.counts[i].Add(1)
	l.sum.Add(int64(d))
}

func (l *latency) histogram() Histogram {
	bounds := latencyBounds()
	h := Histogram{Bounds: bounds[:], Counts: make([]uint64, len(l.counts)), Sum: time.Duration(l.sum.Load())}
	for i := range l.counts {
		h.Counts[i] = l.counts[i].Load()
	}
	return h
}
