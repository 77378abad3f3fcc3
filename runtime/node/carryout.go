package node

import (
	"context"
	"errors"
	"sync"

	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/supervise"
)

// changesAtOnce bounds how many channels are changed, removed or added at a time. Most of a change is the trial, which is
// waiting.
const changesAtOnce = 256

// carryOut does what a plan says, and returns what became of each channel. All channels are held.
func (n *Node) carryOut(ctx context.Context, p *plan, o ApplyOptions) []message.ApplyResult {
	results := make([]message.ApplyResult, 0, len(p.removed))
	tell := func(effect config.Effect, r message.ApplyResult) message.ApplyResult {
		n.bridge.Event(r.Channel, "apply", message.ConfigApplied{ApplyResult: r, Effect: string(effect), By: o.By})
		return r
	}
	n.applying.phase("removing", len(p.removed))
	results = append(results, sideBySide(n, p.removed, func(m *member) message.ApplyResult {
		return tell(config.EffectRemove, n.remove(ctx, m))
	})...)
	var changed, added, same []*wanted
	for _, w := range p.wanted {
		switch {
		case w.before != nil && w.before.channel == nil && w.failed != nil, w.effect == config.EffectNone:
			same = append(same, w)
		case w.effect == config.EffectAdd:
			added = append(added, w)
		default:
			changed = append(changed, w)
		}
	}
	for _, w := range same {
		if r, differs := n.keepOn(w); differs {
			results = append(results, tell(w.effect, r))
		}
	}
	n.applying.phase("changing", len(changed))
	resume := n.freePorts(ctx, changed)
	results = append(results, sideBySide(n, changed, func(w *wanted) message.ApplyResult {
		return tell(w.effect, n.change(ctx, w, o))
	})...)
	resume()
	n.applying.phase("adding", len(added))
	results = append(results, sideBySide(n, added, func(w *wanted) message.ApplyResult {
		return tell(w.effect, n.put(p, w))
	})...)
	n.arrange(p)
	return results
}

// sideBySide does something with each, side by side, and returns what became of them in order.
func sideBySide[T any](n *Node, all []T, do func(T) message.ApplyResult) []message.ApplyResult {
	results := make([]message.ApplyResult, len(all))
	slots := make(chan struct{}, changesAtOnce)
	var running sync.WaitGroup
	for i, one := range all {
		slots <- struct{}{}
		running.Go(func() {
			results[i] = do(one)
			n.applying.step()
			<-slots
		})
	}
	running.Wait()
	return results
}

// arrange puts the members in the order of the configuration.
func (n *Node) arrange(p *plan) {
	order := make([]*member, 0, len(p.wanted))
	for _, w := range p.wanted {
		if m, err := n.members.find(w.config.Name); err == nil {
			order = append(order, m)
		}
	}
	for _, m := range n.members.all() { // those that could not be removed
		if p.byName[m.name()] == nil {
			order = append(order, m)
		}
	}
	n.members.set(order)
}

func failedResult(channel string, err error) message.ApplyResult {
	return message.ApplyResult{Channel: channel, Result: message.AppliedFailed, Why: err.Error()}
}

// remove ends a channel and drops what is kept of it.
func (n *Node) remove(ctx context.Context, m *member) message.ApplyResult {
	name := m.name()
	if m.channel != nil {
		if err := m.channel.Close(context.WithoutCancel(ctx)); err != nil {
			return failedResult(name, err) // a session of it may still run
		}
	}
	n.members.remove(name)
	if m.module != nil {
		if err := m.module.Release(ctx); err != nil {
			n.config.Logger.Warn("a driver's code is not given back", "channel", name, "error", err)
		}
	}
	n.bridge.Forget(name)
	n.config.Logs.Remove(name)
	return message.ApplyResult{Channel: name, Result: message.AppliedRemoved}
}

// put adds a channel, or one that has got its driver only now.
func (n *Node) put(p *plan, w *wanted) message.ApplyResult {
	name := w.config.Name
	next := &member{config: w.config, module: w.module, shift: p.shift(w)}
	if w.reference != w.config.Driver {
		next.driver = w.reference
	}
	n.config.Logs.Add(name)
	if err := n.open(next); err != nil {
		if w.before == nil {
			n.config.Logs.Remove(name)
		}
		return failedResult(name, err)
	}
	w.module = nil
	n.bridge.Deliver(name, w.config.Delivery == config.DeliveryStream)
	n.members.replace(next)
	next.channel.Start()
	return message.ApplyResult{Channel: name, Result: message.AppliedAdded}
}

