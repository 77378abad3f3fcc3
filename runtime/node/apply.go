package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/record"
	"github.com/droverhq/drover/runtime/store"
)

// DefaultApplyTrial is how long a channel that an apply has swapped is watched, unless somebody says otherwise. It is
// shorter than that of a swap: the driver is the same as a rule.
const DefaultApplyTrial = 10 * time.Second

// ApplyOptions say how to apply a configuration.
type ApplyOptions struct {
	// DryRun tells what would change, and changes nothing.
	DryRun bool
	// By is who applies it, How one of the constants of package record.
	By, How string
	// Trial is how long a channel that is swapped is watched before that holds: what breaks within it is rolled back.
	Trial time.Duration
}

// applying is the one apply that may be in progress, and what became of the last.
type applying struct {
	mu      sync.Mutex
	over    bool // there will be no other
	cancel  context.CancelFunc
	running sync.WaitGroup
	now     message.Applying
	// orphans are drivers of sessions that may still run.
	orphans []*module.Module
}

// orphan keeps the driver of a swap whose end nobody has seen: it is released after its channel.
func (a *applying) orphan(m *module.Module) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.orphans = append(a.orphans, m)
}

// release releases the orphans. Their channels are closed.
func (a *applying) release(ctx context.Context) error {
	var errs []error
	for _, m := range a.orphans {
		errs = append(errs, m.Release(ctx))
	}
	return errors.Join(errs...)
}

// begin says that an apply begins, which stop ends; false once that was called.
func (a *applying) begin() (context.Context, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.over {
		return nil, false
	}
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel = cancel
	a.running.Add(1)
	a.now = message.Applying{Running: true, Started: message.Time{Time: time.Now()}, Last: a.now.Last}
	return ctx, true
}

func (a *applying) end(result *message.Applied) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.cancel()
	if result == nil {
		result = a.now.Last
	}
	a.now = message.Applying{Last: result}
	a.running.Done()
}

// stop ends the apply in progress and has none begin any more. It returns when it is over.
func (a *applying) stop() {
	a.mu.Lock()
	a.over = true
	if a.cancel != nil {
		a.cancel()
	}
	a.mu.Unlock()
	a.running.Wait()
}

// phase says what is done from now on, with how many channels.
func (a *applying) phase(name string, total int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now.Phase, a.now.Done, a.now.Total = name, 0, total
}

// step says that one more channel is done.
func (a *applying) step() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.now.Done++
}

// getApply answers how far an apply is, and what became of the last.
func (n *Node) getApply(context.Context, []byte) (any, error) {
	n.applying.mu.Lock()
	defer n.applying.mu.Unlock()
	out := n.applying.now
	out.Node, out.Epoch = n.config.Node.Name, n.bridge.Epoch()
	return out, nil
}

// ctlApply applies a configuration that a caller sends.
func (n *Node) ctlApply(ctx context.Context, body []byte) (any, error) {
	var request message.Apply
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, message.ErrBody.With(fmt.Sprintf(`the body is not {"bundle":"..."}: %v`, err))
	}
	b, err := config.Unpack(request.Bundle)
	if err != nil {
		return nil, message.ErrBody.With(err.Error())
	}
	o := ApplyOptions{DryRun: request.DryRun, By: request.By, How: record.HowApply, Trial: DefaultApplyTrial}
	if request.Trial != nil {
		if *request.Trial < 0 || *request.Trial > time.Hour.Seconds() {
			return nil, message.ErrBody.With(fmt.Sprintf("a trial of %v s: expected 0 to %v", *request.Trial, time.Hour.Seconds()))
		}
		o.Trial = time.Duration(*request.Trial * float64(time.Second))
	}
	return n.Apply(ctx, b, o)
}

