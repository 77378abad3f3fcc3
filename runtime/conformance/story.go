package conformance

import (
	"context"
	"sync"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
)

// story is what a channel says, as far as checks want to know.
type story struct {
	mu       sync.Mutex
	changed  chan struct{} // closed and replaced when anything below changes
	state    supervise.State
	ready    bool // it was connected once
	failures []failure.Record
	crash    *channel.Crash
	online   bool                         // a device was, once
	counts   map[string]map[string]uint64 // of readings with a value, by device and point
	gaps     bool                         // a sequence number was missing
	seq      map[string]uint64
}

var _ channel.Sink = (*story)(nil)

func newStory() *story {
	return &story{
		changed: make(chan struct{}), counts: make(map[string]map[string]uint64), seq: make(map[string]uint64),
	}
}

// note changes the story.
func (s *story) note(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
	close(s.changed)
	s.changed = make(chan struct{})
}

// until waits until the story is as wanted, and says whether it came to that.
func (s *story) until(ctx context.Context, wanted func() bool) bool {
	for {
		s.mu.Lock()
		done, changed := wanted(), s.changed
		s.mu.Unlock()
		if done {
			return true
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false
		}
	}
}

// ended says whether no session follows any more. s.mu is held.
func (s *story) ended() bool {
	return s.state == supervise.Failed || s.state == supervise.Stopped || s.state == supervise.Quarantined
}

// Data implements channel.Sink.
func (s *story) Data(b point.Batch) {
	s.note(func() {
		if s.counts[b.Device] == nil {
			s.counts[b.Device] = make(map[string]uint64)
		}
		for _, r := range b.Readings {
			if !r.Value.None() && r.Quality == driver.QualityGood {
				s.counts[b.Device][r.Name]++
			}
		}
		s.gaps = s.gaps || b.Seq != s.seq[b.Device]+1
		s.seq[b.Device] = b.Seq
	})
}

// State implements channel.Sink.
func (s *story) State(snapshot supervise.Snapshot) {
	s.note(func() {
		s.state = snapshot.State
		s.ready = s.ready || snapshot.State == supervise.Connected
	})
}

// Device implements channel.Sink.
func (s *story) Device(d point.DeviceState) {
	s.note(func() { s.online = s.online || d.Status == driver.StatusOnline })
}

// Failure implements channel.Sink.
func (s *story) Failure(r failure.Record) { s.note(func() { s.failures = append(s.failures, r) }) }

// Crashed implements channel.Sink.
func (s *story) Crashed(c channel.Crash) { s.note(func() { s.crash = &c }) }

// What follows says nothing that a check wants to know.

// Quarantined implements channel.Sink.
func (s *story) Quarantined(supervise.CrashLoop) {}

// Backoff implements channel.Sink.
func (s *story) Backoff(supervise.Wait) {}

// Handle implements channel.Sink.
func (s *story) Handle(string, uint64, []*point.Point) {}

// Revoke implements channel.Sink.
func (s *story) Revoke() {}

// Removed implements channel.Sink.
func (s *story) Removed(string) {}

// Event implements channel.Sink.
func (s *story) Event(string, any) {}

// outcome is a story that was told.
type outcome struct {
	ready   bool
	good    uint64
	online  bool
	failure *failure.Record
	crash   *channel.Crash
}

func (s *story) outcome() outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := outcome{ready: s.ready, online: s.online, crash: s.crash}
	if n := len(s.failures); n > 0 {
		o.failure = &s.failures[n-1]
	}
	o.good = s.total()
	return o
}

// total is how many readings had a value. s.mu is held.
func (s *story) total() (sum uint64) {
	for _, points := range s.counts {
		for _, n := range points {
			sum += n
		}
	}
	return sum
}

// patience is how much longer than its deadlines anything may take before a check gives up: it is a fault of ours then.
const patience = 20 * time.Second
