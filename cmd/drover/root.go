package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/droverhq/drover/runtime/config"
)

// globals are the flags that every command has.
type globals struct {
	terminal

	login   login
	server  string
	context string
	node    string
	json    bool
	noColor bool
}

const rootHelp = `Drover runs device drivers as sandboxed WebAssembly modules and puts what they read on NATS.

Commands that ask a node find it by --server or --context, then by NATS_URL, then by the file that a node of the same
user leaves on this machine.

` + exitHelp

// execute runs the command line and returns the exit code.
func execute(ctx context.Context, t terminal, args []string) int {
	g := &globals{terminal: t}
	root := newRootCommand(g)
	root.SetArgs(negatives(args))
	root.SetOut(t.out)
	root.SetErr(t.err)
	err := root.ExecuteContext(ctx)
	if err != nil && !errors.Is(err, errReported) {
		report(t, err)
	}
	return exitCode(err)
}

// report prints an error; problems of a file are lines that tools understand.
func report(t terminal, err error) {
	if problems, ok := errors.AsType[config.Problems](err); ok {
		fmt.Fprintln(t.err, problems)
		return
	}
	fmt.Fprintln(t.err, "drover:", err)
}

func newRootCommand(g *globals) *cobra.Command {
	root := &cobra.Command{
		Use:           "drover",
		Short:         "Device drivers in a sandbox, their values on NATS",
		Long:          rootHelp,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.NoArgs,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRun: func(*cobra.Command, []string) {
			g.plain = g.plain || g.noColor
		},
	}
	flags := root.PersistentFlags()
	flags.StringVar(&g.server, "server", "", "NATS `URL` of the node's server")
	flags.StringVar(&g.context, "context", "", "`name` of a NATS context to connect with")
	g.login.AddFlags(flags)
	flags.StringVar(&g.node, "node", "", "`name` of the node, where the server has several")
	flags.BoolVar(&g.json, "json", false, "print JSON")
	flags.BoolVar(&g.noColor, "no-color", false, "print no colours (also NO_COLOR)")

	root.AddCommand(
		newRunCommand(g),
		newDemoCommand(g),
		newCheckCommand(g),
		newApplyCommand(g),
		newPsCommand(g),
		newShowCommand(g),
		newLogsCommand(g),
		newLogLevelCommand(g),
		newCrashesCommand(g),
		newWatchCommand(g),
		newSwapCommand(g),
		newReadCommand(g),
		newWriteCommand(g),
		newInvokeCommand(g),
		newPortsCommand(g),
		newModuleCommand(g),
		newDriverCommand(g),
		newVersionCommand(g),
	)
	root.AddCommand(newControlCommands(g)...)
	markUsageErrors(root)
	return root
}

// markUsageErrors gives what cobra finds wrong with flags and arguments the exit code of usage errors.
func markUsageErrors(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usagef("%w (see `%s --help`)", err, cmd.CommandPath())
	})
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if err := check(cmd, args); err != nil {
				return usagef("%w (see `%s --help`)", err, cmd.CommandPath())
			}
			return nil
		}
	}
	for _, child := range cmd.Commands() {
		markUsageErrors(child)
	}
}

// printJSON prints v on one line.
func (g *globals) printJSON(v any) error {
	if err := json.NewEncoder(g.out).Encode(v); err != nil {
		return fmt.Errorf("print JSON: %w", err)
	}
	return nil
}
