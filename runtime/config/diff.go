package config

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Effect is what it takes for a change to hold in a node that runs.
type Effect string

// The effects, the least first.
const (
	// EffectNone is nothing at all.
	EffectNone Effect = "none"
	// EffectInPlace changes the host alone: the driver does not notice.
	EffectInPlace Effect = "in-place"
	// EffectSwap is a swap to the same driver, which keeps the connections.
	EffectSwap Effect = "swap"
	// EffectReconnect is a swap to the same driver with other connections: those there are are closed.
	EffectReconnect Effect = "reconnect"
	// EffectDriver is a swap to another driver.
	EffectDriver Effect = "driver"
	// EffectAdd and EffectRemove are of whole channels.
	EffectAdd    Effect = "add"
	EffectRemove Effect = "remove"
	// EffectRestart waits for the next start of the node.
	EffectRestart Effect = "restart"
)

var effects = []Effect{
	EffectNone, EffectInPlace, EffectSwap, EffectReconnect, EffectDriver, EffectAdd, EffectRemove, EffectRestart,
}

// Max returns the greater one.
func (e Effect) Max(other Effect) Effect {
	return effects[max(0, slices.Index(effects, e), slices.Index(effects, other))]
}

// Change is one value that differs.
type Change struct {
	// Device is set where the value is of a device. Path is the keys below the device, or else the channel or the node,
	// joined by dots; empty for the device or the channel itself.
	Device, Path string
	// Old and New are the values as text, empty where there is none. Of a secret there is only that it is one.
	Old, New string
	Effect   Effect
}

// ChannelChanges are what differs in a channel: at least one thing. Effect is the greatest of theirs.
type ChannelChanges struct {
	Channel string
	Effect  Effect
	Changes []Change
}

// Difference is what differs between two configurations.
type Difference struct {
	// Node are changes outside of channels: all wait for the next start.
	Node []Change
	// Channels are those that differ: first the removed, then the others in the order of the new configuration.
	Channels []ChannelChanges
}

// Empty says whether nothing differs.
func (d *Difference) Empty() bool { return len(d.Node) == 0 && len(d.Channels) == 0 }

// Hidden returns the JSON Pointers of the values in a part of a channel's configuration that nobody is to read, besides
// its Secrets: those that the driver's schemas call so.
type Hidden func(c *Channel, part *JSON) []string

// Diff compares two configurations. Names and digests of drivers are compared as they stand there. hidden may be nil.
func Diff(before, after *Node, hidden Hidden) *Difference {
	if hidden == nil {
		hidden = func(*Channel, *JSON) []string { return nil }
	}
	d := &Difference{Node: before.diff(after)}
	old, kept := map[string]*Channel{}, map[string]bool{}
	for _, c := range before.Channels {
		old[c.Name] = c
	}
	var rest []ChannelChanges
	for _, c := range after.Channels {
		was := old[c.Name]
		kept[c.Name] = true
		if was == nil {
			rest = append(rest, ChannelChanges{c.Name, EffectAdd, []Change{{New: c.summary(), Effect: EffectAdd}}})
			continue
		}
		if changes := was.diff(c, hidden); len(changes) > 0 {
			rest = append(rest, ChannelChanges{c.Name, effectOf(changes), changes})
		}
	}
	for _, c := range before.Channels {
		if !kept[c.Name] {
			changes := []Change{{Old: c.summary(), Effect: EffectRemove}}
			d.Channels = append(d.Channels, ChannelChanges{c.Name, EffectRemove, changes})
		}
	}
	d.Channels = append(d.Channels, rest...)
	return d
}

func effectOf(changes []Change) Effect {
	greatest := EffectNone
	for _, c := range changes {
		greatest = greatest.Max(c.Effect)
	}
	return greatest
}

func (c *Channel) summary() string {
	points := 0
	for _, d := range c.Devices {
		points += len(d.Points)
	}
	return fmt.Sprintf("%s, %s, %s", c.Driver, count(len(c.Devices), "device"), count(points, "point"))
}

func count(n int, what string) string {
	if n != 1 {
		what += "s"
	}
	return strconv.Itoa(n) + " " + what
}

// diff is what differs in the node itself.
func (n *Node) diff(after *Node) []Change {
	var out differences
	out.values(EffectRestart, "node", n.Name, after.Name)
	out.values(EffectRestart, "data", n.Data, after.Data)
	out.fields(EffectRestart, "nats", n.NATS, after.NATS)
	out.fields(EffectRestart, "http", n.HTTP, after.HTTP)
	out.fields(EffectRestart, "trust", n.Trust, after.Trust)
	return out.list
}

// diff is what differs in a channel.
func (c *Channel) diff(after *Channel, hidden Hidden) []Change {
	var out differences
	out.values(EffectDriver, "driver", c.Driver, after.Driver)
	out.fields(EffectReconnect, "connections", c.Connections, after.Connections)
	out.fields(EffectReconnect, "grants", c.Grants, after.Grants)
	host, guest := c.Limits, after.Limits
	guest.Memory, guest.Stack = host.Memory, host.Stack
	out.fields(EffectInPlace, "limits", host, guest)
	out.fields(EffectSwap, "limits", guest, after.Limits)
	out.fields(EffectInPlace, "retry", c.Retry, after.Retry)
	out.fields(EffectInPlace, "deadlines", c.Deadlines, after.Deadlines)
	out.fields(EffectInPlace, "quarantine", c.Quarantine, after.Quarantine)
	out.values(EffectInPlace, "delivery", string(c.Delivery), string(after.Delivery))
	out.values(EffectInPlace, "messages", choice(c.PointMessages, "device", "point"), choice(after.PointMessages, "device", "point"))
	out.values(EffectInPlace, "integers", choice(c.IntegerText, "number", "string"), choice(after.IntegerText, "number", "string"))
	out.settings(c, after, &c.Settings, &after.Settings, hidden)
	out.devices(c, after, hidden)
	return out.list
}

