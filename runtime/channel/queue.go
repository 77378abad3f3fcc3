package channel

import (
	"slices"
	"sync"
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// maxCommands is how many commands wait for a driver, or are in its hands.
const maxCommands = 64

// queue holds the commands of a channel that no session has taken yet. It outlives sessions: what waits while a swap is
// between two of them is served by the next.
type queue struct {
	arrived chan struct{} // holds one

	mu         sync.Mutex
	served     *handle // nil: none is
	generation uint64
	parked     bool // a swap is between two sessions: whoever comes waits
	lastID     uint64
	inHand     int // how many the session at work has taken and not answered
	waiting    []*Pending
}

func newQueue() *queue { return &queue{arrived: make(chan struct{}, 1)} }

// open lets a session that was published take commands, and ends those that are not for it.
func (q *queue) open(h *handle, generation uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.served, q.generation, q.parked = h, generation, false
	for _, p := range slices.Clone(q.waiting) {
		if err := q.admit(p); err != nil {
			q.drop(p, err)
		}
	}
	q.poke()
}

// serving returns the handle that serves, and its generation; nil where none does.
func (q *queue) serving() (*handle, uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.parked {
		return nil, 0
	}
	return q.served, q.generation
}

// park has those that wait, and those that come, wait for the next session.
func (q *queue) park() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.parked = true
}

// revoke ends all that wait: there is no session.
func (q *queue) revoke() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.served, q.parked = nil, false
	for _, p := range q.waiting {
		p.end(Answer{}, ErrNotReady)
	}
	q.waiting = nil
}

// push adds a command behind those of its kind.
func (q *queue) push(c Command) (*Pending, error) {
	if c.Deadline.IsZero() {
		c.Deadline = time.Now().Add(time.Minute)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	p := &Pending{queue: q, command: c, done: make(chan struct{})}
	if err := q.admit(p); err != nil {
		return nil, err
	}
	if len(q.waiting)+q.inHand >= maxCommands {
		return nil, ErrQueueFull
	}
	q.lastID++
	p.id = q.lastID
	at := len(q.waiting)
	if p.urgent() {
		at = slices.IndexFunc(q.waiting, func(other *Pending) bool { return !other.urgent() })
	}
	if at < 0 {
		at = len(q.waiting)
	}
	q.waiting = slices.Insert(q.waiting, at, p)
	q.poke()
	return p, nil
}

// admit says why the handle cannot do a command. While it is parked, the next one decides. The lock is held.
func (q *queue) admit(p *Pending) error {
	switch guard := p.command.Generation; {
	case q.served == nil:
		return ErrNotReady
	case q.parked:
		return nil
	case guard != 0 && guard != q.generation:
		return ErrGeneration
	case !q.served.serves(p.command.Request):
		return ErrNotServed
	}
	return nil
}

// take gives the next command whose time is not over to a session, if it is the one that serves the channel. The lock is
// held.
func (q *queue) take(by *commands, now time.Time) *Pending {
	if q.served == nil || q.parked || q.served.commands != by {
		return nil
	}
	for len(q.waiting) > 0 {
		p := q.waiting[0]
		q.waiting = q.waiting[1:]
		if p.command.Deadline.After(now) {
			q.inHand++
			p.holder, p.taken = by, now
			return p
		}
		p.end(Answer{}, ErrExpired)
	}
	return nil
}

// drop ends a command that waits. The lock is held.
func (q *queue) drop(p *Pending, err error) {
	q.waiting = slices.DeleteFunc(q.waiting, func(other *Pending) bool { return other == p })
	p.end(Answer{}, err)
}

func (q *queue) poke() {
	select {
	case q.arrived <- struct{}{}:
	default:
	}
}

// serves says whether all points, or the action, of a request are the handle's.
func (h *handle) serves(r driver.Request) bool {
	switch r.Tag() {
	case driver.RequestTagRead:
		return !slices.ContainsFunc(r.Read(), func(id driver.PointID) bool { return !slices.Contains(h.points, id) })
	case driver.RequestTagWrite:
		return !slices.ContainsFunc(r.Write(), func(w driver.WriteRequest) bool { return !slices.Contains(h.points, w.Point) })
	default:
		wanted := r.Invoke()
		return slices.ContainsFunc(h.actions, func(a driver.Action) bool {
			return a.Name == wanted.Action && a.Device == wanted.Device
		})
	}
}
