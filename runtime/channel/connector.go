package channel

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/supervise"
)

// connector makes the sessions of one edition.
type connector struct {
	channel *Channel
	// edition is exchanged by what is changed in place: the driver is told the same by all that there ever are.
	edition atomic.Pointer[edition]
	// trial is what the edition is held to when it has replaced another; nil for the first.
	trial *trial

	mu       sync.Mutex
	prepared *session      // configured, for the next attempt; nil where there is none
	sessions int           // that are not closed
	none     chan struct{} // closed when there is none any more; nil while there is none
}

var (
	_ supervise.Connector = (*connector)(nil)
	_ supervise.Digester  = (*connector)(nil)
	_ supervise.Judge     = (*connector)(nil)
)

func newConnector(c *Channel, e *edition) *connector {
	by := &connector{channel: c}
	by.edition.Store(e)
	return by
}

// Digest implements supervise.Digester.
func (c *connector) Digest() string { return c.edition.Load().Module.Digest() }

// Judge implements supervise.Judge.
func (c *connector) Judge() *failure.Failure { return c.trial.judge(c.edition.Load(), time.Now()) }

// Connect implements supervise.Connector: a new instance, configured, unless one was prepared; then connect.
func (c *connector) Connect(ctx *supervise.Context) (supervise.Session, error) {
	s, err := c.take(), error(nil)
	if s == nil {
		s = newSession(c)
		s.attempt(ctx)
		err = s.configure(ctx, ctx.Forced())
	} else {
		s.attempt(ctx)
	}
	if err == nil {
		err = s.connect(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, s.Close(false))
	}
	return s, nil
}

// prepare makes a session and configures it, beside the one that runs, until ctx is done at most. It is for the next
// attempt, or for discard.
func (c *connector) prepare(ctx context.Context) error {
	s := newSession(c)
	if err := s.configure(ctx, ctx); err != nil {
		return errors.Join(err, s.Close(false))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.prepared = s
	return nil
}

// take takes what was prepared; nil where there is nothing.
func (c *connector) take() *session {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.prepared
	c.prepared = nil
	return s
}

// opened and closed count the sessions that hold the edition's module.
func (c *connector) opened() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions++; c.sessions == 1 {
		c.none = make(chan struct{})
	}
}

func (c *connector) closed() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.sessions--; c.sessions == 0 {
		close(c.none)
		c.none = nil
	}
}

// leaving is how long left waits: longer than any call into a driver lasts that can be ended.
const leaving = time.Minute

// left returns when no session of the edition is there any more, with supervise.ErrStuck when one does not end.
func (c *connector) left() error {
	c.mu.Lock()
	none := c.none
	c.mu.Unlock()
	if none == nil {
		return nil
	}
	select {
	case <-none:
		return nil
	case <-time.After(leaving):
		return supervise.ErrStuck
	}
}

// discard closes what was prepared, where no attempt took it.
func (c *connector) discard() error {
	if s := c.take(); s != nil {
		return s.Close(false)
	}
	return nil
}
