package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// watchOptions are the flags of `drover watch`.
type watchOptions struct {
	count  int
	length time.Duration
}

// AddFlags adds the flags to a set.
func (o *watchOptions) AddFlags(f *pflag.FlagSet) {
	f.IntVar(&o.count, "count", 0, "end after that `number` of messages")
	f.DurationVar(&o.length, "for", 0, "end after that `time`, as 10s")
}

func newWatchCommand(g *globals) *cobra.Command {
	var o watchOptions
	cmd := &cobra.Command{
		Use:   "watch [CHANNEL[/DEVICE[.POINT]]]",
		Short: "Show values as they come",
		Long: `Show values as they come: on a terminal as a table that updates in place, otherwise as lines; with --json one object
with subject and message a line.`,
		Example:           "  drover watch\n  drover watch boiler/water.supply\n  drover watch boiler --count 10 --json",
		Args:              cobra.MaximumNArgs(1),
		ValidArgsFunction: g.completeTarget,
		RunE: func(cmd *cobra.Command, args []string) error {
			only, err := parseTarget(strings.Join(args, ""))
			if err != nil {
				return err
			}
			return runWatch(cmd.Context(), o, only, g)
		},
	}
	o.AddFlags(cmd.Flags())
	return cmd
}

func runWatch(ctx context.Context, o watchOptions, only pointKey, g *globals) error {
	node, err := g.connect(ctx)
	if err != nil {
		return err
	}
	defer node.close()
	snapshot, err := node.snapshot(ctx)
	if err != nil {
		return err
	}
	if err := only.check(snapshot); err != nil {
		return err
	}
	ctx, cancel := lasting(ctx, o.length)
	defer cancel()
	f := follower{terminal: g.terminal, json: g.json, only: only, count: o.count, values: newValues(), ask: node.snapshot}
	if err := f.learn(snapshot); err != nil {
		return err
	}
	return node.follow(ctx, &f)
}

// lasting returns a context that ends after d, or with its parent where d is 0.
func lasting(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	if d <= 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, d)
}

// parseTarget reads CHANNEL[/DEVICE[.POINT]]; empty takes everything.
func parseTarget(s string) (pointKey, error) {
	var k pointKey
	if s == "" {
		return k, nil
	}
	channel, rest, hasDevice := strings.Cut(s, "/")
	device, point, hasPoint := strings.Cut(rest, ".")
	ok := message.ValidChannel(channel) &&
		(!hasDevice || message.ValidDevice(device)) && (!hasPoint || message.ValidName(point))
	if !ok {
		return k, usagef("%q is not CHANNEL, CHANNEL/DEVICE or CHANNEL/DEVICE.POINT", s)
	}
	return pointKey{channel, device, point}, nil
}

// check says whether the node has what k names. Devices and points are known once their channel was connected.
func (k pointKey) check(snapshot message.Snapshot) error {
	channel, ok := snapshot.Channels[k.channel]
	switch {
	case k.channel == "":
		return nil
	case !ok:
		return coded(exitNotFound, fmt.Errorf("node %s has no channel %q", snapshot.Node, k.channel))
	case k.device == "" || len(channel.Handles) == 0:
		return nil
	}
	handle, ok := channel.Handles[k.device]
	if !ok {
		return coded(exitNotFound, fmt.Errorf("channel %s has no device %q", k.channel, k.device))
	}
	if _, ok := handle.Points[k.point]; k.point != "" && len(handle.Points) > 0 && !ok {
		return coded(exitNotFound, fmt.Errorf("device %s/%s has no point %q", k.channel, k.device, k.point))
	}
	return nil
}
