package channel

import (
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// commands are those that one session has taken of its channel's queue, whose lock guards them.
type commands struct {
	queue   *queue
	arrived <-chan struct{}

	closed  bool
	taken   map[uint64]*Pending
	cancels []uint64
}

func newCommands(q *queue) *commands {
	return &commands{queue: q, arrived: q.arrived, taken: make(map[uint64]*Pending)}
}

// next returns the next event for the driver: cancellations first, then commands whose time is not over.
func (c *commands) next(now time.Time) (driver.Event, bool) {
	c.queue.mu.Lock()
	defer c.queue.mu.Unlock()
	if c.closed {
		return driver.Event{}, false
	}
	if len(c.cancels) > 0 {
		id := c.cancels[0]
		c.cancels = c.cancels[1:]
		return driver.EventCancel(id), true
	}
	p := c.queue.take(c, now)
	if p == nil {
		return driver.Event{}, false
	}
	c.taken[p.id] = p
	left := p.command.Deadline.Sub(now)
	return driver.EventCommand(driver.Command{ID: p.id, Request: p.command.Request, Deadline: uint64(left)}), true
}

// reply answers a command that the driver has; once.
func (c *commands) reply(id uint64, a Answer) {
	c.queue.mu.Lock()
	defer c.queue.mu.Unlock()
	if p := c.taken[id]; p != nil {
		delete(c.taken, id)
		c.queue.inHand--
		p.end(a, nil)
	}
}

func (c *commands) progress(id uint64, text string, fraction float64) {
	c.queue.mu.Lock()
	p := c.taken[id]
	heard := p != nil && !p.ended
	c.queue.mu.Unlock()
	if heard && p.command.Report != nil {
		p.command.Report(text, fraction)
	}
}

// close ends every command that the driver has: the session is over.
func (c *commands) close() {
	c.queue.mu.Lock()
	defer c.queue.mu.Unlock()
	if c.closed {
		return
	}
	c.closed = true
	for _, p := range c.taken {
		p.end(Answer{}, ErrUnknown)
	}
	c.queue.inHand -= len(c.taken)
	c.taken, c.cancels = nil, nil
}
