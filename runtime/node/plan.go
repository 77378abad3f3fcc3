package node

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/record"
	"github.com/droverhq/drover/runtime/store"
)

// plan is what an apply is to do, with everything loaded that it takes.
type plan struct {
	node       *Node
	bundle     *config.Bundle
	dry        bool
	config     *config.Node
	difference *config.Difference
	// wanted are the channels of the configuration, in its order; byName has them as well.
	wanted []*wanted
	byName map[string]*wanted
	// removed are those that it has no more.
	removed []*member
	// swaps are those recorded before.
	swaps    map[string]record.Override
	problems config.Problems
	refused  int // of the problems
	missing  []message.MissingModule
}

// wanted is a channel of the configuration that is applied.
type wanted struct {
	config *config.Channel
	// before is what runs now, nil for a channel that is new.
	before *member
	// reference and digest are the driver; digest is empty where it is not known before it is loaded.
	reference, digest string
	// module is what was loaded, nil where the one before goes on. Whoever takes it over clears it.
	module *module.Module
	// failed is why the driver of a channel that has not changed, and does not run, cannot be had still.
	failed  error
	effect  config.Effect
	changes []config.Change
}

// plan reads a configuration, loads the drivers that it needs, and compares it with what runs. What is wrong with it is in
// the plan. The caller calls discard.
//
// A dry one does not tell how far it is: another may be in progress.
func (n *Node) plan(ctx context.Context, b *config.Bundle, dry bool) (*plan, error) {
	p := &plan{node: n, bundle: b, dry: dry, byName: make(map[string]*wanted), swaps: n.record.Overrides()}
	var err error
	p.config, err = b.Parse()
	if problems, ok := errors.AsType[config.Problems](err); ok {
		p.problems = problems
		return p, nil
	}
	if err != nil {
		return nil, err
	}
	p.problems = append(p.problems, CheckNATS(p.config)...)
	p.collect()
	if !dry {
		n.applying.phase("checking", len(p.wanted))
	}
	p.load(ctx)
	p.compare()
	p.problems.Sort()
	return p, nil
}

// collect finds out which channels there are to be, and what their drivers are found by.
func (p *plan) collect() {
	members := p.node.members.all()
	before := make(map[string]*member, len(members))
	for _, m := range members {
		before[m.name()] = m
	}
	for _, ch := range p.config.Channels {
		w := &wanted{config: ch, before: before[ch.Name]}
		delete(before, ch.Name)
		p.resolve(w)
		p.wanted = append(p.wanted, w)
		p.byName[ch.Name] = w
	}
	for _, m := range members {
		if before[m.name()] != nil {
			p.removed = append(p.removed, m)
		}
	}
}

// resolve finds out what a channel's driver is found by: the one that it was swapped to, as long as the configuration
// names the same; the file, if it is what it was where the configuration was read; or else what it was there, by its
// digest.
func (p *plan) resolve(w *wanted) {
	text := w.config.Driver
	if o, swapped := p.swaps[w.config.Name]; swapped && o.Driver == text && w.before != nil {
		w.reference, w.digest = o.Digest, o.Digest
		return
	}
	w.reference = text
	switch {
	case store.IsDigest(text):
		w.digest = text
	case filepath.IsAbs(text):
		w.digest = p.node.files.digest(text)
		if pinned := p.bundle.Pins[text]; pinned != "" && pinned != w.digest {
			w.reference, w.digest = pinned, pinned
		}
	}
}

// runs says whether the channel runs a driver of that digest already.
func (w *wanted) runs(digest string) bool {
	return w.before != nil && w.before.channel != nil && digest != "" && w.before.module.Digest() == digest
}

// load loads the drivers of the channels that do not run them already, side by side, and holds all settings against
// their schemas.
func (p *plan) load(ctx context.Context) {
	from := p.node.library.batch()
	var loading sync.WaitGroup
	slots := make(chan struct{}, loadsAtOnce)
	for _, w := range p.wanted {
		loading.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			if !w.runs(w.digest) || w.before.config.Limits.Stack != w.config.Limits.Stack {
				w.module, w.failed = from.load(ctx, w.reference, limits(w.config.Limits).Limits)
			}
			if !p.dry {
				p.node.applying.step()
			}
		})
	}
	loading.Wait()
	for _, w := range p.wanted {
		if w.module != nil && w.module == w.before.moduleOrNil() {
			w.drop(ctx) // it is the one that runs, found by another name
		}
		p.check(w, from)
	}
}

// loadsAtOnce bounds how many drivers are loaded at a time.
const loadsAtOnce = 16

// moduleOrNil is a member's module. A nil member has none.
func (m *member) moduleOrNil() *module.Module {
	if m == nil {
		return nil
	}
	return m.module
}

// drop releases what was loaded.
func (w *wanted) drop(ctx context.Context) {
	_ = w.module.Release(ctx) // another has it still, or nobody has run it
	w.module = nil
}

