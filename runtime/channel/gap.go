package channel

import (
	"context"
	"sync"
	"time"
)

// gap measures, in a swap, how long subscribers hear nothing: from the last message of one session to the first of the
// next.
type gap struct {
	mu       sync.Mutex
	last     time.Time     // when there was a message
	since    time.Time     // when the last one was before the pause at hand; zero when there is none
	longest  time.Duration // pause of this swap
	measured chan struct{} // closed at the end of the pause at hand
}

// reset forgets the pauses there were.
func (g *gap) reset() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.longest, g.since = 0, time.Time{}
}

// begin begins a pause, if anything was ever published.
func (g *gap) begin() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.since.IsZero() && !g.last.IsZero() {
		g.since, g.measured = g.last, make(chan struct{})
	}
}

// published ends it.
func (g *gap) published(now time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.last = now
	if !g.since.IsZero() {
		g.longest = max(g.longest, now.Sub(g.since))
		g.since = time.Time{}
		close(g.measured)
	}
}

// length returns the longest pause, once the one at hand is over or ctx is done.
func (g *gap) length(ctx context.Context) time.Duration {
	g.mu.Lock()
	over := g.measured
	pending := !g.since.IsZero()
	g.mu.Unlock()
	if pending {
		select {
		case <-over:
		case <-ctx.Done():
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.longest
}
