package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

func newWriteCommand(g *globals) *cobra.Command {
	var o commandOptions
	cmd := &cobra.Command{
		Use:   "write CHANNEL DEVICE[.POINT] VALUE",
		Short: "Write a point of a device, or several in order",
		Long: `Write a point of a device, or with an object several of one device, in order:

  drover write boiler water.setpoint 55
  drover write boiler water '{"setpoint": 55, "limit": 80}'

The value is in the point's unit, as it is read. What is not JSON is taken as text. It is held to the point's type and
range before anything is sent; the command says what was written. Nothing is sent a second time: when no answer comes,
the point may have been written.`,
		Example:           "  drover write boiler water.setpoint 55.5\n  drover write boiler water '{\"setpoint\": 55.5, \"limit\": 80}'",
		Args:              cobra.ExactArgs(3),
		ValidArgsFunction: g.completePoint(func(access string) bool { return access != "r" }),
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := parsePoint(args[0], args[1], "POINT")
			if err != nil {
				return err
			}
			return runWrite(cmd.Context(), o, t, args[2], g)
		},
	}
	o.AddFlags(cmd.Flags(), true)
	return cmd
}

func runWrite(ctx context.Context, o commandOptions, t client.Target, value string, g *globals) error {
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
	if t.Name == "" {
		return node.writeDevice(ctx, t, value, options, g)
	}
	written, err := node.client.Write(ctx, t, parseValue(value), options)
	if err != nil {
		return commandFailed(err)
	}
	if g.json {
		return g.printJSON(written)
	}
	fmt.Fprintf(g.out, "%s %s%s\n", t, plain(written.V), readBack(written.Written))
	return nil
}

func (r *remote) writeDevice(ctx context.Context, t client.Target, values string, o client.CommandOptions, g *globals) error {
	all, err := r.client.WriteDevice(ctx, t, parseValue(values), o)
	switch {
	case len(all.Points) == 0: // nothing was sent
	case g.json:
		if printed := g.printJSON(all); printed != nil {
			return printed
		}
	default:
		fmt.Fprintln(g.out, writeTable(g.palette(), all))
	}
	return commandFailed(err)
}

func writeTable(p palette, all message.WritesAnswer) string {
	t := newTable(p, "POINT", "WRITTEN", "")
	t.SetColumnConfigs([]table.ColumnConfig{rightAligned(2)})
	for _, name := range slices.Sorted(maps.Keys(all.Points)) {
		w := all.Points[name]
		note := readBack(w)
		if w.Error != nil {
			note = p.bad(w.Error.Error())
		}
		t.AppendRow(table.Row{name, plain(w.V), strings.TrimSpace(note)})
	}
	return t.Render()
}

// plain is a JSON value for people.
func plain(v []byte) string { return strings.Trim(string(v), `"`) }

// readBack says what was read of a point after it was written, where that is something else.
func readBack(w message.Written) string {
	if w.Read == nil || string(w.Read.V) == string(w.V) {
		return ""
	}
	if w.Read.V == nil {
		return " (reads as " + w.Read.Q + ")"
	}
	return " (reads as " + plain(w.Read.V) + ")"
}
