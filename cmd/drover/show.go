package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

func newShowCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "show CHANNEL",
		Short: "Show what a channel runs, may reach and serves",
		Long: `Show a channel: its driver and state, its limits, the connections and addresses that it may open and nothing else, its
devices with their gauges, and its points with what was read last.`,
		Example:           "  drover show boiler\n  drover show --json boiler | jq '.members[].points[] | select(.last.q)'",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: g.completeChannel,
		RunE:              func(cmd *cobra.Command, args []string) error { return runShow(cmd.Context(), args[0], g) },
	}
}

func runShow(ctx context.Context, channel string, g *globals) error {
	node, err := g.connect(ctx)
	if err != nil {
		return err
	}
	defer node.close()
	var s message.Show
	if err := node.client.Get(ctx, node.node, "show", map[string]string{"channel": channel}, &s); err != nil {
		return unreachable(err)
	}
	if g.json {
		return g.printJSON(s)
	}
	fmt.Fprint(g.out, showText(g.palette(), s, time.Now()))
	return nil
}

// showText lays a channel out: facts, grants, devices, points.
func showText(p palette, s message.Show, now time.Time) string {
	var b strings.Builder
	fact := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%s %s\n", p.faint(fmt.Sprintf("%-11s", name)), text)
		}
	}
	fact("channel", p.head(s.Channel)+" of node "+s.Node)
	fact("driver", driverText(s.Process))
	fact("", overrideText(s.Override))
	fact("", pendingText(s.Pending))
	fact("state", fmt.Sprintf("%s for %s, attempt %d, generation %d", p.state(s.State.State), age(now, s.State.Since.Time),
		s.State.Attempt, s.State.Generation))
	fact("next", nextText(s.State, now))
	if f := s.State.LastFailure; f != nil {
		fact("failure", printable(fmt.Sprintf("%s in %s, %s ago: %s", f.Code, f.Phase, age(now, f.Time.Time), f.Summary)))
	}
	if q := s.Quarantine; q != nil {
		fact("quarantine", p.bad(printable(fmt.Sprintf("since %s: %s", localTime(q.Since), q.Reason))))
	}
	fact("usage", fmt.Sprintf("cpu %s, memory %s, %.1f points/s", seconds(s.CPU), bytesText(s.Memory), s.PointsPerSecond))
	fact("limits", limitsText(s.Limits))
	fact("retry", retryText(s.Retry))
	fact("delivery", s.Delivery+", log level "+s.LogLevel)
	section := func(title, table string, n int) {
		if n > 0 {
			fmt.Fprintf(&b, "\n%s\n%s\n", p.head(title), table)
		}
	}
	section("may reach", grantTable(p, s.Grants), len(s.Grants))
	section("devices", memberTable(p, s.Members, now), len(s.Members))
	section("points", memberPointTable(p, s.Members, now), s.Points)
	return b.String()
}

func driverText(c message.Process) string {
	if c.Digest == "" {
		return "none: it cannot be loaded"
	}
	return printable(c.Driver + " " + c.Version + ", " + c.Digest)
}

// nextText says when the channel is tried again.
func nextText(s message.State, now time.Time) string {
	if !s.NextRetry.After(now) {
		return ""
	}
	text := fmt.Sprintf("attempt in %.0fs", s.NextRetry.Sub(now).Seconds())
	if s.RetriesLeft != nil {
		text += fmt.Sprintf(", %d left", *s.RetriesLeft)
	}
	return text
}

func limitsText(l message.Limits) string {
	return fmt.Sprintf("memory %s, stack %s, compute %s, cpu %.0f%%, %d samples/s, %s/s, %d log lines/s, %d streams",
		bytesText(l.Memory), bytesText(l.Stack), span(l.Compute), l.CPU*100, l.Samples, bytesText(l.Bytes), l.Log, l.Streams)
}

func retryText(r message.Retry) string {
	attempts := "unlimited"
	if r.Attempts != nil {
		attempts = strconv.Itoa(*r.Attempts)
	}
	return fmt.Sprintf("%s to %s, %s attempts", span(r.Initial), span(r.Max), attempts)
}

// span is a length of time from its seconds.
func span(s float64) string { return time.Duration(s * float64(time.Second)).String() }

func grantTable(p palette, grants []message.Grant) string {
	t := newTable(p, "NAME", "KIND", "TO", "")
	for _, g := range grants {
		name := g.Name
		if name == "" {
			name = p.faint("(pattern)")
		}
		t.AppendRow(table.Row{name, g.Kind, printable(g.To), printable(grantNote(g))})
	}
	return t.Render()
}

// grantNote says how it is opened.
func grantNote(g message.Grant) string {
	var notes []string
	if g.Mode != "" {
		notes = append(notes, g.Mode)
	}
	if g.Local != "" {
		notes = append(notes, "bound to "+g.Local)
	}
	if len(g.From) > 0 {
		notes = append(notes, "for "+strings.Join(g.From, ", "))
	}
	if t := g.TLS; t != nil {
		notes = append(notes, "TLS with "+t.ServerName)
		if t.CA != "" {
			notes = append(notes, "trusting "+t.CA)
		}
		if t.Cert != "" {
			notes = append(notes, "as "+t.Cert)
		}
	}
	return strings.Join(notes, ", ")
}

func memberTable(p palette, members []message.Member, now time.Time) string {
	t := newTable(p, "DEVICE", "STATUS", "SINCE", "POINTS", "GAUGES")
	t.SetColumnConfigs([]table.ColumnConfig{rightAligned(3), rightAligned(4)})
	for _, m := range members {
		t.AppendRow(table.Row{m.Device, p.status(m), age(now, m.Since.Time), len(m.Points), gaugesText(m.Gauges)})
	}
	return t.Render()
}

// status paints a device's status, and says why.
func (p palette) status(m message.Member) string {
	text := printable(m.Status)
	if m.Reason != "" {
		text += " (" + printable(m.Reason) + ")"
	}
	switch m.Status {
	case "online":
		return p.good(text)
	case "degraded":
		return p.warn(text)
	}
	return p.bad(text)
}

func gaugesText(gauges map[string]float64) string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(gauges)) {
		words = append(words, printable(name)+"="+strconv.FormatFloat(gauges[name], 'g', 4, 64))
	}
	return strings.Join(words, " ")
}

func memberPointTable(p palette, members []message.Member, now time.Time) string {
	t := newTable(p, "POINT", "TYPE", "ACCESS", "EVERY", "VALUE", "UNIT", "AGE", "")
	t.SetColumnConfigs([]table.ColumnConfig{rightAligned(4), rightAligned(5), rightAligned(7)})
	for _, m := range members {
		for _, point := range m.Points {
			t.AppendRow(pointRow(p, m.Device, point, now))
		}
	}
	return t.Render()
}

func pointRow(p palette, device string, point message.MemberPoint, now time.Time) table.Row {
	typ, every := point.Type, "-"
	if point.Count > 0 {
		typ += fmt.Sprintf("[%d]", point.Count)
	}
	if point.Every > 0 {
		every = span(point.Every)
	}
	var s shown
	if v := point.Last; v != nil {
		s = shown{value: printable(strings.Trim(string(v.V), `"`)), code: v.Code, quality: v.Q, at: v.TS.Time}
	}
	note := ""
	switch {
	case s.quality != "":
		note = quality(p, s)
	case !point.Served:
		note = p.faint("not served")
	}
	return table.Row{device + "." + point.Point, typ, point.Access, every, s.value, point.Unit, age(now, s.at), note}
}
