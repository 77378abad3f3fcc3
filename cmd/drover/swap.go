package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/store"
)

// swapWithin is how long a swap may take besides its trial: loading, and every phase to its deadline, twice.
const swapWithin = 3 * time.Minute

type swapOptions struct {
	driver string
	trial  time.Duration
	dryRun bool
	clear  bool
}

func newSwapCommand(g *globals) *cobra.Command {
	var o swapOptions
	cmd := &cobra.Command{
		Use:   "swap CHANNEL MODULE",
		Short: "Replace the driver of a running channel",
		Long: `Replace the driver of a running channel by MODULE: a file, name@version, or sha256:... of the node's modules. The new
driver is made and configured beside the old one, takes over its connection and its state, and is watched for --trial. If it
does not come up, crashes, or makes points bad that were good, the old one comes back, and the exit code is 1.

A swap holds over restarts of the node, until the configuration names another driver for the channel or --clear takes it
back.`,
		Example: `  drover swap boiler modbus-1.3.wasm
  drover swap boiler modbus@1.3.0 --trial 5m
  drover swap --driver modbus modbus@1.3.0    # every channel that runs modbus, one after the other
  drover swap boiler modbus-1.3.wasm --dry-run
  drover swap boiler --clear`,
		Args: func(_ *cobra.Command, args []string) error { return o.check(args) },
		ValidArgsFunction: func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) > 0 || o.driver != "" {
				references, _ := g.completeModules(cmd, nil, begun)
				return references, cobra.ShellCompDirectiveDefault
			}
			return g.completeChannel(cmd, args, begun)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runSwap(cmd.Context(), o, args, g) },
	}
	cmd.Flags().StringVar(&o.driver, "driver", "", "swap every channel whose driver has this `name`, until one rolls back")
	cmd.Flags().DurationVar(&o.trial, "trial", message.DefaultTrial, "how long the new driver is watched; 0 is not at all")
	cmd.Flags().BoolVar(&o.dryRun, "dry-run", false, "load and configure the module, and discard it")
	cmd.Flags().BoolVar(&o.clear, "clear", false, "run the driver that the configuration names again")
	return cmd
}

// check says what is wrong with the arguments.
func (o *swapOptions) check(args []string) error {
	want := "CHANNEL and MODULE"
	n := 2
	switch {
	case o.driver != "" && o.clear:
		want, n = "--driver or --clear, not both", -1
	case o.driver != "":
		want, n = "MODULE after --driver NAME", 1
	case o.clear:
		want, n = "CHANNEL with --clear", 1
	}
	switch {
	case len(args) != n:
		return usagef("expected %s", want)
	case o.trial < 0:
		return usagef("--trial is %s, expected 0 or more", o.trial)
	}
	return nil
}

func runSwap(ctx context.Context, o swapOptions, args []string, g *globals) error {
	trial := o.trial.Seconds()
	request := message.SwapRequest{Trial: &trial, DryRun: o.dryRun, Clear: o.clear, By: caller()}
	var file string
	if !o.clear {
		var err error
		if file, err = moduleArgument(args[len(args)-1], &request); err != nil {
			return err
		}
	}
	node, err := g.connect(ctx)
	if err != nil {
		return err
	}
	defer node.close()
	channels := args[:1]
	if o.driver != "" {
		if channels, err = node.channelsOf(ctx, o.driver); err != nil {
			return err
		}
	}
	for i, name := range channels {
		request.Channel = name
		swap, err := node.swap(ctx, request, file, o.trial, g)
		if err != nil {
			return skipped(err, channels[i:])
		}
		if err := g.printSwap(swap); err != nil {
			return err
		}
		if failed := swapFailed(swap); failed != nil {
			return skipped(failed, channels[i:])
		}
	}
	return nil
}

// skipped says which channels were left as they are after one that failed.
func skipped(err error, from []string) error {
	if len(from) < 2 {
		return err
	}
	return fmt.Errorf("%w; not touched: %s", err, strings.Join(from[1:], ", "))
}

// moduleArgument fills in what a request says of a module, and returns the file where it is one.
func moduleArgument(arg string, r *message.SwapRequest) (file string, err error) {
	if !isModuleFile(arg) {
		r.Module = arg
		return "", nil
	}
	binary, err := os.ReadFile(arg)
	if err != nil {
		return "", coded(exitUsage, fmt.Errorf("read the module: %w", err))
	}
	if file, err = filepath.Abs(arg); err != nil {
		return "", fmt.Errorf("find the module: %w", err)
	}
	r.Module, r.Digest = file, store.Digest(binary)
	return file, nil
}

