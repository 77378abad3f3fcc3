package channel

import (
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// pace is how much a session publishes a second, and whether the guest waits for room.
type pace struct {
	samples, bytes bucket
	sink           Backpressure // or nil
	// full is set when publish took nothing, until the guest heard that there is room again.
	full bool
}

func newPace(l Limits, sink Backpressure) pace {
	return pace{
		samples: bucket{rate: float64(l.Samples), span: time.Second},
		bytes:   bucket{rate: float64(l.Bytes), span: time.Second},
		sink:    sink,
	}
}

// over returns in how long the rates allow for more; 0 for now.
func (p *pace) over(now time.Time) time.Duration { return max(p.samples.wait(now), p.bytes.wait(now)) }

// room says whether there is room for a batch. c is poked when the sink has room again.
func (p *pace) room(now time.Time, c chan<- struct{}) bool {
	return p.over(now) == 0 && (p.sink == nil || p.sink.Room(c))
}

// take counts a batch that was taken.
func (p *pace) take(samples, bytes int, now time.Time) {
	p.samples.take(float64(samples), now)
	p.bytes.take(float64(bytes), now)
}

// admit says whether a batch can be taken now, and counts it. One that cannot is a strike when it is for the driver's own
// rate: it is told `writable`. That the sink is full is nothing that a driver can help.
func (s *session) admit(samples []driver.Sample, bytes int) bool {
	now := time.Now()
	if s.pace.room(now, s.wake) {
		s.pace.take(len(samples), bytes, now)
		s.pace.full = false
		return true
	}
	s.pace.full = true
	if s.pace.over(now) > 0 {
		s.strike("it publishes faster than its limit allows")
	}
	return false
}

// roomIn returns in how long a guest that was refused is to be told; 0 when it was not, or when s.wake is poked.
func (s *session) roomIn(now time.Time) time.Duration {
	if !s.pace.full {
		return 0
	}
	return s.pace.over(now)
}

// writable says, once, that there is room again for a guest that was refused.
func (s *session) writable(now time.Time) bool {
	if !s.pace.full || !s.pace.room(now, s.wake) {
		return false
	}
	s.pace.full = false
	return true
}
