package natsbridge

import (
	"sync/atomic"
	"time"
)

// clockUnsynced is what the header of a message says while nobody keeps this machine's clock.
const clockUnsynced = "unsynced"

// clockLook is how often the kernel is asked.
const clockLook = time.Second

// clock knows whether the kernel takes its clock for synchronised. Any goroutine may ask.
type clock struct {
	unsynced func() bool
	start    time.Time
	next     atomic.Int64 // when the kernel is asked next, after start
	last     atomic.Bool
}

func newClock(unsynced func() bool) *clock { return &clock{unsynced: unsynced, start: time.Now()} }

// word returns clockUnsynced, or nothing.
func (c *clock) word() string {
	now := int64(time.Since(c.start))
	if next := c.next.Load(); now >= next && c.next.CompareAndSwap(next, now+int64(clockLook)) {
		c.last.Store(c.unsynced())
	}
	if c.last.Load() {
		return clockUnsynced
	}
	return ""
}