// driver is the module that the channel is to run.
func (w *wanted) driver() *module.Module {
	if w.module != nil {
		return w.module
	}
	return w.before.moduleOrNil()
}

// check notes what is wrong with a channel's driver, or its settings.
func (p *plan) check(w *wanted, from loading) {
	if w.failed != nil {
		p.failedToLoad(w)
		return
	}
	problems, err := from.check(w.driver().Metadata(), w.config)
	if err != nil {
		p.refuse(w, err)
		return
	}
	p.problems = append(p.problems, problems...)
}

func (p *plan) failedToLoad(w *wanted) {
	if w.before != nil && w.before.channel == nil && w.before.config.Driver == w.config.Driver && w.before.reference() == w.reference {
		return // as before: this configuration has not brought it
	}
	if errors.Is(w.failed, store.ErrNotFound) && w.reference == p.bundle.Pins[w.config.Driver] {
		missing := message.MissingModule{Path: w.config.Driver, Digest: w.reference}
		if !slices.Contains(p.missing, missing) {
			p.missing = append(p.missing, missing)
		}
		w.failed = fmt.Errorf("%w: the configuration was read where %s is %s", w.failed, w.config.Driver, shortDigest(w.reference))
	}
	p.refuse(w, w.failed)
}

// refuse notes a driver that cannot be had, or that the node does not take.
func (p *plan) refuse(w *wanted, err error) {
	p.problems = append(p.problems, driverProblem(p.config, w.config, err))
	switch loadFailure(w.config, err).Code {
	case failure.GrantDenied, failure.ABIVersion, failure.ABIImport, failure.ABIExport, failure.ABIEncoding:
		p.refused++
	}
}

// compare compares what is wanted with what runs.
func (p *plan) compare() {
	running := *p.node.config.Node
	running.Channels = nil
	for _, m := range p.node.members.all() {
		running.Channels = append(running.Channels, m.config)
	}
	p.difference = config.Diff(&running, p.config, p.hidden())
	differ := make(map[string]config.ChannelChanges, len(p.difference.Channels))
	for _, c := range p.difference.Channels {
		differ[c.Channel] = c
	}
	for _, w := range p.wanted {
		w.changes, w.effect = p.changesOf(w, differ[w.config.Name].Changes)
	}
}

// changesOf are the changes of a channel: those of its configuration, and that of the driver itself.
func (p *plan) changesOf(w *wanted, changes []config.Change) ([]config.Change, config.Effect) {
	changes = slices.DeleteFunc(slices.Clone(changes), func(c config.Change) bool { return c.Device == "" && c.Path == "driver" })
	switch {
	case w.before == nil:
		return changes, config.EffectAdd
	case w.failed != nil && w.before.channel == nil:
		if len(changes) == 0 {
			return nil, config.EffectNone
		}
		return changes, config.EffectInPlace
	case w.before.channel == nil:
		what := config.Change{Path: "driver", Old: "not loaded", New: w.driverText(), Effect: config.EffectAdd}
		return append(changes, what), config.EffectAdd
	}
	old, now := w.before.module.Digest(), w.driver().Digest()
	text := w.before.config.Driver != w.config.Driver
	if effect := config.EffectDriver; old != now || text {
		if old == now {
			effect = config.EffectNone
		}
		from := config.Change{Path: "driver", Old: p.driverBefore(w), New: w.driverText(), Effect: effect}
		changes = append([]config.Change{from}, changes...)
	}
	effect := config.EffectNone
	for _, c := range changes {
		effect = effect.Max(c.Effect)
	}
	return changes, effect
}

func (w *wanted) driverText() string {
	return w.config.Driver + " (" + shortDigest(w.driver().Digest()) + ")"
}

// driverBefore is what runs, and whether that was a swap.
func (p *plan) driverBefore(w *wanted) string {
	text := w.before.config.Driver
	if o, swapped := p.swaps[w.config.Name]; swapped {
		text = "a swap of " + text
		if o.Reference != "" {
			text += " to " + o.Reference
		}
	}
	return text + " (" + shortDigest(w.before.module.Digest()) + ")"
}

// hidden tells which settings of a channel nobody is to read: what the schemas of the driver that runs call so, and those
// of the one that is to.
func (p *plan) hidden() config.Hidden {
	compiled := make(map[string]schemas)
	of := func(m *module.Module) schemas {
		if m == nil {
			return schemas{}
		}
		s, known := compiled[m.Digest()]
		if !known {
			s, _ = drivers.of(m.Metadata()) // a driver whose schemas are wrong was refused
			compiled[m.Digest()] = s
		}
		return s
	}
	return func(ch *config.Channel, part *config.JSON) []string {
		w := p.byName[ch.Name]
		if w == nil {
			return nil
		}
		return append(of(w.driver()).hidden(ch, part), of(w.before.moduleOrNil()).hidden(ch, part)...)
	}
}

// discard releases the drivers that nobody has taken over.
func (p *plan) discard(ctx context.Context) {
	for _, w := range p.wanted {
		if w.module != nil {
			w.drop(ctx)
		}
	}
}
