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

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// Bridge is a node on NATS.
type Bridge struct {
	config  Config
	kept    message.Kept
	started time.Time

	routes   *routes
	memory   *memory
	encoders encoders
	buffers  *buffers
	ring     *ring
	// events and data are what goes into the node's streams; streamed has the channels of data.
	events, data *track
	streamed     *deliveries
	eventNumber  atomic.Uint64
	link         *link
	keeper       *keeper
	clock        *clock

	calls     *calls
	answering sync.Mutex // held while calls starts
	answers   bool       // it has started
	silent    bool       // it must not any more

	published, refused atomic.Uint64
	latency            latency
	capturedBy         atomic.Pointer[[]string]
	// admitted is closed when the node was let in by its name, quit when the publisher is to give up, drained when it
	// has ended.
	admitted, quit, drained chan struct{}

	displacing sync.Once
	displaced  chan struct{}
	why        error

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
	b := newBridge(config)
	if b.link, err = connect(&b.config, b.keeper); err != nil {
		return nil, fmt.Errorf("natsbridge: %w", err)
	}
	if err := b.serve(ctx); err != nil {
		b.stopCalls(ctx)
		b.link.close()
		return nil, fmt.Errorf("natsbridge: %w", err)
	}
	go b.publisher()
	go b.keeper.run()
	return b, nil
}

func newBridge(config Config) *Bridge {
	b := &Bridge{
		config: config, kept: message.KeptBy(config.Prefix, config.Node), started: time.Now(),
		routes: newRoutes(config.Prefix, config.Node), memory: newMemory(), buffers: new(buffers),
		clock:    newClock(config.Unsynced),
		streamed: newDeliveries(config.Stream.Channels), displaced: make(chan struct{}),
		admitted: make(chan struct{}), quit: make(chan struct{}), drained: make(chan struct{}),
	}
	b.ring = newRing(config.RingBytes, b.buffers)
	b.events = newTrack(newLane(b.ring, eventBytes, false), b.kept.Events)
	b.data = newTrack(newLane(b.ring, config.Stream.Buffer, config.Stream.Backpressure), b.kept.Data)
	b.calls = newCalls(b)
	b.keeper = newKeeper(b)
	return b
}

// serve starts to answer calls, unless somebody does already. What cannot be done without a connection is left to the
// keeper.
func (b *Bridge) serve(ctx context.Context) error {
	for _, t := range []*track{b.events, b.data} {
		if err := t.listen(b.link.conn); err != nil {
			return fmt.Errorf("listen for acknowledgements: %w", err)
		}
	}
	if err := b.keeper.connect(b.link.conn); err != nil {
		return err
	}
	if !b.link.conn.IsConnected() {
		return nil
	}
	if err := b.keeper.admit(ctx); err != nil {
		return err
	}
	b.keeper.setUp(ctx)
	b.keeper.report()
	return b.Err()
}

// announce answers calls from now on.
func (b *Bridge) announce(ctx context.Context) error {
	if err := b.startCalls(); err != nil {
		return fmt.Errorf("answer calls: %w", err)
	}
	// Whoever is told that the node is there must find it.
	if err := b.link.flush(ctx); err != nil {
		return fmt.Errorf("announce the calls: %w", err)
	}
	return nil
}

var errClosing = errors.New("the node is stopping")

func (b *Bridge) startCalls() error {
	b.answering.Lock()
	defer b.answering.Unlock()
	if b.silent {
		return errClosing
	}
	if b.answers {
		return nil
	}
	err := b.calls.start()
	b.answers = b.answers || err == nil
	return err
}

// stopCalls answers no more calls.
func (b *Bridge) stopCalls(ctx context.Context) {
	b.answering.Lock()
	b.silent = true
	answers := b.answers
	b.answering.Unlock()
	if answers {
		b.calls.stop(ctx)
	}
}

// Epoch returns the epoch of this start.
func (b *Bridge) Epoch() string { return b.config.Epoch }

// Displaced is closed when another node has the name: this one has given way and says nothing any more. Err tells why.
// Who runs the bridge ends it.
func (b *Bridge) Displaced() <-chan struct{} { return b.displaced }

// Err is ErrNameTaken once Displaced is closed; nil before.
func (b *Bridge) Err() error {
	select {
	case <-b.displaced:
		return b.why
	default:
		return nil
	}
}

// displace gives way to another node.
func (b *Bridge) displace(why error) {
	b.displacing.Do(func() {
		b.config.Logger.Error("gave way to another node of the same name", "error", why)
		b.why = why
		b.stopCalls(context.Background())
		b.ring.clear()
		b.events.clear()
		b.data.clear()
		close(b.displaced)
	})
}

// Close ends it in order: calls are refused, those that run are cancelled and waited for, the ring is published, the
// streams' acknowledgements are awaited, the connection flushed and closed. What is not done when ctx ends, or cannot be
// done without a server, is given up and named by the error. A second call answers what the first did.
func (b *Bridge) Close(ctx context.Context) error {
	b.closing.Do(func() { b.closed = b.close(ctx) })
	return b.closed
}

func (b *Bridge) close(ctx context.Context) error {
	// A write that a stalled peer blocks holds up everything else that nats.go does, unsubscribing too.
	release := context.AfterFunc(ctx, b.link.wire.end)
	defer release()
	b.stopCalls(ctx)
	b.ring.close()
	b.events.close()
	b.data.close()
	err := b.drain(ctx)
	b.keeper.finish(ctx)
	b.link.close()
	b.keeper.wait()
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
	return b.left(errNotTaken)
}

var errNotTaken = errors.New("the stream does not take them")

// giveUp ends the publisher and says what was left; nil where that is nothing.
func (b *Bridge) giveUp(reason error) error {
	close(b.quit)
	b.link.wire.end()
	<-b.drained
	return b.left(reason)
}

// left says what was not published.
func (b *Bridge) left(reason error) error {
	s := b.Stats()
	left := s.Waiting + s.Events.Waiting + s.Data.Waiting
	if left == 0 {
		return nil
	}
	return fmt.Errorf("%d messages were not published: %w", left, reason)
}

// newEpoch returns a name that sorts by time and that no other start has.
func newEpoch() string {
	return strconv.FormatInt(time.Now().UnixMilli(), 36) + "-" + strings.ToLower(rand.Text()[:6])
}
