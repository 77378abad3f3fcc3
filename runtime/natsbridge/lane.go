package natsbridge

import (
	"sync"
	"sync/atomic"
	"time"
)

// lane holds the messages for one stream, in order, until the stream has acknowledged them: those in flight in front,
// behind them those that wait to be sent. Adding never blocks.
//
// Every message carries an id, by which the stream knows it again, and the id of the one before it, without which the
// stream does not take it. So a failure of one message fails those after it, all of them are sent again in order, and
// each is stored exactly once and in order (RATIONALE.md, "Why not PublishAsync?").
type lane struct {
	buffers *buffers
	order   *atomic.Uint64
	// ready gets a token when there may be something to send.
	ready chan<- struct{}
	// limit bounds it in bytes. Where it is reached, the oldest that is not in flight is dropped, or, with hold, room
	// answers no: what comes all the same is dropped at twice the limit.
	limit int
	hold  bool

	mu      sync.Mutex
	queue   queue
	bytes   int
	closed  bool // nothing is added any more
	filling bool
	full    bool
	waiters map[chan<- struct{}]struct{}
	flight
	counts laneCounts
}

// laneCounts are a lane's counters.
type laneCounts struct {
	acked, retried, duplicates, dropped, refused, failed uint64
	// latency is the sum, over acked, of the times from sending to the acknowledgement.
	latency time.Duration
}

func newLane(r *ring, limit int, hold bool) *lane {
	return &lane{
		buffers: r.buffers, order: r.order, ready: r.ready, limit: limit, hold: hold,
		waiters: make(map[chan<- struct{}]struct{}),
	}
}

// laneStatus is how a lane does, as told by the event "delivery".
type laneStatus int32

const (
	laneFlowing laneStatus = iota
	// laneStalled: the stream does not take messages.
	laneStalled
	// laneFilling: three quarters of the room are taken.
	laneFilling
	// laneFull: messages are dropped, or drivers held up.
	laneFull
)

func (s laneStatus) String() string {
	return [...]string{"flowing", "stalled", "filling", "full"}[s]
}

// add puts e at the end, and makes room for it if need be. False when e was not taken, or something else was dropped
// for it. The lane owns the buffer in either case.
func (l *lane) add(e entry) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	kept := !l.closed && l.makeRoom(e.cost())
	if l.closed || l.bytes+e.cost() > l.hardLimit() {
		l.counts.dropped++
		l.buffers.put(e.body)
		return false
	}
	e.order, e.added = l.order.Add(1), time.Now()
	l.bytes += e.cost()
	l.queue.push(e)
	l.level()
	poke(l.ready)
	return kept
}

func (l *lane) hardLimit() int {
	if l.hold {
		return 2 * l.limit
	}
	return l.limit
}

// makeRoom drops the oldest that are not in flight until cost fits; false when it dropped any.
func (l *lane) makeRoom(cost int) bool {
	kept := true
	for l.bytes+cost > l.hardLimit() && l.queue.len() > l.sent {
		e := l.queue.remove(l.sent)
		l.bytes -= e.cost()
		l.release(e.body)
		l.counts.dropped++
		l.full, l.filling, kept = true, true, false
	}
	return kept
}

// level finds out how full it is. Who waits for room is told when a quarter is free.
func (l *lane) level() {
	switch {
	case l.bytes >= l.limit:
		l.full, l.filling = true, true
	case l.bytes >= l.limit/4*3:
		l.filling = true
	case l.bytes < l.limit/2:
		l.full, l.filling = false, false
	default:
		l.full = false
	}
	if l.full {
		return
	}
	for c := range l.waiters {
		poke(c)
	}
	clear(l.waiters)
}

// waits says whether something of a channel is in it.
func (l *lane) waits(channel string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	for i := range l.queue.len() {
		if l.queue.at(i).owner == channel {
			return true
		}
	}
	return false
}

// room says whether there is room. If there is none, c gets a token once there is.
func (l *lane) room(c chan<- struct{}) bool {
	if !l.hold {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.full {
		l.waiters[c] = struct{}{}
	}
	return !l.full
}

// status returns how it does, and why where it is stalled.
func (l *lane) status() (laneStatus, string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.full:
		return laneFull, l.trouble
	case l.filling:
		return laneFilling, l.trouble
	case l.trouble != "":
		return laneStalled, l.trouble
	default:
		return laneFlowing, ""
	}
}

// close takes no more messages. What is in it is still sent.
func (l *lane) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	poke(l.ready)
}

// clear closes it and drops what is in it.
func (l *lane) clear() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	l.rewind()
	for l.queue.len() > 0 {
		l.drop()
	}
	poke(l.ready)
}

// done says whether there is nothing left to wait for: it is empty, or the stream has not taken what it holds for a while.
func (l *lane) done(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queue.len() == 0 || l.trouble != "" && !now.Before(l.since.Add(lastPatience))
}

// drop takes out the first message.
func (l *lane) drop() entry {
	e := l.queue.pop()
	l.bytes -= e.cost()
	l.release(e.body)
	return e
}

// release gives a buffer back, or leaves that to settle while it is being sent.
func (l *lane) release(b *buffer) {
	if b == l.sending {
		l.orphaned = true
		return
	}
	l.buffers.put(b)
}
