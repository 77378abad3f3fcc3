package natsbridge

import (
	"errors"
	"time"

	"github.com/nats-io/nats.go"
)

// publisher is the only reader of the ring and the lanes, and the only one that publishes what channels say. It starts
// when the node has been let in by its name.
func (b *Bridge) publisher() {
	defer close(b.drained)
	select {
	case <-b.admitted:
	case <-b.displaced:
		return
	case <-b.quit:
		return
	}
	for {
		now := time.Now()
		done := b.ring.isClosed() && b.data.done(now) && b.events.done(now)
		due := b.tick(now)
		sent, alive := b.sendNext()
		switch {
		case !alive, !sent && done:
			return
		case !sent && !b.wait(b.ring.ready, due):
			return
		}
	}
}

// tick has the lanes look at their time; the result is when to do so again, zero for never.
func (b *Bridge) tick(now time.Time) time.Time {
	data, events := b.data.tick(now), b.events.tick(now)
	if data.IsZero() || !events.IsZero() && events.Before(data) {
		return events
	}
	return data
}

// wait waits for a token, or until due unless that is zero; false when the bridge gives up.
func (b *Bridge) wait(token <-chan struct{}, due time.Time) bool {
	var timeout <-chan time.Time
	if !due.IsZero() {
		timer := time.NewTimer(time.Until(due))
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-token:
		return true
	case <-timeout:
		return true
	case <-b.quit:
		return false
	}
}

// sendNext sends what came first, if anything can be sent now; alive is false when the bridge gives up.
func (b *Bridge) sendNext() (sent, alive bool) {
	now := time.Now()
	first, found := b.ring.head()
	var from *track
	for _, t := range []*track{b.events, b.data} {
		if order, ok := t.head(now); ok && (!found || order < first) {
			first, found, from = order, true, t
		}
	}
	if from != nil {
		return b.ship(from, now)
	}
	e, c, ok := b.ring.take()
	return ok, !ok || b.send(c, e)
}

// ship publishes the next message of a lane.
func (b *Bridge) ship(t *track, now time.Time) (sent, alive bool) {
	p, ok := t.take(now)
	if !ok {
		return false, true
	}
	err := t.publish(b.link.conn, &p)
	t.settle(p, err)
	switch {
	case err == nil:
		b.count(&p.entry)
	case permanent(err):
		b.refuse(err)
	default:
		return true, b.reconnected(err)
	}
	return true, true
}

// send publishes one entry of the ring, or puts it back and waits for the connection; false when the bridge gives up.
func (b *Bridge) send(c class, e entry) bool {
	if c == classReply && e.losses != b.link.losses.Load() {
		b.ring.dropReply(e)
		return true
	}
	err := b.link.publish(&e)
	switch {
	case err == nil:
		b.count(&e)
		b.buffers.put(e.body)
		return true
	case permanent(err):
		b.buffers.put(e.body)
		b.refuse(err)
		return true
	case c == classReply:
		// A caller who is cut off does not wait: an answer is never sent later.
		b.buffers.put(e.body)
		b.ring.dropReplies()
		return true
	default:
		b.ring.putBack(c, e)
		return b.reconnected(err)
	}
}

// count counts a message that nats.go took.
func (b *Bridge) count(e *entry) {
	b.published.Add(1)
	b.latency.add(time.Since(e.added))
}

// reconnected waits for the connection after a publish that failed; false when the bridge gives up.
func (b *Bridge) reconnected(err error) bool {
	if !errors.Is(err, nats.ErrReconnectBufExceeded) {
		// The transport failed within this message, so the server has not got it.
		b.link.wire.sever()
	}
	return b.wait(b.link.up, time.Time{})
}

// permanent says whether a message can never be published.
func permanent(err error) bool {
	return errors.Is(err, nats.ErrMaxPayload) || errors.Is(err, nats.ErrBadSubject) ||
		errors.Is(err, nats.ErrHeadersNotSupported)
}

func (l *link) publish(e *entry) error {
	if e.header == nil {
		return l.conn.Publish(e.subject, e.body.b)
	}
	return l.conn.PublishMsg(&nats.Msg{Subject: e.subject, Header: e.header, Data: e.body.b})
}
