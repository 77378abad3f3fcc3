package natsbridge

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
)

// class is how much an entry is worth when the ring is full.
type class uint8

const (
	// classData is dropped first, the oldest before others: data and log lines.
	classData class = iota
	// classControl is dropped when there is no data left: states, devices, handles.
	classControl
	// classReply overtakes the others: somebody waits for it, and there are few.
	classReply
	classes
)

// entry is one message that waits to be published.
type entry struct {
	subject string
	body    *buffer
	// owner is the channel that it is of; empty for the node.
	owner string
	// header is set on answers that are errors.
	header nats.Header
	// id is set on what goes into a stream.
	id    string
	order uint64
	// added is when it came.
	added time.Time
	// sent is when it was sent last.
	sent time.Time
	// losses is how often the connection had been lost when the call came that this answers.
	losses uint64
}

// entryBytes is what an entry costs beside its buffer.
const entryBytes = 128

func (e *entry) cost() int { return cap(e.body.b) + entryBytes }

// ring holds what waits to be published, bounded in bytes. Data and control leave in the order in which they came,
// replies before them. Adding never blocks.
type ring struct {
	limit   int
	buffers *buffers
	// ready holds a token when there may be something to take.
	ready chan struct{}

	// order counts what is added, here and to the lanes.
	order *atomic.Uint64

	mu      sync.Mutex
	queues  [classes]shares
	bytes   int
	dropped [classes]uint64
	closed  bool
}

func newRing(limit int, buffers *buffers) *ring {
	return &ring{limit: limit, buffers: buffers, ready: make(chan struct{}, 1), order: new(atomic.Uint64)}
}

// add puts e at the end, and drops data for it, the oldest of the channel that has the most, then control, until it fits. False when it was
// not taken: the ring is closed, or everything left in it is worth more. The ring owns the buffer in either case.
func (r *ring) add(c class, e entry) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed || !r.makeRoom(c, e.cost()) {
		r.dropped[c]++
		r.buffers.put(e.body)
		return false
	}
	e.order, e.added = r.order.Add(1), time.Now()
	r.bytes += e.cost()
	r.queues[c].push(e)
	poke(r.ready)
	return true
}

// makeRoom drops what is worth no more than c until cost fits.
func (r *ring) makeRoom(c class, cost int) bool {
	if cost > r.limit {
		return false
	}
	for victim := classData; victim <= c; victim++ {
		for r.bytes+cost > r.limit && r.queues[victim].len() > 0 {
			e := r.queues[victim].drop()
			r.bytes -= e.cost()
			r.dropped[victim]++
			r.buffers.put(e.body)
		}
	}
	return r.bytes+cost <= r.limit
}

// take removes the next entry: a reply if there is one, else the oldest. Its buffer is the caller's.
func (r *ring) take() (entry, class, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c := classReply
	if r.queues[c].len() == 0 {
		c = r.older()
	}
	if r.queues[c].len() == 0 {
		return entry{}, c, false
	}
	e := r.queues[c].pop()
	r.bytes -= e.cost()
	return e, c, true
}

// older returns the class whose first entry came first.
func (r *ring) older() class {
	data, control := &r.queues[classData], &r.queues[classControl]
	if control.len() == 0 || data.len() > 0 && data.head().order < control.head().order {
		return classData
	}
	return classControl
}

// putBack gives an entry that could not be sent its place at the front again, or drops it when the room went to others.
func (r *ring) putBack(c class, e entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.bytes+e.cost() > r.limit {
		r.dropped[c]++
		r.buffers.put(e.body)
		return
	}
	r.bytes += e.cost()
	r.queues[c].pushFront(e)
}

// dropReply gives up an answer that was taken.
func (r *ring) dropReply(e entry) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.dropped[classReply]++
	r.buffers.put(e.body)
}

// dropReplies gives up answers whose callers went with the connection.
func (r *ring) dropReplies() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for q := &r.queues[classReply]; q.len() > 0; {
		e := q.pop()
		r.bytes -= e.cost()
		r.dropped[classReply]++
		r.buffers.put(e.body)
	}
}

// close takes no more entries. What is in it can still be taken.
func (r *ring) close() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.closed = true
	poke(r.ready)
}

// clear closes it and drops what is in it.
func (r *ring) clear() {
	r.close()
	for e, _, ok := r.take(); ok; e, _, ok = r.take() {
		r.buffers.put(e.body)
	}
}

func (r *ring) isClosed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.closed
}

// head returns the place in the order of what take would take: 0 for a reply, which overtakes everything.
func (r *ring) head() (uint64, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.queues[classReply].len() > 0 {
		return 0, true
	}
	q := &r.queues[r.older()]
	if q.len() == 0 {
		return 0, false
	}
	return q.head().order, true
}

// poke leaves a token where there is none.
func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
