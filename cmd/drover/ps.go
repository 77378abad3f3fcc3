package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

func newPsCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "ps",
		Short: "Show the channels of a node and their states",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return runPs(cmd.Context(), g) },
	}
}

func runPs(ctx context.Context, g *globals) error {
	node, err := g.connect(ctx)
	if err != nil {
		return err
	}
	defer node.close()
	snapshot, err := node.snapshot(ctx)
	if err != nil {
		return err
	}
	if g.json {
		return g.printJSON(snapshot)
	}
	fmt.Fprint(g.out, linkLines(g.palette(), snapshot.Links, time.Now()))
	fmt.Fprintln(g.out, psTable(g.palette(), snapshot, time.Now()))
	return nil
}

func psTable(p palette, snapshot message.Snapshot, now time.Time) string {
	t := newTable(p, "CHANNEL", "STATE", "SINCE", "ATTEMPT", "GENERATION", "DEVICES", "")
	t.SetColumnConfigs([]table.ColumnConfig{rightAligned(3), rightAligned(4), rightAligned(5), rightAligned(6)})
	for _, name := range slices.Sorted(maps.Keys(snapshot.Channels)) {
		channel := snapshot.Channels[name]
		s := message.State{State: "unknown"}
		if channel.State != nil {
			s = *channel.State
		}
		t.AppendRow(table.Row{
			name, p.state(s.State), age(now, s.Since.Time), s.Attempt, s.Generation, online(channel.Devices), retry(s, now),
		})
	}
	return t.Render()
}

// online returns how many devices are online, of how many.
func online(devices map[string]message.Device) string {
	n := 0
	for _, d := range devices {
		if d.Status == "online" {
			n++
		}
	}
	return fmt.Sprintf("%d/%d", n, len(devices))
}

// retry says why a channel does not run and when it is tried again.
func retry(s message.State, now time.Time) string {
	text := reason(s)
	if text != "" {
		text = text[2 : len(text)-1]
	}
	if s.NextRetry.After(now) {
		text += fmt.Sprintf(", again in %.0fs", s.NextRetry.Sub(now).Seconds())
	}
	return text
}
