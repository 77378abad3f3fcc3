package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// applyWithin is how long an apply may take: the longest that a node waits with a caller.
const applyWithin = 10 * time.Minute

// applyOptions are the flags of `drover apply`.
type applyOptions struct {
	config string
	dryRun bool
	trial  time.Duration
}

// AddFlags adds the flags to a set.
func (o *applyOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVarP(&o.config, "config", "c", "drover.yaml", "configuration `file`")
	f.BoolVar(&o.dryRun, "dry-run", false, "show the difference, and change nothing")
	f.DurationVar(&o.trial, "trial", 10*time.Second, "how long a channel that is swapped is watched, as `time`; 0s is not at all")
}

func newApplyCommand(g *globals) *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use:   "apply [-c FILE]",
		Short: "Apply a configuration to a node that runs",
		Long: `Apply a configuration to the node that runs it. It shows what differs from what runs, and changes that alone: scale,
filters and limits in place, points and settings by a swap to the same driver, which keeps the connection, connections
by a swap that closes it. What the node, nats and http say takes effect at the node's next start.

Everything is checked before anything is touched: a file with problems changes nothing. A channel that does not come up
with what is new, or whose good points turn bad within --trial, is rolled back, and the others go on. The exit code is
then 1.

The node is the one that the file names, unless --node says another. Drivers that are files are pinned: what the file is
now runs until the next apply. A node on another machine that does not have a driver is given it, by the bucket of modules.`,
		Example: "  drover apply --dry-run\n  drover apply -c plant-1.yaml --server nats://10.0.0.7:4222\n" +
			"  drover apply --json | jq '.results[] | select(.result == \"rolled back\")'",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runApply(cmd.Context(), o, g) },
	}
	o.AddFlags(cmd.Flags())
	return cmd
}

func runApply(ctx context.Context, o applyOptions, g *globals) error {
	if o.trial < 0 || o.trial > time.Hour {
		return usagef("--trial %s: expected 0s to 1h", o.trial)
	}
	bundle, cfg, wrong := config.LoadBundle(o.config)
	if bundle == nil {
		return coded(exitUsage, wrong)
	}
	node, err := g.connectFor(ctx, cfg, wrong)
	if err != nil {
		return err
	}
	defer node.close()
	data, err := bundle.Pack()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, applyWithin)
	defer cancel()
	trial := o.trial.Seconds()
	request := message.Apply{Bundle: data, By: caller(), DryRun: true, Trial: &trial}
	planned, err := node.plan(ctx, request, !o.dryRun)
	if err != nil {
		return unreachable(fmt.Errorf("apply %s: %w", o.config, err))
	}
	if o.dryRun || len(planned.Problems) > 0 {
		return g.printApplied(&planned, true)
	}
	if !g.json {
		g.printDifference(&planned)
	}
	request.DryRun = false
	applied, err := node.apply(ctx, request, g)
	if err != nil {
		return unreachable(fmt.Errorf("apply %s: %w", o.config, err))
	}
	return g.printApplied(applied, false)
}

// plan asks what would change. With give, drivers that the node does not have are given to it first.
func (r *remote) plan(ctx context.Context, request message.Apply, give bool) (message.Applied, error) {
	var planned message.Applied
	err := r.client.Ctl(ctx, r.node, "apply", request, &planned)
	if err != nil || len(planned.Missing) == 0 || !give {
		return planned, err
	}
	for _, m := range planned.Missing {
		given := message.SwapRequest{}
		if err := r.give(ctx, m.Path, &given); err != nil {
			return planned, fmt.Errorf("give the node a driver that it does not have: %w", err)
		}
		if given.Digest != m.Digest {
			return planned, fmt.Errorf("%s has changed while it was applied: it is %s, and was %s", m.Path, given.Digest, m.Digest)
		}
	}
	planned = message.Applied{}
	err = r.client.Ctl(ctx, r.node, "apply", request, &planned)
	return planned, err
}

// connectFor connects to the node that a configuration is of, unless the command line says another. wrong is why there is no
// configuration: the node may have secrets that this machine has not, so it has the last word.
func (g *globals) connectFor(ctx context.Context, cfg *config.Node, wrong error) (*remote, error) {
	if wrong == nil && g.node == "" {
		g.node = cfg.Name
	}
	node, connectErr := g.connect(ctx)
	if problems, ok := errors.AsType[config.Problems](wrong); ok && connectErr != nil {
		return nil, problems
	}
	return node, connectErr
}

// apply has a node apply a configuration, and shows how far it is when that takes longer than a second.
func (r *remote) apply(ctx context.Context, request message.Apply, g *globals) (*message.Applied, error) {
	type outcome struct {
		applied message.Applied
		err     error
	}
	done := make(chan outcome, 1)
	go func() {
		var out outcome
		out.err = r.client.Ctl(ctx, r.node, "apply", request, &out.applied)
		done <- out
	}()
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for shown := ""; ; {
		select {
		case out := <-done:
			return &out.applied, out.err
		case <-ticker.C:
			var now message.Applying
			if r.client.Get(ctx, r.node, "apply", nil, &now) != nil || !now.Running || now.Phase == "" {
				continue
			}
			if text := fmt.Sprintf("%s: %d of %d", now.Phase, now.Done, now.Total); text != shown {
				shown = text
				fmt.Fprintln(g.err, text)
			}
		}
	}
}
