package main

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// pointKey names a point within a node.
type pointKey struct{ channel, device, point string }

func (k pointKey) String() string { return k.channel + "/" + k.device + "." + k.point }

func (k pointKey) compare(other pointKey) int {
	return cmp.Or(
		cmp.Compare(k.channel, other.channel),
		cmp.Compare(k.device, other.device),
		cmp.Compare(k.point, other.point),
	)
}

// shown is the latest reading of a point.
type shown struct {
	value, code string
	quality     string
	at          time.Time
}

// values is what a live table shows: the latest reading of every point, its unit, and the state of every channel.
type values struct {
	points map[pointKey]shown
	units  map[pointKey]string
	met    map[pointKey]bool // devices
	states map[string]message.State
}

func newValues() *values {
	return &values{
		points: map[pointKey]shown{}, units: map[pointKey]string{}, met: map[pointKey]bool{}, states: map[string]message.State{},
	}
}

func (v *values) handle(channel, device string, handle message.Handle) {
	v.met[pointKey{channel: channel, device: device}] = true
	for point, d := range handle.Points {
		v.units[pointKey{channel, device, point}] = d.Unit
	}
}

// knows says whether the handle of a device has been seen.
func (v *values) knows(channel, device string) bool {
	return v.met[pointKey{channel: channel, device: device}]
}

func (v *values) data(channel, device, point string, at time.Time, p message.Point) shown {
	s := shown{value: strings.Trim(string(p.V), `"`), code: p.Code, quality: cmp.Or(p.Q, "good"), at: at}
	if !p.TS.IsZero() {
		s.at = p.TS.Time
	}
	v.points[pointKey{channel, device, point}] = s
	return s
}

// render returns the table with at most rows lines and columns characters a line; 0 is without end.
func (v *values) render(p palette, now time.Time, rows, columns int) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(v.states)) {
		line := p.head(name) + " " + p.state(v.states[name].State) + reason(v.states[name])
		if columns > 0 {
			line = text.Trim(line, columns)
		}
		b.WriteString(line + "\n")
	}
	t := newTable(p, "CHANNEL", "DEVICE", "POINT", "VALUE", "UNIT", "AGE", "")
	t.SetColumnConfigs([]table.ColumnConfig{rightAligned(4), rightAligned(6)})
	t.Style().Size.WidthMax = columns
	keys := slices.SortedFunc(maps.Keys(v.points), pointKey.compare)
	hidden := 0
	if room := rows - len(v.states) - 4; rows > 0 && len(keys) > room {
		hidden = len(keys) - max(room, 1)
		keys = keys[:len(keys)-hidden]
	}
	for _, k := range keys {
		s := v.points[k]
		t.AppendRow(table.Row{k.channel, k.device, k.point, s.value, v.units[k], age(now, s.at), quality(p, s)})
	}
	b.WriteString("\n" + t.Render() + "\n")
	if hidden > 0 {
		b.WriteString(p.faint(plural(hidden, "more point")) + "\n")
	}
	return b.String()
}
