package natsbridge

import "time"

const (
	// windowMessages and windowBytes bound what is in flight: far below what makes a server drop messages, and enough for
	// 10,000 messages a second over 50 ms.
	windowMessages = 512
	windowBytes    = 4 << 20
	// ackWait is how long the stream may be silent before everything in flight is sent again.
	ackWait = 5 * time.Second
	// leastPause and mostPause are how long a lane waits after the stream refused a message.
	leastPause = 100 * time.Millisecond
	mostPause  = 5 * time.Second
	// lastPatience is how long a stream may take no messages before a node that ends gives them up.
	lastPatience = 2 * time.Second
)

// laneMode is where a lane's messages go.
type laneMode uint8

const (
	// laneShut sends nothing: there is no connection, or no stream yet.
	laneShut laneMode = iota
	// lanePlain publishes without a stream: at most once.
	lanePlain
	// laneStream publishes into the stream.
	laneStream
)

// flight is what a lane has sent and waits for.
type flight struct {
	mode laneMode
	// sent is how many messages are in flight, from the front; sentBytes is their size. next is the number of the message
	// sent next: the first in flight has next-sent.
	sent, sentBytes int
	next            uint64
	// last is the id of the message that the stream stored last; empty where that is not known.
	last string
	// probing sends one message at a time, until one is acknowledged.
	probing bool
	// paused is until when nothing is sent, for pause after a failure; progress is when a message was last acknowledged,
	// or the first sent.
	paused   time.Time
	pause    time.Duration
	progress time.Time
	// trouble is why the stream takes no messages, since then; empty while it does.
	trouble string
	since   time.Time
	// sending is the buffer that the publisher has in its hands; orphaned, that nobody else has it any more.
	sending  *buffer
	orphaned bool
}

// parcel is a message on its way out.
type parcel struct {
	entry
	tracked  bool
	number   uint64
	expected string
}

// head returns the place in the order of what take would take.
func (l *lane) head(now time.Time) (uint64, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.sendable(now) {
		return 0, false
	}
	return l.queue.at(l.sent).order, true
}

func (l *lane) sendable(now time.Time) bool {
	switch {
	case l.mode == laneShut || l.sent == l.queue.len() || now.Before(l.paused):
		return false
	case l.probing:
		return l.sent == 0
	default:
		return l.sent < windowMessages && l.sentBytes < windowBytes
	}
}

// take returns the next message to send. The caller sends it and calls settle.
func (l *lane) take(now time.Time) (parcel, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.sendable(now) {
		return parcel{}, false
	}
	e := l.queue.at(l.sent)
	e.sent, l.sending = now, e.body
	p := parcel{entry: *e, number: l.next, expected: l.last, tracked: l.mode == laneStream}
	if l.sent > 0 {
		p.expected = l.queue.at(l.sent - 1).id
	} else {
		l.progress = now
	}
	l.sent++
	l.sentBytes += e.cost()
	l.next++
	return p, true
}

// settle says what became of sending p. What can never be published is dropped; a transport that failed has everything
// sent again.
func (l *lane) settle(p parcel, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sending = nil; l.orphaned {
		l.orphaned = false
		l.buffers.put(p.body)
	}
	at, ok := l.inFlight(p.number)
	switch {
	case !ok:
	case err != nil && permanent(err):
		l.reject(at)
	case err != nil:
		l.rewind()
	case !p.tracked:
		l.arrived(at)
	}
}

// inFlight returns the place of a message that is in flight.
func (l *lane) inFlight(number uint64) (int, bool) {
	first := l.next - uint64(l.sent)
	return int(number - first), number >= first && number < l.next
}

// ack takes an acknowledgement. It stands for everything sent before as well: the stream took this message after those
// or not at all.
func (l *lane) ack(number uint64, duplicate bool, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.inFlight(number)
	if !ok {
		return
	}
	for i := range at + 1 {
		l.counts.latency += now.Sub(l.queue.at(i).sent)
	}
	l.counts.acked += uint64(at + 1)
	if duplicate {
		l.counts.duplicates++
	}
	l.progress, l.probing, l.pause, l.trouble = now, false, 0, ""
	l.arrived(at)
}

