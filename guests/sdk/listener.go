package sdk

import (
	"fmt"
	"time"
)

// Listener takes the connections of devices that connect by themselves. It is borrowed from the host.
//
// Context.Wait does not wait for it: a driver accepts for a short while in each poll, and gives the streams to Wait. It
// belongs to the one thread that a driver is.
type Listener struct {
	ctx    *Context
	handle ListenerHandle
	name   string
	closed bool
}

// Listen listens on the configured listener of that name. ErrBusy: somebody on this machine listens there. The caller
// closes it, unless the session yields.
func (c *Context) Listen(name string) (*Listener, error) {
	r := c.host.SocketListen(name)
	if r.Failed {
		return nil, fmt.Errorf("listen on %q: %w", name, IOError(r.Err))
	}
	return &Listener{ctx: c, handle: r.Value, name: name}, nil
}

// Name returns the configured name.
func (l *Listener) Name() string { return l.name }

// Accept waits for the next connection, and says who connected, as "host:port". In a session that takes over, the
// connections that the one before had accepted and not closed come first, resumed. A yield or stop ends it with
// ErrCancelled; within Context.Hold, a yield does not.
func (l *Listener) Accept(timeout time.Duration) (s *Stream, peer string, err error) {
	if l.closed {
		return nil, "", ErrClosed
	}
	deadline := l.ctx.deadline(timeout)
	r := l.ctx.host.ListenerAccept(l.handle, nanos(timeout))
	if r.Failed && l.ctx.carryOn(r.Err) {
		r = l.ctx.host.ListenerAccept(l.handle, l.ctx.until(deadline))
	}
	if r.Failed {
		return nil, "", IOError(r.Err)
	}
	return &Stream{ctx: l.ctx, handle: r.Value.F0, name: l.name + " from " + r.Value.F1}, r.Value.F1, nil
}

// Close gives the listener back. The host closes it, unless the session yields; the streams that it gave stay open. A
// second Close returns ErrClosed.
func (l *Listener) Close() error {
	if l.closed {
		return ErrClosed
	}
	l.closed = true
	l.ctx.host.ListenerDrop(l.handle)
	return nil
}
