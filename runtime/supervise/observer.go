package supervise

import (
	"time"

	"github.com/droverhq/drover/runtime/failure"
)

// Observer is told what happens, in order, by the supervisor's own loop: a method must return at once, must not block,
// and must not call the supervisor's commands (Snapshot, Subscribe and RequestReconnect are no commands).
//
// The order that it can rely on:
//   - Published comes after Init's success, before the connected snapshot and before Run is called.
//   - Revoked comes when run has ended, before Failure and before any other state.
//   - Parked comes in place of Revoked when another session follows in a swap. It is followed by Published of the next
//     generation, which replaces it, or by Revoked.
//   - Failure comes once for each failure, before the state that it leads to.
//   - Backoff and Quarantined come after the Failure that they follow, before the state that shows them.
type Observer interface {
	// State gives each new snapshot.
	State(s Snapshot)
	// Failure gives the record for the channel's event, and the failure with what a post-mortem needs besides.
	Failure(r failure.Record, f *failure.Failure)
	// Backoff says when the next attempt starts. It does not come where that is not known, or at once.
	Backoff(w Wait)
	// Quarantined says that the channel has crashed too often. It does not come for a crash loop that Config gave.
	Quarantined(c CrashLoop)
	// Published gives the handle of a session that is Ready. Lines that a yielded session left open and that this one
	// did not take are nobody's from here on.
	Published(generation uint64, h Handle)
	// Parked says that the handle's session has ended, and that another will follow: calls wait.
	Parked(generation uint64)
	// Revoked says that the handle is no longer served.
	Revoked(generation uint64)
	// ReconnectRequested says that the attempt's session has ended because it, or somebody, asked for a new one.
	ReconnectRequested(attempt uint64, reason string)
}

// Wait is a channel's wait for its next attempt.
type Wait struct {
	// Attempt is the number of the attempt that has ended.
	Attempt uint64
	// Reason is a failure's code, or that of a requested reconnect.
	Reason string
	// Delay is how long it is, Until when it ends.
	Delay time.Duration
	Until time.Time
}

// discard is the observer of those who want none.
type discard struct{}

var _ Observer = discard{}

func (discard) State(Snapshot)                           {}
func (discard) Failure(failure.Record, *failure.Failure) {}
func (discard) Backoff(Wait)                             {}
func (discard) Quarantined(CrashLoop)                    {}
func (discard) Published(uint64, Handle)                 {}
func (discard) Parked(uint64)                            {}
func (discard) Revoked(uint64)                           {}
func (discard) ReconnectRequested(uint64, string)        {}
