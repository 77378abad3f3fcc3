package main

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

func newReadCommand(g *globals) *cobra.Command {
	var o commandOptions
	cmd := &cobra.Command{
		Use:   "read CHANNEL DEVICE[.POINT]",
		Short: "Read a point of a device now, or all of them",
		Long: `Read a point of a device now, or all that can be read. One point prints as its value, on a terminal with its unit. A
point that could not be read is bad, with the reason, and the exit code is 1.`,
		Example:           "  drover read boiler water.supply\n  drover read boiler water --json",
		Args:              cobra.ExactArgs(2),
		ValidArgsFunction: g.completePoint(func(access string) bool { return access != "w" }),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := parsePoint(args[0], args[1], "POINT")
			if err != nil {
				return err
			}
			return runRead(cmd.Context(), o, t, g)
		},
	}
	o.AddFlags(cmd.Flags(), false)
	return cmd
}

func runRead(ctx context.Context, o commandOptions, t client.Target, g *globals) error {
	options, err := o.client()
	if err != nil {
		return err
	}
	node, err := g.connect(ctx)
	if err != nil {
		return err
	}
	defer node.close()
	t.Node = node.node
	if t.Name != "" {
		return node.readPoint(ctx, t, options, g)
	}
	all, err := node.client.ReadDevice(ctx, t, options)
	if err != nil {
		return commandFailed(err)
	}
	if g.json {
		return g.printJSON(all)
	}
	fmt.Fprintln(g.out, readTable(g.palette(), all, node.units(ctx, t)))
	return nil
}

func (r *remote) readPoint(ctx context.Context, t client.Target, o client.CommandOptions, g *globals) error {
	got, err := r.client.Read(ctx, t, o)
	if err != nil {
		return commandFailed(err)
	}
	if g.json {
		err = g.printJSON(got)
	} else {
		fmt.Fprintln(g.out, r.printed(ctx, t, got, g))
	}
	if err == nil && got.V == nil {
		return fmt.Errorf("%s could not be read: %s: %w", t, cmp.Or(got.Code, got.Q), errReported)
	}
	return err
}

// printed is the value for scripts, and on a terminal with what people want to know.
func (r *remote) printed(ctx context.Context, t client.Target, got message.Reading, g *globals) string {
	words := []string{strings.Trim(string(got.V), `"`)}
	if g.isTTY {
		words = append(words, r.units(ctx, t)[t.Name])
	}
	if got.Q != "" {
		words = append(words, g.palette().bad(strings.TrimSpace(got.Q+" "+got.Code)))
	}
	return strings.Join(slices.DeleteFunc(words, func(w string) bool { return w == "" }), " ")
}

// units returns the units of a device's points; none when the node does not say.
func (r *remote) units(ctx context.Context, t client.Target) map[string]string {
	units := make(map[string]string)
	snapshot, err := r.snapshot(ctx)
	if err != nil {
		return units
	}
	for name, d := range snapshot.Channels[t.Channel].Handles[t.Device].Points {
		units[name] = d.Unit
	}
	return units
}

func readTable(p palette, all message.Readings, units map[string]string) string {
	t := newTable(p, "POINT", "VALUE", "UNIT", "AGE", "")
	t.SetColumnConfigs([]table.ColumnConfig{rightAligned(2), rightAligned(4)})
	for _, name := range slices.Sorted(maps.Keys(all.Points)) {
		got := all.Points[name]
		at := cmp.Or(got.TS, all.TS)
		s := shown{value: strings.Trim(string(got.V), `"`), code: got.Code, quality: cmp.Or(got.Q, "good")}
		t.AppendRow(table.Row{name, s.value, units[name], age(time.Now(), at.Time), quality(p, s)})
	}
	return t.Render()
}
