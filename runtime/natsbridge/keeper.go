package natsbridge

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// keeper keeps what the node has in JetStream: the bucket of states with the heartbeat, and the streams of events and
// data. It is one goroutine that nobody waits for: a server that does not answer holds up only what is kept.
//
// Everything is made again at each connection, because a server that was restarted has lost what it had in memory.
type keeper struct {
	b     *Bridge
	js    jetstream.JetStream
	shelf *shelf
	poked chan struct{}
	// connections counts them.
	connections atomic.Uint64

	ctx     context.Context
	cancel  context.CancelFunc
	done    chan struct{}
	started atomic.Bool // the goroutine is there

	mu        sync.Mutex
	interrupt context.CancelCauseFunc // of the request under way; nil when there is none

	// What follows belongs to the goroutine, and to New before it.
	connection uint64 // the one that duties are for
	entered    bool   // the node was let in by its name
	duties     []*duty
	lease      lease
	captured   captured
	complaints map[string]string // what is wrong, as it was logged last
	reported   string            // which duties are not done, likewise

	kept            atomic.Bool
	written, failed atomic.Uint64
}

// apiWait is how long a request to JetStream may take.
const apiWait = 2 * time.Second

const defaultHeartbeatTTL = 10 * time.Second

func newKeeper(b *Bridge) *keeper {
	k := &keeper{
		b: b, shelf: newShelf(), poked: make(chan struct{}, 1), done: make(chan struct{}),
		complaints: make(map[string]string),
	}
	k.ctx, k.cancel = context.WithCancel(context.Background())
	k.duties = k.allDuties()
	return k
}

// connect gives it the connection, before anything else is done with it.
func (k *keeper) connect(nc *nats.Conn) error {
	var err error
	k.js, err = jetstream.New(nc, jetstream.WithDefaultTimeout(apiWait),
		jetstream.WithPublishAsyncMaxPending(2*atATime), jetstream.WithPublishAsyncTimeout(apiWait))
	return err
}

var _ watcher = (*keeper)(nil)

// connected implements watcher.
func (k *keeper) connected(up bool) {
	if !up {
		k.b.events.shut("")
		k.b.data.shut("")
		return
	}
	k.connections.Add(1)
	poke(k.poked)
}

// mark says that the values of these keys have changed. It never blocks.
func (k *keeper) mark(keys ...routeKey) {
	k.shelf.mark(keys...)
	poke(k.poked)
}

func (k *keeper) run() {
	defer close(k.done)
	k.started.Store(true)
	for {
		due := k.work(k.ctx)
		timer := time.NewTimer(time.Until(due))
		select {
		case <-k.poked:
		case <-timer.C:
		case <-k.ctx.Done():
			timer.Stop()
			return
		}
		timer.Stop()
	}
}

// finish ends it. What is left is written and the heartbeat taken back, unless ctx ends before.
func (k *keeper) finish(ctx context.Context) {
	k.cancel()
	select {
	case <-k.done:
	case <-ctx.Done():
		return
	}
	if !k.kept.Load() || !k.b.link.connectedNow() || k.b.Err() != nil {
		return
	}
	err := k.write(ctx)
	if err == nil {
		err = k.resign(ctx)
	}
	if err != nil {
		k.b.config.Logger.Warn("the last states were not written", "error", err)
	}
}

// wait returns when the goroutine has ended.
func (k *keeper) wait() {
	<-k.done
	k.js.CleanupPublisher()
}

// work does what is to be done now, and returns when to look again.
func (k *keeper) work(ctx context.Context) time.Time {
	now := time.Now()
	idle := now.Add(k.b.config.HeartbeatTTL / 3)
	if !k.b.link.connectedNow() || k.b.Err() != nil {
		return idle
	}
	if !k.entered {
		if err := k.admit(ctx); err != nil {
			k.giveWayOr(err, "the node does not answer yet")
			return now.Add(time.Second)
		}
	}
	k.nurse(now)
	if k.follow(now) {
		idle = now.Add(leavingPause)
	}
	k.setUp(ctx)
	k.lookForCapture(ctx, now)
	if err := k.interruptible(ctx, k.maintain); err != nil {
		if errors.Is(err, errNone) || errors.Is(err, errGone) { // then the streams may be as well
			k.dueAgain(now)
		}
		k.duties[dutyBucket].problem = err
		if errors.Is(err, ErrNameTaken) {
			k.b.displace(err)
		}
	}
	k.report()
	return k.nextDuty(idle)
}

// giveWayOr gives way if that is what the error says, and logs it otherwise.
func (k *keeper) giveWayOr(err error, what string) {
	if errors.Is(err, ErrNameTaken) {
		k.b.displace(err)
		return
	}
	k.complain(what, err.Error())
}

// complain logs what is wrong and why, once; an empty why says that it is over.
func (k *keeper) complain(what, why string) {
	before := k.complaints[what]
	if why == before || k.ctx.Err() != nil {
		return
	}
	k.complaints[what] = why
	if why == "" {
		k.b.config.Logger.Info("JetStream does again", "problem", what)
		return
	}
	k.b.config.Logger.Warn("JetStream does not", "problem", what, "error", why)
}

// admit asks whether the name is free and answers by it from then on.
func (k *keeper) admit(ctx context.Context) error {
	k.connection = max(k.connections.Load(), 1)
	other, err := k.b.rival(ctx)
	if err != nil {
		return err
	}
	if other != nil {
		return taken(other.Node, other.Epoch)
	}
	if err := k.b.announce(ctx); err != nil {
		return err
	}
	k.entered = true
	close(k.b.admitted)
	return nil
}

func (k *keeper) stats() StateStats {
	return StateStats{
		Kept: k.kept.Load(), Waiting: k.shelf.len(), Written: k.written.Load(), Failed: k.failed.Load(),
	}
}
