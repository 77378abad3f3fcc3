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
	timer *time.Timer // nil while a session serves the points, and once the channel is closed
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
	e := c.edition()
	for _, m := range e.members {
		m.lost(c.config.Sink, e.PointBatches, code, now)
		m.device.setStatus(c.config.Sink, driver.StatusOffline, strings.TrimPrefix(code, "channel."), now)
	}
	c.catchUp(now, true)
	c.absence.begin(e.heartbeat, func() {
		for _, m := range e.members {
			m.lost(c.config.Sink, e.PointBatches, code, time.Now())
		}
	})
}

// lost publishes the points that are due: those that are not lost yet, or whose heartbeat it is.
func (m member) lost(sink Sink, apart bool, code string, now time.Time) {
	d := m.device
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, p := range m.points {
		if !p.Readable() {
			continue
		}
		if r, due := p.Lost(code, now); due {
			d.add(r)
		}
	}
	d.flush(sink, apart, now)
}

// begin calls repeat at each heartbeat, the shortest there is, until end. 0 repeats nothing.
func (a *absence) begin(every time.Duration, repeat func()) {
	a.end()
	a.mu.Lock()
	defer a.mu.Unlock()
	if every == 0 {
		return
	}
	var timer *time.Timer
	timer = time.AfterFunc(every, func() {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.timer == timer {
			repeat()
			timer.Reset(every)
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
