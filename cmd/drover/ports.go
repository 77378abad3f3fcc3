package main

import (
	"fmt"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"

	"github.com/droverhq/drover"
)

func newPortsCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "ports",
		Short: "Show the serial ports of this machine",
		Long: `Show the serial ports of this machine. A port's stable path stays with the device whichever socket it is plugged into:
prefer it in a configuration.`,
		Example: "  drover ports",
		Args:    cobra.NoArgs,
		RunE:    func(*cobra.Command, []string) error { return runPorts(g) },
	}
}

func runPorts(g *globals) error {
	ports, err := drover.SerialPorts()
	if err != nil {
		return err
	}
	if g.json {
		return g.printJSON(ports)
	}
	if len(ports) == 0 {
		fmt.Fprintln(g.out, "no serial ports")
		return nil
	}
	t := newTable(g.palette(), "PORT", "USB", "SERIAL", "NAME", "STABLE PATH")
	for _, p := range ports {
		usb := ""
		if p.Vendor != "" {
			usb = p.Vendor + ":" + p.Product
		}
		t.AppendRow(table.Row{p.Path, usb, p.Serial, p.Name, p.Stable})
	}
	fmt.Fprintln(g.out, t.Render())
	return nil
}