// shift is where in their periods a channel's reads lie.
func (p *plan) shift(w *wanted) float64 {
	if w.before != nil {
		return w.before.shift
	}
	for i, other := range p.wanted {
		if other == w {
			return float64(i) / float64(len(p.wanted))
		}
	}
	return 0
}

// keepOn has a channel that needs no change go on with the configuration's own words for what it does; differs says
// whether there is something to tell of that.
func (n *Node) keepOn(w *wanted) (r message.ApplyResult, differs bool) {
	n.members.replace(w.next())
	return message.ApplyResult{Channel: w.config.Name, Result: message.AppliedRecorded}, len(w.changes) > 0
}

// next is the member that follows the one before, with the configuration that is wanted.
func (w *wanted) next() *member {
	next := *w.before
	next.config, next.driver = w.config, ""
	if w.reference != w.config.Driver {
		next.driver = w.reference
	}
	return &next
}

// change changes a channel that runs, or would if it were not down.
func (n *Node) change(ctx context.Context, w *wanted, o ApplyOptions) message.ApplyResult {
	next := w.next()
	r := message.ApplyResult{Channel: w.config.Name, Result: message.AppliedInPlace}
	if w.effect != config.EffectInPlace {
		if r = n.swapTo(ctx, w, next, o); !r.Succeeded() {
			return r
		}
	}
	if err := next.channel.Tune(ctx, tuningOf(next)); err != nil {
		return failedResult(w.config.Name, err)
	}
	n.bridge.Deliver(w.config.Name, w.config.Delivery == config.DeliveryStream)
	n.members.replace(next)
	return r
}

func tuningOf(m *member) channel.Tuning {
	return channel.Tuning{
		Devices: devices(m.config, m.shift), Limits: limits(m.config.Limits), PointBatches: m.config.PointMessages,
		Policy: policy(m.config.Retry), Deadlines: deadlines(m.config.Deadlines), Quarantine: quarantine(m.config.Quarantine),
	}
}

// swapTo has the channel of next run next's edition.
func (n *Node) swapTo(ctx context.Context, w *wanted, next *member, o ApplyOptions) message.ApplyResult {
	name := w.config.Name
	if w.module != nil {
		next.module = w.module
	}
	if differs(w.changes, config.EffectReconnect) {
		host, err := n.host(next)
		if err != nil {
			return failedResult(name, err)
		}
		next.host = host
	}
	report, err := next.channel.Swap(ctx, next.edition(), channel.SwapOptions{Trial: o.Trial})
	if err != nil && report.Result != channel.Swapped && report.Result != channel.Adopted {
		if w.module != nil && (ctx.Err() != nil || errors.Is(err, supervise.ErrStuck)) {
			n.applying.orphan(w.module) // a session of it may still run
			w.module = nil
		}
		if report.Result == "" && ctx.Err() == nil && next.host != w.before.host {
			err = errors.Join(err, next.host.Close()) // nobody has begun with it
		}
		return failedResult(name, err)
	}
	if err != nil {
		n.config.Logger.Warn("a swap has left something open", "channel", name, "error", err)
	}
	r := message.ApplyResult{Channel: name, Gap: report.Gap.Seconds()}
	if report.Failure != nil {
		r.Why, r.Code = report.Failure.Summary, string(report.Failure.Code)
	}
	switch report.Result {
	case channel.Swapped:
		r.Result = message.AppliedSwapped
	case channel.Adopted:
		r.Result = message.AppliedAdopted
	case channel.Unchanged:
		r.Result = message.AppliedInPlace
	case channel.RolledBack:
		r.Result = message.AppliedRolledBack
	case channel.Refused:
		r.Result = message.AppliedRefused
	default:
		r.Result, r.Why = message.AppliedFailed, "the channel was stopped meanwhile"
	}
	if r.Succeeded() && w.module != nil {
		old := w.before.module
		w.module = nil
		if err := old.Release(ctx); err != nil {
			n.config.Logger.Warn("a driver's code is not given back", "channel", name, "error", err)
		}
	}
	return r
}

// differs says whether one of the changes takes that.
func differs(changes []config.Change, effect config.Effect) bool {
	for _, c := range changes {
		if c.Effect == effect {
			return true
		}
	}
	return false
}
