package channel

import (
	"cmp"
	"time"

	"github.com/droverhq/drover/runtime/module"
)

// The limits of a channel that does not say.
const (
	DefaultSamples = 20000
	DefaultBytes   = 8 << 20
	DefaultLog     = 20
	DefaultStreams = 16
)

// progressRate is how often a second it is told how far an action is.
const progressRate = 10

// MaxStreams is the most that Limits.Streams may be.
const MaxStreams = 64

// Limits bound what a channel's driver may take, send and hold. Those that are 0 have their defaults. docs/limits.md lists
// them all, with those that cannot be set.
type Limits struct {
	module.Limits
	// Samples and Bytes are what it may publish a second.
	Samples int
	Bytes   uint64
	// Log is how many lines it may log a second, its stdout and stderr included.
	Log int
	// Streams is how many ports, connections and sockets an instance may have open at a time.
	Streams int
}

func (l Limits) withDefaults() Limits {
	l.Samples = cmp.Or(l.Samples, DefaultSamples)
	l.Bytes = cmp.Or(l.Bytes, DefaultBytes)
	l.Log = cmp.Or(l.Log, DefaultLog)
	l.Streams = min(cmp.Or(l.Streams, DefaultStreams), MaxStreams)
	return l
}

// limit gives a session what the limits of an edition allow.
func (s *session) limit(e *edition) {
	l := e.Limits.withDefaults()
	s.tuned = e
	s.log.most = l.Log * int(lineWindow/time.Second)
	s.signals.streams = l.Streams
	full := s.pace.full
	s.pace = newPace(l, s.channel.config.Backpressure)
	s.pace.full = full
}

// tune takes over what was changed in place. It is called on the goroutine of the guest's calls.
func (s *session) tune() {
	if e := s.edition(); e != s.tuned {
		s.limit(e)
		s.guest.Tune(e.Limits.Limits)
	}
}
