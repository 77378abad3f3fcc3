package channel

import (
	"sync/atomic"

	"github.com/droverhq/drover/runtime/module"
)

// signals tells a session's I/O what the supervisor wants.
type signals struct {
	// asked is closed when the session is asked to yield.
	asked <-chan struct{}
	seen  atomic.Bool
	io    atomic.Bool
	// session hears of refusals; streams is how many it may have open.
	session *session
	streams int
}

var _ module.Signals = (*signals)(nil)

// IOAllowed implements module.Signals.
func (s *signals) IOAllowed() bool { return s.io.Load() }

// Yield implements module.Signals.
func (s *signals) Yield() <-chan struct{} {
	if s.seen.Load() {
		return nil
	}
	return s.asked
}

// YieldSeen implements module.Signals.
func (s *signals) YieldSeen() { s.seen.Store(true) }

// Yielding implements module.Signals.
func (s *signals) Yielding() bool {
	select {
	case <-s.asked:
		return true
	default:
		return false
	}
}

// Streams implements module.Signals.
func (s *signals) Streams() int { return s.streams }

// Denied implements module.Signals.
func (s *signals) Denied(name, why string) { s.session.denied(name, why) }

// Refused implements module.Signals.
func (s *signals) Refused() { s.session.strike("its I/O is out of range") }
