package natsbridge

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// Bridge is a node on NATS.
type Bridge struct {
	config  Config
	started time.Time

	routes   *routes
	memory   *memory
	encoders encoders
	buffers  *buffers
	ring     *ring
	link     *link
	calls    *calls

	published, refused atomic.Uint64
	// quit is closed when the publisher is to give up; drained when it has ended.
	quit, drained chan struct{}

	closing sync.Once
	closed  error
}

// New connects a node and starts to answer for it. With a URL it need not be reachable yet: messages wait in the ring,
// and the calls are answered once it is. ErrNameTaken: another node answers by this name. Close ends the bridge; the
// embedded server is shut down after that, by who started it.
func New(ctx context.Context, config Config) (*Bridge, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("natsbridge: %w", err)
	}
	b := &Bridge{
		config: config, started: time.Now(), routes: newRoutes(config.Prefix, config.Node), memory: newMemory(),
		buffers: new(buffers), quit: make(chan struct{}), drained: make(chan struct{}),
	}
	b.ring = newRing(config.RingBytes, b.buffers)
	if b.link, err = connect(&b.config); err != nil {
		return nil, fmt.Errorf("natsbridge: %w", err)
	}
	if err := b.serve(ctx); err != nil {
		b.link.close()
		return nil, fmt.Errorf("natsbridge: %w", err)
	}
	go b.publisher()
	return b, nil
}

// serve starts to answer calls, unless somebody does already.
func (b *Bridge) serve(ctx context.Context) error {
	if b.link.conn.IsConnected() {
		if err := b.checkName(ctx); err != nil {
			return err
		}
	}
	b.calls = newCalls(b)
	if err := b.calls.start(); err != nil {
		return fmt.Errorf("answer calls: %w", err)
	}
	if b.link.conn.IsConnected() {
		// Whoever is told that the node is there must find it.
		if err := b.link.flush(ctx); err != nil {
			b.calls.stop(ctx)
			return fmt.Errorf("announce the calls: %w", err)
		}
	}
	return nil
}

// Epoch returns the epoch of this start.
func (b *Bridge) Epoch() string { return b.config.Epoch }

// Close ends it in order: calls are refused, those that run are cancelled and waited for, the ring is published, the
// connection flushed and closed. What is not done when ctx ends, or cannot be done without a server, is given up and
// named by the error. A second call answers what the first did.
func (b *Bridge) Close(ctx context.Context) error {
	b.closing.Do(func() { b.closed = b.close(ctx) })
	return b.closed
}

func (b *Bridge) close(ctx context.Context) error {
	// A write that a stalled peer blocks holds up everything else that nats.go does, unsubscribing too.
	release := context.AfterFunc(ctx, b.link.wire.end)
	defer release()
	b.calls.stop(ctx)
	b.ring.close()
	err := b.drain(ctx)
	b.link.close()
	if err != nil {
		return fmt.Errorf("natsbridge: close: %w", err)
	}
	return nil
}

var errNotConnected = errors.New("not connected")

// drain waits until the publisher has emptied the ring and the server has got it, or makes it give up.
func (b *Bridge) drain(ctx context.Context) error {
	if !b.link.connectedNow() {
		return b.giveUp(errNotConnected)
	}
	select {
	case <-b.drained:
	case <-ctx.Done():
		return b.giveUp(context.Cause(ctx))
	}
	if err := b.link.flush(ctx); err != nil {
		return fmt.Errorf("flush: %w", err)
	}
	return nil
}

// giveUp ends the publisher and says what was left; nil where that is nothing.
func (b *Bridge) giveUp(reason error) error {
	close(b.quit)
	b.link.wire.end()
	<-b.drained
	var s Stats
	if b.ring.stats(&s); s.Waiting == 0 {
		return nil
	}
	return fmt.Errorf("%d messages were not published: %w", s.Waiting, reason)
}

// newEpoch returns a name that sorts by time and that no other start has.
func newEpoch() string {
	return strconv.FormatInt(time.Now().UnixMilli(), 36) + "-" + strings.ToLower(rand.Text()[:6])
}