// differences are those found so far; device is the one that those to come are of.
type differences struct {
	device string
	list   []Change
}

func (d *differences) values(effect Effect, path, before, after string) {
	if before != after {
		d.list = append(d.list, Change{Device: d.device, Path: path, Old: short(before), New: short(after), Effect: effect})
	}
}

// devices compares what is behind a channel.
func (d *differences) devices(before, after *Channel, hidden Hidden) {
	d.order("devices", names(before.Devices), names(after.Devices))
	old := byName(before.Devices)
	for _, now := range after.Devices {
		d.device = now.Name
		was := old[now.Name]
		if delete(old, now.Name); was == nil {
			d.list = append(d.list, Change{Device: now.Name, New: count(len(now.Points), "point"), Effect: EffectSwap})
			continue
		}
		d.settings(before, after, &was.Settings, &now.Settings, hidden)
		d.points(was, now)
	}
	for _, was := range before.Devices {
		if _, gone := old[was.Name]; gone {
			d.list = append(d.list, Change{Device: was.Name, Old: count(len(was.Points), "point"), Effect: EffectSwap})
		}
	}
	d.device = ""
}

func (d *differences) points(before, after *Device) {
	d.order("points", names(before.Points), names(after.Points))
	old := byName(before.Points)
	for _, now := range after.Points {
		was := old[now.Name]
		if delete(old, now.Name); was == nil {
			d.values(EffectSwap, "points."+now.Name, "", now.summary())
			continue
		}
		d.point(was, now)
	}
	for _, was := range before.Points {
		if _, gone := old[was.Name]; gone {
			d.values(EffectSwap, "points."+was.Name, was.summary(), "")
		}
	}
}

func (p *Point) summary() string { return string(p.Type) + " at " + p.Address.shown() }

// same says whether two points have the same values.
func (p *Point) same(other *Point) bool {
	return p == other || p.Address.Raw == other.Address.Raw && p.key() == other.key()
}

func (d *differences) point(before, after *Point) {
	if before.same(after) {
		return
	}
	old, now := before.fields(), after.fields()
	for i, f := range now {
		d.values(f.effect, "points."+after.Name+"."+f.key, old[i].text, f.text)
	}
	if before.Address.Raw != after.Address.Raw && old[0].text == now[0].text {
		d.secret("points." + after.Name + "." + now[0].key)
	}
}

// secret notes that a secret is another one.
func (d *differences) secret(path string) {
	d.list = append(d.list, Change{Device: d.device, Path: path, Old: redacted, New: redacted, Effect: EffectSwap})
}

// pointField is a key of a point.
type pointField struct {
	effect    Effect
	key, text string
}

// fields are the keys of a point, the address first. A key that is not there, or has no meaning, has no text.
func (p *Point) fields() []pointField {
	all := []pointField{
		{EffectSwap, "address", p.Address.shown()},
		{EffectSwap, "type", string(p.Type)},
		{EffectSwap, "count", textUnless(p.Count == 0, p.Count)},
		{EffectSwap, "access", string(p.Access)},
		{EffectSwap, "every", durationOrNone(p.Every)},
		{EffectInPlace, "scale", textUnless(!p.Type.Numeric(), p.Scale)},
		{EffectInPlace, "offset", textUnless(!p.Type.Numeric(), p.Offset)},
		{EffectInPlace, "unit", p.Unit},
		{EffectInPlace, "report", choice(p.Report.Change, "always", "change")},
		{EffectInPlace, "deadband", ""},
		{EffectInPlace, "interval", durationOrNone(p.Report.Interval)},
		{EffectInPlace, "heartbeat", durationOrNone(p.Report.Heartbeat)},
		{EffectInPlace, "range", ""},
	}
	if p.Report.Deadband != 0 {
		all[9].text = strconv.FormatFloat(p.Report.Deadband, 'g', -1, 64)
		if p.Report.Percent {
			all[9].text += "%"
		}
	}
	if p.Range != nil {
		all[12].text = fmt.Sprintf("[%v, %v]", p.Range.Min, p.Range.Max)
	}
	return all
}

func choice(second bool, no, yes string) string {
	if second {
		return yes
	}
	return no
}

// order reports names that are there before and after in another order: the driver has them by their numbers.
func (d *differences) order(path string, before, after []string) {
	common := func(in, other []string) []string {
		there := make(map[string]bool, len(other))
		for _, name := range other {
			there[name] = true
		}
		return slices.DeleteFunc(slices.Clone(in), func(name string) bool { return !there[name] })
	}
	if slices.Equal(before, after) {
		return
	}
	old, now := common(before, after), common(after, before)
	if !slices.Equal(old, now) {
		d.values(EffectSwap, path, "the order "+strings.Join(old, ", "), "the order "+strings.Join(now, ", "))
	}
}

// named is something with a name: a device or a point.
type named interface{ name() string }

func (d *Device) name() string { return d.Name }
func (p *Point) name() string  { return p.Name }

func names[T named](all []T) []string {
	out := make([]string, len(all))
	for i, one := range all {
		out[i] = one.name()
	}
	return out
}

func byName[T named](all []T) map[string]T {
	out := make(map[string]T, len(all))
	for _, one := range all {
		out[one.name()] = one
	}
	return out
}

// short keeps a value short enough for a line.
func short(text string) string {
	const most = 160
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "..."
}
