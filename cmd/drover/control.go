package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// controlWithin is how long a channel may take to end its session: longer than its stop deadline usually is.
const controlWithin = 30 * time.Second

// newControlCommands returns the commands that start and end the sessions of a channel.
func newControlCommands(g *globals) []*cobra.Command {
	var commands []*cobra.Command
	for _, c := range []struct{ verb, short, long string }{
		{"start", "Start a channel that is stopped", "Start a channel that is stopped. One that runs goes on."},
		{"stop", "Stop a channel", "End a channel's session and return when its port is closed. It stays stopped until start, restart,\n" +
			"or the node's next start."},
		{"restart", "Start a channel anew", "End a channel's session, if it has one, and start the next attempt at once, with backoff and counters anew.\n" +
			"It clears failed, stopped and quarantined."},
	} {
		commands = append(commands, &cobra.Command{
			Use: c.verb + " CHANNEL", Short: c.short, Long: c.long, Example: "  drover " + c.verb + " boiler",
			Args: cobra.ExactArgs(1), ValidArgsFunction: g.completeChannel,
			RunE: func(cmd *cobra.Command, args []string) error { return runControl(cmd.Context(), c.verb, args[0], g) },
		})
	}
	return commands
}

func runControl(ctx context.Context, verb, channel string, g *globals) error {
	ctx, cancel := context.WithTimeout(ctx, controlWithin)
	defer cancel()
	node, err := g.connect(ctx)
	if err != nil {
		return err
	}
	defer node.close()
	var s message.State
	if err := node.client.Ctl(ctx, node.node, verb, map[string]string{"channel": channel}, &s); err != nil {
		return unreachable(err)
	}
	if g.json {
		return g.printJSON(s)
	}
	fmt.Fprintf(g.out, "%s %s%s\n", channel, g.palette().state(s.State), printable(reason(s)))
	return nil
}
