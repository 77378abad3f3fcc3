package channel

import "time"

// bucket lets rate a second through, and what span gives at once. Whatever finds room goes through whole and is paid for
// afterwards, so that a batch is never cut: one that is larger than what span gives holds up the next ones for longer.
type bucket struct {
	rate float64
	span time.Duration
	// paid is when everything that went through is paid for.
	paid time.Time
}

// wait returns in how long there is room; 0 for now.
func (b *bucket) wait(now time.Time) time.Duration {
	if debt := b.paid.Sub(now); debt >= b.span {
		return debt - b.span + 1
	}
	return 0
}

// take lets n through.
func (b *bucket) take(n float64, now time.Time) {
	if b.paid.Before(now) {
		b.paid = now
	}
	b.paid = b.paid.Add(time.Duration(n / b.rate * float64(time.Second)))
}

// try lets one through where there is room for it.
func (b *bucket) try(now time.Time) bool {
	if b.wait(now) > 0 {
		return false
	}
	b.take(1, now)
	return true
}
