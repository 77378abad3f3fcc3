package supervise

import (
	"math"
	"math/rand/v2"
	"time"
)

// delay returns the delay before retry n, counted from 0: Initial times Factor to the n, at most Max, spread evenly by
// Jitter to both sides but never above Max.
func (b Backoff) delay(n int, rng *rand.Rand) time.Duration {
	limit := float64(b.Max)
	base := min(float64(b.Initial)*math.Pow(b.Factor, float64(n)), limit)
	low, high := base*(1-b.Jitter), min(base*(1+b.Jitter), limit)
	return min(time.Duration(low+rng.Float64()*(high-low)), b.Max)
}

// budget counts the failures in a row against a policy.
type budget struct {
	policy   Policy
	rand     *rand.Rand
	failures int
	first    time.Time
}

func (b *budget) reset() { b.failures, b.first = 0, time.Time{} }

// take takes a retry after a failure that happens now. It returns the delay before it, or why there is none.
func (b *budget) take(now time.Time) (delay time.Duration, exhausted string) {
	if b.failures == 0 {
		b.first = now
	}
	if m := b.policy.MaxRetries; m != nil && b.failures >= *m {
		return 0, "retries exhausted"
	}
	delay = b.policy.Backoff.delay(b.failures, b.rand)
	if e := b.policy.MaxElapsed; e > 0 && now.Add(delay).Sub(b.first) > e {
		return 0, "retry time exhausted"
	}
	b.failures++
	return delay, ""
}

// left returns how many retries are left; nil when unlimited.
func (b *budget) left() *int {
	if b.policy.MaxRetries == nil {
		return nil
	}
	return new(max(0, *b.policy.MaxRetries-b.failures))
}
