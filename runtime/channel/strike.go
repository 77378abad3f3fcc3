package channel

import (
	"fmt"
	"time"

	"github.com/droverhq/drover/runtime/failure"
)

const (
	// maxStrikes is how many refusals at once a driver survives.
	maxStrikes = 1000
	// strikeSpan is how long it takes until all of them are forgotten.
	strikeSpan = 10 * time.Second
)

// newStrikes returns the bucket that a session's refusals go through.
func newStrikes(most int) bucket {
	return bucket{rate: float64(most) / strikeSpan.Seconds(), span: strikeSpan}
}

// strike counts a refusal that the guest has seen: an error, a short count, a line that was dropped. One that goes on all
// the same ends with limit.rate at its next call of the host. what is for people: what it was refused last.
func (s *session) strike(what string) {
	if s.strikes.try(time.Now()) {
		return
	}
	s.abort(failure.New(s.phase, failure.LimitRate,
		fmt.Sprintf("the driver goes on although it was refused more than %d times in %s: %s", maxStrikes, strikeSpan, what)))
}
