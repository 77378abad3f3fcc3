package natsbridge

import (
	"errors"

	"github.com/nats-io/nats.go"
)

// publisher is the ring's only reader, and the only one that calls nats.go's publish.
func (b *Bridge) publisher() {
	defer close(b.drained)
	for {
		closed := b.ring.isClosed()
		e, c, ok := b.ring.take()
		switch {
		case ok && !b.send(c, e), !ok && closed:
			return
		case !ok && !b.wait(b.ring.ready):
			return
		}
	}
}

// wait waits for a token; false when the bridge gives up.
func (b *Bridge) wait(token <-chan struct{}) bool {
	select {
	case <-token:
		return true
	case <-b.quit:
		return false
	}
}

// send publishes one entry, or puts it back and waits for the connection; false when the bridge gives up.
func (b *Bridge) send(c class, e entry) bool {
	err := b.link.publish(&e)
	switch {
	case err == nil:
		b.published.Add(1)
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
	case !errors.Is(err, nats.ErrReconnectBufExceeded):
		// The transport failed within this message, so the server has not got it.
		b.link.wire.sever()
	}
	b.ring.putBack(c, e)
	return b.wait(b.link.up)
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
