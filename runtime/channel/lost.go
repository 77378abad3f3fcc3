package channel

import (
	"strings"
	"sync"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
)

// absence is a time without a session: what subscribers were told of it is repeated at the points' heartbeats.
type absence struct {
	mu    sync.Mutex
	every time.Duration // the shortest heartbeat; 0 repeats nothing
	timer *time.Timer   // nil while a session serves the points, and once the channel is closed
}

// ended tells that the session is gone without a failure: by a stop, or for a new one.
func (c *Channel) ended(s supervise.Snapshot) {
	switch {
	case !c.live || c.parked || s.State == supervise.Connected:
	case s.State == supervise.Stopped, s.State == supervise.Disconnected: // or about to be stopped
		c.lost(point.CodeStopped, time.Now())
	default:
		c.lost(point.CodeReconnecting, time.Now())
	}
}

// lost publishes every point once as bad after a session has ended, and every device as offline.
func (c *Channel) lost(code string, now time.Time) {
	c.live = false
	for _, d := range c.devices {
		d.lost(c.config.Sink, code, now)
		d.setStatus(c.config.Sink, driver.StatusOffline, strings.TrimPrefix(code, "channel."), now)
	}
	c.catchUp(now, true)
	c.absence.begin(func() {
		for _, d := range c.devices {
			d.lost(c.config.Sink, code, time.Now())
		}
	})
}

// lost publishes the points that are due: those that are not lost yet, or whose heartbeat it is.
func (d *device) lost(sink Sink, code string, now time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range d.points {
		if p.Definition().Access == driver.AccessWrite {
			continue
		}
		if r, due := p.Lost(code, now); due {
			d.pending = append(d.pending, r)
		}
	}
	d.flush(sink, now)
}

// begin calls repeat at each heartbeat until end.
func (a *absence) begin(repeat func()) {
	a.end()
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.every == 0 {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(a.every, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.timer == timer {
			repeat()
			timer.Reset(a.every)
		}
	})
	a.timer = timer
}

// end returns when nothing is repeated any more.
func (a *absence) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}

// heartbeat notes one of a point that is read.
func (a *absence) heartbeat(d point.Definition) {
	if d.Access != driver.AccessWrite && d.Heartbeat > 0 && (a.every == 0 || d.Heartbeat < a.every) {
		a.every = d.Heartbeat
	}
}
