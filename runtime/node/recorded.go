package node

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/record"
)

// Source is where the configuration of a node came from, so that it can be recorded. Without one, a node records swaps
// alone.
type Source struct {
	Bundle *config.Bundle
	// By is who applied it, How one of the constants of package record.
	By, How string
	// At is when it was applied; now, when it is zero.
	At time.Time
	// Kept are the channels that are not those of Bundle: what was applied to them before is, because they were rolled
	// back to it. Each has the digest of the configuration that it is of.
	Kept map[string]string
}

// Collect reads the configuration in a file, as `drover run -c` does. The error is config.Problems when the file could be
// read.
func Collect(path string) (*config.Node, *Source, error) {
	b, c, err := config.LoadBundle(path)
	if err != nil {
		return nil, nil, err
	}
	return c, &Source{Bundle: b, How: record.HowRun}, nil
}

// LastApplied returns the configuration that was applied last in a data directory. Errors wrap record.ErrNone and
// record.ErrDamaged, or are config.Problems: of a secret that is there no more.
func LastApplied(data string) (*config.Node, *Source, error) {
	r, err := record.Open(data)
	if err != nil {
		return nil, nil, err
	}
	a, ok := r.Applied()
	if !ok {
		return nil, nil, fmt.Errorf("%w in %s", record.ErrNone, data)
	}
	b, err := bundleOf(r, a.Bundle)
	if err != nil {
		return nil, nil, err
	}
	c, err := b.Parse()
	if err != nil {
		return nil, nil, err
	}
	if err := keep(r, c, a.Kept); err != nil {
		return nil, nil, err
	}
	return c, &Source{Bundle: b, By: a.By, How: a.How, At: a.At, Kept: a.Kept}, nil
}

func bundleOf(r *record.Record, digest string) (*config.Bundle, error) {
	data, err := r.Bundle(digest)
	if err != nil {
		return nil, err
	}
	return config.Unpack(data)
}

// keep puts the channels that were rolled back to an earlier configuration in their places.
func keep(r *record.Record, c *config.Node, kept map[string]string) error {
	parsed := make(map[string]*config.Node)
	for _, name := range slices.Sorted(maps.Keys(kept)) {
		digest := kept[name]
		if parsed[digest] == nil {
			b, err := bundleOf(r, digest)
			if err != nil {
				return fmt.Errorf("channel %q, which was rolled back: %w", name, err)
			}
			if parsed[digest], err = b.Parse(); err != nil {
				return fmt.Errorf("channel %q, which was rolled back: %w", name, err)
			}
		}
		named := func(ch *config.Channel) bool { return ch.Name == name }
		to, from := slices.IndexFunc(c.Channels, named), slices.IndexFunc(parsed[digest].Channels, named)
		if to >= 0 && from >= 0 {
			c.Channels[to] = parsed[digest].Channels[from]
		}
	}
	return nil
}

// note records what the node runs with: the configuration, the drivers that its paths stand for, and the swaps that hold.
// What cannot be recorded is logged, and returned.
func (n *Node) note(s *Source) error {
	swaps := n.record.Overrides()
	for _, ended := range n.endedSwaps() {
		delete(swaps, ended)
	}
	if s == nil {
		return nil
	}
	before := n.record.Pins()
	pins := make(map[string]record.Pin)
	for _, m := range n.members.all() {
		if pin, ok := m.pinOf(); ok {
			pins[m.name()] = pin
		}
		was, pinned := before[m.name()]
		if _, swapped := swaps[m.name()]; pinned && was.Driver == m.config.Driver && (swapped || m.module == nil) {
			pins[m.name()] = was // what runs is not what the path stands for
		} else if swapped {
			delete(pins, m.name())
		}
	}
	data, err := s.Bundle.Pack()
	if err == nil {
		at := s.At
		if at.IsZero() {
			at = time.Now().UTC()
		}
		a := record.Applied{File: s.Bundle.File, By: s.By, How: s.How, At: at, Kept: s.Kept}
		err = n.record.Apply(data, a, pins, swaps)
	}
	if err != nil {
		n.config.Logger.Error("what was applied is not recorded", "error", err)
	}
	return err
}

// endedSwaps are the channels whose recorded swap holds no more: they are gone, or their configuration names another
// driver by now.
func (n *Node) endedSwaps() []string {
	var ended []string
	for name, o := range n.record.Overrides() {
		m, err := n.members.find(name)
		if err != nil || m.config.Driver != o.Driver {
			ended = append(ended, name)
		}
	}
	slices.Sort(ended)
	return ended
}

// restoreSwaps drops swaps that the configuration has ended, at the start of the node.
func (n *Node) restoreSwaps() error {
	var errs []error
	for _, name := range n.endedSwaps() {
		o, _, err := n.record.ClearOverride(name)
		n.config.Logger.Info("a swap has ended: the configuration names another driver", "channel", name, "digest", o.Digest)
		errs = append(errs, err)
	}
	return errors.Join(errs...)
}
