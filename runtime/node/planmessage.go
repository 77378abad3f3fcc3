package node

import (
	"maps"
	"slices"
	"strings"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

const (
	// toldDevices is how many devices are named that have the same change.
	toldDevices = 8
	// toldChanges is how many changes are told of channels that differ alike, mostChanges of all.
	toldChanges = 200
	mostChanges = 1000
)

// tell fills in what is to change. Its size is bounded, whatever differs: what is the same in several devices, or
// channels, is there once.
func (p *plan) tell(out *message.Applied) {
	for _, problem := range p.problems {
		out.Problems = append(out.Problems, message.Problem{
			File: problem.File, Line: problem.Line, Column: problem.Column, Path: problem.Path, Message: problem.Message,
		})
	}
	out.Refused = p.refused > 0 && p.refused == len(p.problems)
	out.Missing = p.missing
	if p.difference == nil {
		return
	}
	out.Restart = changesOf(p.difference.Node)
	out.Overrides = p.overrides()
	var groups groups
	for _, m := range p.removed {
		groups.add(m.name(), config.EffectRemove, p.summary(m.name()))
	}
	for _, w := range p.wanted {
		if w.effect != config.EffectNone || len(w.changes) > 0 {
			groups.add(w.config.Name, w.effect, w.changes)
		}
	}
	out.Changes = append(out.Changes, groups.list...)
}

// summary is what the difference says of a whole channel.
func (p *plan) summary(channel string) []config.Change {
	i := slices.IndexFunc(p.difference.Channels, func(c config.ChannelChanges) bool { return c.Channel == channel })
	if i < 0 {
		return nil
	}
	return p.difference.Channels[i].Changes
}

// overrides are the swaps that hold on, and those that end.
func (p *plan) overrides() []message.AppliedOverride {
	var out []message.AppliedOverride
	for _, name := range slices.Sorted(maps.Keys(p.swaps)) {
		o, w := p.swaps[name], p.byName[name]
		out = append(out, message.AppliedOverride{
			Channel: name, Override: overrideMessage(o), Ended: w == nil || w.config.Driver != o.Driver,
		})
	}
	return out
}

// groups are channels by what differs in them.
type groups struct {
	list  []message.ChannelsChange
	keys  []string
	count int
}

func (g *groups) add(channel string, effect config.Effect, changes []config.Change) {
	told := changesOf(changes)
	key := keyOf(effect, told)
	if i := slices.Index(g.keys, key); i >= 0 {
		g.list[i].Channels = append(g.list[i].Channels, channel)
		return
	}
	c := message.ChannelsChange{Channels: []string{channel}, Effect: string(effect)}
	room := max(0, min(toldChanges, mostChanges-g.count, len(told)))
	c.Changes, c.More = append([]message.Change{}, told[:room]...), len(told)-room
	g.count += room
	g.list, g.keys = append(g.list, c), append(g.keys, key)
}

// keyOf is the same for channels that differ alike.
func keyOf(effect config.Effect, changes []message.Change) string {
	var b strings.Builder
	b.WriteString(string(effect))
	for _, c := range changes {
		for _, part := range append([]string{c.Path, c.Old, c.New}, c.Devices...) {
			b.WriteString("\x00" + part)
		}
	}
	return b.String()
}

// changesOf joins what is the same in several devices.
func changesOf(changes []config.Change) []message.Change {
	type key struct{ path, old, now string }
	places := make(map[key]int)
	var out []message.Change
	for _, c := range changes {
		k := key{c.Path, c.Old, c.New}
		i, known := places[k]
		if c.Device == "" || !known {
			places[k] = len(out)
			told := message.Change{Path: c.Path, Old: c.Old, New: c.New, Effect: string(c.Effect)}
			if c.Device != "" {
				told.Devices = []string{c.Device}
			}
			out = append(out, told)
			continue
		}
		if len(out[i].Devices) < toldDevices {
			out[i].Devices = append(out[i].Devices, c.Device)
		} else {
			out[i].MoreDevices++
		}
	}
	return out
}
