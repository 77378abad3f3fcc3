package socket

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"
)

// headStart is how long an address has before the next one is tried beside it (RFC 8305, section 5).
const headStart = 250 * time.Millisecond

// dial connects to one address.
type dial func(ctx context.Context, to netip.AddrPort) (net.Conn, error)

// race connects to the first of some addresses that answers, in their order, each with a head start before the next. It
// returns when all attempts are at their end. The error is that of the first address.
func race(ctx context.Context, to []netip.AddrPort, connect dial) (net.Conn, error) {
	if len(to) == 1 {
		return connect(ctx, to[0])
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	r := &heat{errs: make([]error, len(to)), cancel: cancel}
	var runners sync.WaitGroup
	for i, a := range to {
		failed := make(chan struct{})
		runners.Go(func() {
			defer close(failed)
			conn, err := connect(ctx, a)
			r.arrived(i, conn, err)
		})
		if !wait(ctx, failed) {
			break
		}
	}
	runners.Wait()
	return r.result()
}

// wait says whether the next attempt is to begin: the one before failed, or its head start is over.
func wait(ctx context.Context, failed <-chan struct{}) bool {
	timer := time.NewTimer(headStart)
	defer timer.Stop()
	select {
	case <-failed:
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// heat is a race that goes on.
type heat struct {
	cancel context.CancelFunc

	mu     sync.Mutex
	winner net.Conn
	errs   []error
}

func (r *heat) arrived(i int, conn net.Conn, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case err != nil:
		r.errs[i] = err
	case r.winner != nil:
		_ = conn.Close() // another one was sooner
	default:
		r.winner = conn
		r.cancel()
	}
}

func (r *heat) result() (net.Conn, error) {
	if r.winner != nil {
		return r.winner, nil
	}
	for _, err := range r.errs {
		if err != nil {
			return nil, err
		}
	}
	return nil, errors.New("no address to connect to")
}