// channelsOf returns the channels whose driver has a name.
func (r *remote) channelsOf(ctx context.Context, driver string) ([]string, error) {
	var all message.Processes
	if err := r.client.Get(ctx, r.node, "ps", nil, &all); err != nil {
		return nil, unreachable(err)
	}
	var names []string
	for _, c := range all.Channels {
		if c.Driver == driver {
			names = append(names, c.Channel)
		}
	}
	if len(names) == 0 {
		return nil, coded(exitNotFound, fmt.Errorf("node %s has no channel that runs a driver %q", r.node, driver))
	}
	return names, nil
}

// swap asks for a swap and waits for its end, which it shows on the way where somebody looks. A file that the node does
// not have is given to it.
func (r *remote) swap(ctx context.Context, s message.SwapRequest, file string, trial time.Duration, g *globals) (message.Swap, error) {
	ctx, cancel := context.WithTimeout(ctx, swapWithin+trial)
	defer cancel()
	if g.isTTY && !g.json {
		defer r.showStates(ctx, s.Channel, g)()
	}
	var out message.Swap
	err := r.client.Ctl(ctx, r.node, "swap", s, &out)
	if file != "" && errors.Is(err, message.ErrNoModule) {
		if given := r.give(ctx, file, &s); given != nil {
			return out, errors.Join(unreachable(err), given)
		}
		err = r.client.Ctl(ctx, r.node, "swap", s, &out)
	}
	return out, unreachable(err)
}

// showStates tells what the channel is at until the function that it returns is called.
func (r *remote) showStates(ctx context.Context, channel string, g *globals) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	fmt.Fprintf(g.err, "%s: load and configure the new driver\n", channel)
	watching.Go(func() {
		filter := client.Filter{Node: r.node, Channel: channel, Kinds: []message.Kind{message.KindState}}
		// What it cannot tell, the answer will.
		_ = r.client.Watch(ctx, filter, func(m client.Message) error {
			if s, ok := stateText(m.Payload); ok {
				fmt.Fprintf(g.err, "%s: %s\n", channel, s)
			}
			return nil
		})
	})
	return func() { cancel(); watching.Wait() }
}

// swapFailed is the error of a swap after which the channel does not run what was wanted.
func swapFailed(s message.Swap) error {
	switch s.Result {
	case "refused", "rolled back", "abandoned":
		err := fmt.Errorf("channel %s: %s", s.Channel, s.Result)
		if s.Failure != nil {
			err = fmt.Errorf("%w: %s: %s", err, s.Failure.Code, s.Failure.Summary)
		}
		return err
	}
	return nil
}

func (g *globals) printSwap(s message.Swap) error {
	if g.json {
		return g.printJSON(s)
	}
	p := g.palette()
	result := p.good(s.Result)
	switch s.Result {
	case "refused", "rolled back", "abandoned":
		result = p.bad(s.Result)
	}
	fmt.Fprintf(g.out, "%s %s: %s", s.Channel, result, printableDriver(s.From))
	if s.From != s.To {
		fmt.Fprintf(g.out, " -> %s", printableDriver(s.To))
	}
	fmt.Fprintln(g.out)
	for _, line := range swapDetails(s) {
		fmt.Fprintln(g.out, "  "+line)
	}
	return nil
}

// swapDetails are the lines below the first.
func swapDetails(s message.Swap) []string {
	var lines []string
	if s.Gap > 0 {
		handed := "its connection was closed"
		if s.Yielded {
			handed = "its connection was handed over"
		}
		lines = append(lines, fmt.Sprintf("gap %s, commands waited %s, the old session %s", milliseconds(s.Gap), milliseconds(s.Parked), handed))
	}
	var steps []string
	for _, step := range s.Steps {
		steps = append(steps, step.Step+" "+milliseconds(step.Duration))
	}
	if len(steps) > 0 {
		lines = append(lines, strings.Join(steps, ", "))
	}
	if s.Cleared {
		lines = append(lines, "the swap is taken back: the configuration's driver runs")
	}
	if s.Unrecorded != "" {
		lines = append(lines, "not recorded, it will not outlive the node: "+printable(s.Unrecorded))
	}
	return lines
}

func printableDriver(d message.SwapDriver) string {
	return printable(strings.TrimSpace(d.Driver+" "+d.Version)) + " " + shortDigest(d.Digest)
}

func milliseconds(seconds float64) string {
	return time.Duration(seconds * float64(time.Second)).Round(10 * time.Microsecond).String()
}

// stateText is a state as it is shown on the way; false for a payload that is none.
func stateText(payload []byte) (string, bool) {
	var s message.State
	if err := json.Unmarshal(payload, &s); err != nil {
		return "", false
	}
	if s.Reason != "" {
		return printable(s.State + ", " + s.Reason), true
	}
	return printable(s.State), true
}
