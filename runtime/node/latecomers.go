package node

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/store"
	"github.com/droverhq/drover/runtime/store/signature"
)

// latecomers are channels whose drivers were not to be had when they were wanted: not in the node's own store while the
// bucket could not be asked, in neither, damaged, or not signed. They are tried again when the bucket changes, every
// lateEvery, and when somebody starts the channel.
type latecomers struct {
	// starting is held for reading while a channel gets its driver late, and for writing to have no more of that.
	starting sync.RWMutex
	over     bool
	cancel   context.CancelFunc
	waiting  sync.WaitGroup
}

// lateEvery is how often drivers that are missing are looked for without a reason. It costs nothing where none is.
const lateEvery = 10 * time.Second

// start looks for missing drivers until stop.
func (l *latecomers) start(n *Node) {
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	l.waiting.Go(func() { n.lookAgain(ctx) })
}

// stop returns when no channel gets its driver late any more, and none will.
func (l *latecomers) stop() {
	if l.cancel != nil {
		l.cancel()
	}
	l.waiting.Wait()
	l.starting.Lock()
	defer l.starting.Unlock()
	l.over = true
}

// lookAgain looks for missing drivers until ctx ends.
func (n *Node) lookAgain(ctx context.Context) {
	changed := make(chan struct{}, 1)
	end := func() {}
	defer func() { end() }()
	ticker := time.NewTicker(lateEvery)
	defer ticker.Stop()
	for listening := false; ; {
		late := n.late()
		if len(late) > 0 && !listening {
			listening = true
			if stop, err := n.bridge.ModulesChanged(func() { poke(changed) }); err == nil {
				end = stop
			}
		}
		from := n.library.batch()
		for _, m := range late {
			if _, err := n.revive(ctx, from, m.name()); err != nil && ctx.Err() == nil {
				n.config.Logger.Debug("a channel's driver is still missing", "channel", m.name(), "error", err)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-changed:
		case <-ticker.C:
		}
	}
}

func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// late are the members that the bucket may have a driver for, or a signature of it.
func (n *Node) late() []*member {
	var out []*member
	for _, m := range n.members.all() {
		if m.mayCome() {
			out = append(out, m)
		}
	}
	return out
}

// mayCome says whether what the member is without may be in the bucket.
func (m *member) mayCome() bool {
	if m.channel != nil || m.module != nil || m.failure == nil {
		return false
	}
	cause := m.failure.Cause
	return errors.Is(cause, signature.ErrUntrusted) ||
		!filepath.IsAbs(m.reference()) && (errors.Is(cause, store.ErrNotFound) || errors.Is(cause, store.ErrDamaged))
}

// loadFromBucket loads what could not be loaded without the bucket.
func (n *Node) loadFromBucket(ctx context.Context) error {
	return n.loadMembers(ctx, n.late())
}

// revive gives a channel that has none its driver, where it can be loaded by now. The member that is returned has a
// channel, which was started, or says why it has none. Where the reason is still the same, nothing is told again.
func (n *Node) revive(ctx context.Context, from loading, name string) (*member, error) {
	n.latecomers.starting.RLock()
	defer n.latecomers.starting.RUnlock()
	if n.latecomers.over {
		return nil, message.ErrNotReady.With("the node is stopping")
	}
	release, err := n.members.hold("a start", name)
	if err != nil {
		return nil, err
	}
	defer release()
	m, err := n.members.find(name)
	if err != nil || m.channel != nil {
		return m, err
	}
	next := &member{config: m.config, shift: m.shift, driver: m.driver}
	if problems := next.load(ctx, from); len(problems) > 0 {
		err := next.module.Release(ctx)
		next.module = nil
		next.fail(settingsFailure(problems, err))
	}
	if next.module == nil && m.failure != nil && m.failure.Code == next.failure.Code && m.failure.Summary == next.failure.Summary {
		return m, nil
	}
	if err := n.open(next); err != nil {
		return nil, errors.Join(err, next.module.Release(ctx))
	}
	n.members.replace(next)
	if next.channel != nil {
		next.channel.Start()
	}
	return next, nil
}

// settingsFailure is the failure of a channel whose settings do not fit the driver that it got late.
func settingsFailure(problems config.Problems, also error) *failure.Failure {
	problems.Sort()
	f := failure.New(failure.PhaseDescribe, failure.IOInvalid, strings.ReplaceAll(problems.Error(), "\n", "; "))
	f.Kind, f.Cause = failure.Fatal, errors.Join(problems, also)
	return f
}
