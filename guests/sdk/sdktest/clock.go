package sdktest

import (
	"cmp"
	"math"
	"slices"
	"time"
)

type scheduled struct {
	at time.Time
	do func()
}

// Now implements sdk.Host: the fake clock.
func (h *Host) Now() time.Time { return h.now }

// Elapsed returns how long ago, by the fake clock, New was.
func (h *Host) Elapsed() time.Duration { return h.now.Sub(h.start) }

// At does something at that time after New, once the driver waits that long. What is due at once happens at the
// driver's next wait.
func (h *Host) At(elapsed time.Duration, do func()) { h.schedule(h.start.Add(elapsed), do) }

// After does something that long from now.
func (h *Host) After(d time.Duration, do func()) { h.schedule(h.now.Add(d), do) }

func (h *Host) schedule(at time.Time, do func()) {
	h.timeline = append(h.timeline, scheduled{at, do})
	slices.SortStableFunc(h.timeline, func(a, b scheduled) int { return a.at.Compare(b.at) })
}

// Advance lets time pass, as work of the driver that takes that long.
func (h *Host) Advance(d time.Duration) { h.await(uint64(max(d, 0)), func() bool { return false }) }

// Sleep implements sdk.Host.
func (h *Host) Sleep(d time.Duration) {
	h.await(uint64(max(d, 0)), func() bool { return h.stopping })
}

// await lets time pass until done says true, or the timeout is over, and returns what done said last.
func (h *Host) await(timeout uint64, done func() bool) bool {
	deadline, bounded := h.now.Add(time.Duration(timeout)), timeout < math.MaxInt64
	for {
		h.runDue()
		if done() {
			return true
		}
		next, ok := h.nextChange()
		switch {
		case ok && (!bounded || !next.After(deadline)):
			h.now = next
		case bounded:
			h.now = deadline
			return false
		default:
			h.tb.Fatalf("sdktest: %v after the start the driver waits for ever", h.Elapsed())
		}
	}
}

// runDue does what is scheduled up to now.
func (h *Host) runDue() {
	for len(h.timeline) > 0 && !h.timeline[0].at.After(h.now) {
		do := h.timeline[0].do
		h.timeline = slices.Delete(h.timeline, 0, 1)
		do()
	}
}

// nextChange returns when something happens next by itself, after now.
func (h *Host) nextChange() (time.Time, bool) {
	var times []time.Time
	if len(h.timeline) > 0 {
		times = append(times, h.timeline[0].at)
	}
	for _, l := range h.lines {
		times = l.changes(times)
	}
	for _, s := range h.sockets {
		times = s.changes(times)
	}
	for _, d := range h.doors {
		times = d.changes(times)
	}
	times = slices.DeleteFunc(times, func(t time.Time) bool { return !t.After(h.now) })
	if len(times) == 0 {
		return time.Time{}, false
	}
	return slices.MinFunc(times, func(a, b time.Time) int { return cmp.Compare(a.UnixNano(), b.UnixNano()) }), true
}
