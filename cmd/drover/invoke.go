package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

func newInvokeCommand(g *globals) *cobra.Command {
	var o commandOptions
	cmd := &cobra.Command{
		Use:   "invoke CHANNEL DEVICE.ACTION [JSON]",
		Short: "Have a device do one of its actions",
		Long: `Have a device do one of its actions, and wait for its result, also when it takes long. The device _ is the channel
itself. The progress is shown on a terminal; Ctrl-C cancels the action and waits for its answer, a second one does not.`,
		Example:           "  drover invoke boiler water.flush '{\"minutes\": 5}'",
		Args:              cobra.RangeArgs(2, 3),
		ValidArgsFunction: g.completeAction,
		RunE: func(cmd *cobra.Command, args []string) error {
			t, err := parsePoint(args[0], args[1], "ACTION")
			if err != nil {
				return err
			}
			if t.Name == "" {
				return usagef("%q names no action, expected DEVICE.ACTION", args[1])
			}
			var arguments any
			if len(args) == 3 {
				if !json.Valid([]byte(args[2])) {
					return usagef("the arguments %q are not JSON", args[2])
				}
				arguments = json.RawMessage(args[2])
			}
			return runInvoke(cmd.Context(), o, t, arguments, g)
		},
	}
	o.AddFlags(cmd.Flags(), true)
	return cmd
}

func runInvoke(ctx context.Context, o commandOptions, t client.Target, arguments any, g *globals) error {
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
	if options.Key == "" {
		options.Key = client.NewKey()
	}
	work, stop := node.cancellable(ctx, t, options.Key)
	defer stop()
	progress := progressOf(g)
	answer, err := node.client.Invoke(work, t, arguments, options, progress.show)
	progress.done()
	if err != nil {
		return commandFailed(err)
	}
	if g.json {
		return g.printJSON(answer)
	}
	fmt.Fprintln(g.out, string(answer.Result))
	return nil
}

// cancelWait is how long a cancelled action may take to end.
const cancelWait = 12 * time.Second

// cancellable returns a context that outlives ctx by cancelWait: the end of ctx cancels the action on the node, whose
// answer is waited for.
func (r *remote) cancellable(ctx context.Context, t client.Target, id string) (context.Context, func()) {
	work, end := context.WithCancel(context.WithoutCancel(ctx))
	var cancelling sync.WaitGroup
	cancelling.Go(func() {
		select {
		case <-work.Done():
			return
		case <-ctx.Done():
		}
		limited, release := context.WithTimeout(work, cancelWait)
		defer release()
		if err := r.client.Cancel(limited, t, id, client.CommandOptions{}); err != nil {
			end() // there is nothing to wait for
			return
		}
		<-limited.Done()
		end()
	})
	return work, func() { end(); cancelling.Wait() }
}

// progress shows how far an action is, on a terminal.
type progress struct {
	terminal
	region live
	quiet  bool
}

func progressOf(g *globals) *progress {
	return &progress{terminal: g.terminal, region: live{out: g.err}, quiet: g.json || !g.isTTY}
}

func (p *progress) show(e message.ActionEvent) {
	if p.quiet {
		return
	}
	line := fmt.Sprintf("%3.0f%% %s\n", 100*e.Fraction, e.Text)
	_ = p.region.draw(p.palette().faint(line)) // it is only decoration
}

// done removes it.
func (p *progress) done() {
	if !p.quiet {
		_ = p.region.draw("")
	}
}