// arrived drops messages up to the one at this place: the stream has them.
func (l *lane) arrived(at int) {
	for range at + 1 {
		l.sentBytes -= l.queue.first().cost()
		l.sent--
		l.last = l.drop().id
	}
	l.level()
	poke(l.ready)
}

// refusal is why a stream did not take a message.
type refusal struct {
	text string
	// order: the message before it is not the one that the stream stored last.
	order bool
	// final: it will never take it.
	final bool
}

// fail takes a refusal. Everything in flight is sent again, in order, after a pause if need be.
func (l *lane) fail(number uint64, r refusal, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.inFlight(number)
	if !ok {
		return
	}
	l.counts.failed++
	switch {
	case r.final:
		l.reject(at)
	case r.order && (at > 0 || l.last != ""):
		// The one before it was lost, or somebody else wrote into the stream, or the server lost its end.
		if at == 0 {
			l.last = ""
		}
		l.rewind()
	default:
		l.stall(r.text, now)
	}
}

// stall pauses, longer each time.
func (l *lane) stall(why string, now time.Time) {
	l.inTrouble(why, now)
	l.pause = min(max(2*l.pause, leastPause), mostPause)
	l.paused = now.Add(l.pause)
	l.rewind()
}

func (l *lane) inTrouble(why string, now time.Time) {
	if l.trouble == "" {
		l.since = now
	}
	l.trouble = why
}

// reject drops a message that can never be stored, and has those after it sent again.
func (l *lane) reject(at int) {
	e := l.queue.remove(at)
	l.bytes -= e.cost()
	l.release(e.body)
	l.counts.refused++
	l.sent-- // it is one of those that rewind counts
	l.rewind()
	l.level()
}

// rewind has everything in flight sent again; what is answered to that is not listened to any more.
func (l *lane) rewind() {
	l.counts.retried += uint64(l.sent)
	l.sent, l.sentBytes, l.probing = 0, 0, true
	poke(l.ready)
}

// tick looks for messages that the stream leaves without an answer, and returns when to look again; zero for never.
func (l *lane) tick(now time.Time) time.Time {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mode == laneStream && l.sent > 0 && now.Sub(l.progress) >= ackWait {
		l.counts.failed++
		l.stall("no acknowledgement within "+ackWait.String(), now)
	}
	var due time.Time
	sooner := func(when bool, at time.Time) {
		if when && (due.IsZero() || at.Before(due)) {
			due = at
		}
	}
	sooner(l.mode == laneStream && l.sent > 0, l.progress.Add(ackWait))
	sooner(l.queue.len() > 0 && now.Before(l.paused), l.paused)
	sooner(l.closed && l.queue.len() > 0 && l.trouble != "", l.since.Add(lastPatience))
	return due
}

// shut sends nothing from now on; everything in flight is sent again once it is open. why is empty where the connection
// was lost.
func (l *lane) shut(why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mode = laneShut
	l.inTrouble(why, time.Now())
	l.rewind()
}

// open sends from now on. stored is the id of the last message in the stream, if known: up to it, everything is there.
func (l *lane) open(mode laneMode, stored string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.mode == mode {
		return
	}
	l.rewind()
	l.mode, l.trouble, l.pause, l.paused = mode, "", 0, time.Time{}
	for i := 0; stored != "" && i < l.queue.len(); i++ {
		if l.queue.at(i).id != stored {
			continue
		}
		l.counts.acked += uint64(i + 1)
		for range i + 1 {
			l.last = l.drop().id
		}
		break
	}
	l.level()
	poke(l.ready)
}

// troubled returns why the stream takes no messages, and since when; empty while it does.
func (l *lane) troubled() (string, time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.trouble, l.since
}

// uncertain says whether there are messages of which it is not known whether the stream has them.
func (l *lane) uncertain() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.queue.len() > 0 && !l.queue.first().sent.IsZero()
}