// Apply has the node run another configuration: it changes what differs, and leaves alone what does not. Everything that
// can be checked is checked before anything is touched: the answer has what is wrong then. Removed channels end first,
// then those that differ change, side by side, then the new ones start. A channel that does not come up with what is new
// is rolled back, and the others go on.
//
// The error is a *message.Error: ErrConflict while another apply, or a swap, is in progress. Once the node has begun to
// change, it goes on when ctx ends.
func (n *Node) Apply(ctx context.Context, b *config.Bundle, o ApplyOptions) (message.Applied, error) {
	begin := time.Now()
	out := message.Applied{
		Node: n.config.Node.Name, Epoch: n.bridge.Epoch(), File: b.File, By: o.By, DryRun: o.DryRun,
		Changes: []message.ChannelsChange{},
	}
	if o.DryRun {
		err := n.planned(ctx, b, &out, nil)
		out.Duration = time.Since(begin).Seconds()
		return out, err
	}
	release, err := n.members.hold("an apply")
	if err != nil {
		return out, err
	}
	life, ok := n.applying.begin()
	if !ok {
		release()
		return out, message.ErrNotReady.With("the node is stopping")
	}
	var result *message.Applied
	defer func() {
		release() // first: who hears that it is over may ask for the next
		n.applying.end(result)
	}()
	err = n.planned(life, b, &out, func(p *plan) error {
		if err := context.Cause(ctx); err != nil {
			return err // who asked for it waits no more
		}
		out.Results = n.carryOut(life, p, o)
		if err := n.note(&Source{Bundle: b, By: o.By, How: o.How, Kept: n.keptOf(p, out.Results)}); err != nil {
			out.Unrecorded = err.Error()
		}
		n.library.prune(n.inUse())
		return nil
	})
	if err != nil {
		return out, err
	}
	out.Duration = time.Since(begin).Seconds()
	told := out
	result = &told
	n.logApplied(&out)
	return out, nil
}

// planned makes a plan, tells it, and does what is to be done with it where nothing is wrong with it.
func (n *Node) planned(ctx context.Context, b *config.Bundle, out *message.Applied, do func(*plan) error) error {
	p, err := n.plan(ctx, b, do == nil)
	if err != nil {
		return err
	}
	defer p.discard(context.WithoutCancel(ctx))
	p.tell(out)
	if do == nil || len(p.problems) > 0 {
		return nil
	}
	return do(p)
}

func (n *Node) logApplied(a *message.Applied) {
	switch failed := failedOf(a.Results); {
	case len(a.Problems) > 0:
		n.config.Logger.Error("the configuration was not applied: nothing was changed", "file", a.File, "count", len(a.Problems),
			"error", a.Problems[0].Message)
	case failed > 0:
		n.config.Logger.Error("the configuration was applied, but not to all channels", "file", a.File, "channels", len(a.Results),
			"count", failed)
	default:
		n.config.Logger.Info("configuration applied", "file", a.File, "by", a.By, "channels", len(a.Results), "duration",
			time.Duration(a.Duration*float64(time.Second)))
	}
}

func failedOf(results []message.ApplyResult) int {
	failed := 0
	for i := range results {
		if !results[i].Succeeded() {
			failed++
		}
	}
	return failed
}

// keptOf are the channels that an earlier configuration holds for, after an apply with these results.
func (n *Node) keptOf(p *plan, results []message.ApplyResult) map[string]string {
	before, ok := n.record.Applied()
	if !ok {
		return nil
	}
	kept := make(map[string]string)
	for i := range results {
		name := results[i].Channel
		if w := p.byName[name]; results[i].Succeeded() || w == nil || w.before == nil {
			continue
		}
		kept[name] = before.Bundle
		if earlier, is := before.Kept[name]; is {
			kept[name] = earlier
		}
	}
	return kept
}

// shortDigest is as much of a digest as people compare.
func shortDigest(digest string) string {
	const most = len("sha256:") + 12
	if store.IsDigest(digest) {
		return digest[:most]
	}
	return digest
}
