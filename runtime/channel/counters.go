package channel

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/failure"
)

// Counters are what a channel has done since the node started.
type Counters struct {
	// Polls counts the batches of samples that were taken from the driver: one a poll cycle. Overruns are the cycles that
	// it says it skipped, because the one before was not over.
	Polls, Overruns uint64
	// Good, Uncertain and Bad count the readings of points, those that a filter left out included.
	Good, Uncertain, Bad uint64
	// PointsPerSecond is how many of them there were of late.
	PointsPerSecond float64
	// LogDropped counts the driver's lines beyond its rate.
	LogDropped uint64
	// Failures are counted by phase and code; Quarantines how often the channel was.
	Failures    map[FailureKind]uint64
	Quarantines uint64
	// Waiting is how many commands no session has taken yet, Taken how many the driver has.
	Waiting, Taken int
}

// maxFailureKinds is how many of a channel are told apart: a driver may have any number of codes of its own.
const maxFailureKinds = 64

// FailureKind is what failures are counted by.
type FailureKind struct {
	Phase failure.Phase
	Code  failure.Code
}

// Counters returns what was counted so far.
func (c *Channel) Counters() Counters {
	n := &c.counts
	out := Counters{
		Polls: n.polls.Load(), Overruns: n.overruns.Load(), LogDropped: n.logDropped.Load(),
		Good: n.qualities[driver.QualityGood].Load(), Uncertain: n.qualities[driver.QualityUncertain].Load(),
		Bad: n.qualities[driver.QualityBad].Load(), Quarantines: n.quarantines.Load(), PointsPerSecond: n.rate.now(time.Now()),
	}
	n.mu.Lock()
	out.Failures = maps.Clone(n.failures)
	n.mu.Unlock()
	c.queue.mu.Lock()
	defer c.queue.mu.Unlock()
	out.Waiting, out.Taken = len(c.queue.waiting), c.queue.inHand
	return out
}

// counters are counted where things happen, by any goroutine.
type counters struct {
	polls, overruns, logDropped, quarantines atomic.Uint64
	qualities                                [driver.QualityBad + 1]atomic.Uint64
	rate                                     rate

	mu       sync.Mutex
	failures map[FailureKind]uint64
}

// qualities counts readings by their quality.
type qualities [driver.QualityBad + 1]uint64

// batch counts a batch that was taken.
func (n *counters) batch(readings qualities, now time.Time) {
	n.polls.Add(1)
	sum := 0
	for q, count := range readings {
		n.qualities[q].Add(count)
		sum += int(count)
	}
	n.rate.add(sum, now)
}

func (n *counters) failed(r failure.Record) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.failures == nil {
		n.failures = make(map[FailureKind]uint64)
	}
	kind := FailureKind{r.Phase, r.Code}
	if _, known := n.failures[kind]; !known && len(n.failures) >= maxFailureKinds {
		kind.Code = failure.DriverOther
	}
	n.failures[kind]++
}

// rateSpan is how long a rate is counted before it forgets.
const rateSpan = 10 * time.Second

// rate is how often something happened within the last one to two spans.
type rate struct {
	mu    sync.Mutex
	begin time.Time // of the span at hand
	count int
	// past is the count of the span before, which lasted for length.
	past   int
	length time.Duration
}

func (r *rate) add(n int, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.begin.IsZero() {
		r.begin = now
	}
	switch lasted := now.Sub(r.begin); {
	case lasted >= 2*rateSpan: // there was a pause: it is over
		r.past, r.length, r.begin, r.count = 0, 0, now, 0
	case lasted >= rateSpan:
		r.past, r.length, r.begin, r.count = r.count, lasted, now, 0
	}
	r.count += n
}

// now returns it a second.
func (r *rate) now(now time.Time) float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	length := r.length + now.Sub(r.begin)
	if r.begin.IsZero() || length < time.Second/10 {
		return 0
	}
	return float64(r.count+r.past) / length.Seconds()
}
