package module

import "time"

// throttleStep is how much a guest may be ahead of its share before it waits: shorter waits would cost more than they
// hold back.
const throttleStep = 5 * time.Millisecond

// throttle holds a guest to its share of a core (a token bucket in nanoseconds of computing).
type throttle struct {
	share float64
	full  float64 // what a guest that was idle may compute at once
	level float64
	at    int64 // when level was right
	spent time.Duration
}

func newThrottle(l Limits, now int64) throttle {
	full := l.Share * float64(l.ShareWindow)
	return throttle{share: l.Share, full: full, level: full, at: now}
}

// wait returns how long a guest that has computed for spent until now must wait.
func (t *throttle) wait(now int64, spent time.Duration) time.Duration {
	if t.share >= 1 {
		return 0
	}
	t.level = min(t.full, t.level+t.share*float64(now-t.at)) - float64(spent-t.spent)
	t.at, t.spent = now, spent
	if t.level > -float64(throttleStep) {
		return 0
	}
	return time.Duration(-t.level / t.share)
}
