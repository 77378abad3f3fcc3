package main

import "github.com/spf13/cobra"

func newDriverCommand(g *globals) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "driver",
		Short: "Write drivers: begin, build and test one",
		Long: `Write drivers. new makes a project that builds and passes its tests, build makes the module of it, and test runs a module
in the sandbox against what nodes want of a driver. docs/drivers.md has the kit.`,
		Example: "  drover driver new thermo\n  cd thermo\n  drover driver build\n  drover driver test",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newDriverNewCommand(g), newDriverBuildCommand(g), newDriverTestCommand(g))
	return cmd
}
