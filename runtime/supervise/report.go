package supervise

import (
	"fmt"
	"time"

	"github.com/droverhq/drover/runtime/failure"
)

// DefaultTrial is the usual length of a swap's trial.
const DefaultTrial = 30 * time.Second

// Result is what became of a Replace.
type Result uint8

const (
	// Adopted means that no session was running: the next attempt uses the new connector.
	Adopted Result = iota
	// Swapped means that the new connector's session took over and stood its trial.
	Swapped
	// RolledBack means that it did not, and that the previous connector is in use again.
	RolledBack
	// Abandoned means that the channel was stopped, or a call got stuck, before there was a verdict: the previous
	// connector is kept.
	Abandoned
)

// String returns the result's name in lower case.
func (r Result) String() string {
	switch r {
	case Adopted:
		return "adopted"
	case Swapped:
		return "swapped"
	case RolledBack:
		return "rolled back"
	case Abandoned:
		return "abandoned"
	default:
		return fmt.Sprintf("result(%d)", uint8(r))
	}
}

// MarshalText implements encoding.TextMarshaler with the result's name.
func (r Result) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Report tells how a Replace went.
type Report struct {
	Result Result
	// Yielded says whether the old session yielded, so that the next could take over its lines.
	Yielded bool
	// Why is the failure of the next connector, or of its session, that made the swap roll back.
	Why *failure.Failure
	// Restored says whether, after a roll-back, the previous connector's session was Ready at once.
	Restored bool
	// Parked is how long no session served the handle in all, from the end of one run to the next Ready.
	Parked time.Duration
	// Steps are the steps in order: yield, close, connect, init, trial, and in a roll-back close, connect, init again.
	Steps []Step
}

// Step is one step of a swap.
type Step struct {
	Name     string
	Duration time.Duration
}
