package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

func newPsCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "ps",
		Short: "Show the channels of a node and their states",
		Long: `Show the channels of a node: state and since when, attempt and generation, devices online, points read a second of late,
time that the driver's code ran, memory of its instance, and the last failure with the time of the next attempt. Below
are the swaps that hold, and drivers whose files have changed since they were applied.`,
		Example: "  drover ps\n  drover ps --json | jq '.channels[] | select(.state.state != \"connected\") | .channel'",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runPs(cmd.Context(), g) },
	}
}

func runPs(ctx context.Context, g *globals) error {
	node, err := g.connect(ctx)
	if err != nil {
		return err
	}
	defer node.close()
	var all message.Processes
	if err := node.client.Get(ctx, node.node, "ps", nil, &all); err != nil {
		return unreachable(fmt.Errorf("ask node %s for its channels: %w", node.node, err))
	}
	if g.json {
		return g.printJSON(all)
	}
	fmt.Fprint(g.out, linkLines(g.palette(), all.Links, time.Now()))
	fmt.Fprintln(g.out, psTable(g.palette(), all.Channels, time.Now()))
	g.printNotes(all.Channels)
	return nil
}

// printNotes prints which channels run another driver than their configuration names, those with the same reason together.
func (g *globals) printNotes(channels []message.Process) {
	of := make(map[string][]string)
	var notes []string
	for _, c := range slices.SortedFunc(slices.Values(channels), byName) {
		for _, note := range []string{overrideText(c.Override), pendingText(c.Pending)} {
			if note == "" {
				continue
			}
			if of[note] == nil {
				notes = append(notes, note)
			}
			of[note] = append(of[note], c.Channel)
		}
	}
	for _, note := range notes {
		fmt.Fprintf(g.out, "%s: %s\n", some(of[note], 0), note)
	}
}

// overrideText says which swap holds.
func overrideText(o *message.Override) string {
	if o == nil {
		return ""
	}
	text := "swapped to " + cmp.Or(o.Reference, o.Digest) + " (" + shortDigest(o.Digest) + ")"
	if o.By != "" {
		text += " by " + o.By
	}
	return printable(text + " at " + localTime(o.At) + ", in place of " + o.Driver)
}

// pendingText says that there is another driver behind the path that the configuration names.
func pendingText(digest string) string {
	if digest == "" {
		return ""
	}
	return "pending: the driver's file has changed since it was applied, to " + shortDigest(digest)
}

func psTable(p palette, channels []message.Process, now time.Time) string {
	t := newTable(p, "CHANNEL", "STATE", "SINCE", "ATTEMPT", "GENERATION", "DEVICES", "POINTS/S", "CPU", "MEMORY", "LAST FAILURE")
	var right []table.ColumnConfig
	for column := 3; column <= 9; column++ {
		right = append(right, rightAligned(column))
	}
	t.SetColumnConfigs(right)
	for _, c := range slices.SortedFunc(slices.Values(channels), byName) {
		s := c.State
		t.AppendRow(table.Row{
			c.Channel, p.state(s.State), age(now, s.Since.Time), s.Attempt, s.Generation, fmt.Sprintf("%d/%d", c.Online, c.Devices),
			fmt.Sprintf("%.1f", c.PointsPerSecond), seconds(c.CPU), bytesText(c.Memory), lastFailure(s, now),
		})
	}
	return t.Render()
}

func byName(a, b message.Process) int { return strings.Compare(a.Channel, b.Channel) }

// lastFailure says why a channel does not run; of one that does, what failed last and when.
func lastFailure(s message.State, now time.Time) string {
	if text := retry(s, now); text != "" || s.LastFailure == nil {
		return printable(text)
	}
	return printable(s.LastFailure.Code) + ", " + age(now, s.LastFailure.Time.Time) + " ago"
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
