package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

func newLogLevelCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "log-level CHANNEL LEVEL",
		Short: "Set from which level on a channel's lines are logged",
		Long: `Set from which level on the lines of a channel and its driver are logged: debug, info, warn or error, or default for the
node's own level. It lasts until the node's end.`,
		Example: "  drover log-level boiler debug\n  drover log-level boiler default",
		Args:    cobra.ExactArgs(2),
		ValidArgsFunction: func(cmd *cobra.Command, args []string, begun string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(args) == 1 {
				return []cobra.Completion{"debug", "info", "warn", "error", "default"}, noFiles
			}
			return g.completeChannel(cmd, args, begun)
		},
		RunE: func(cmd *cobra.Command, args []string) error { return runLogLevel(cmd.Context(), args[0], args[1], g) },
	}
}

func runLogLevel(ctx context.Context, channel, level string, g *globals) error {
	node, err := g.connect(ctx)
	if err != nil {
		return err
	}
	defer node.close()
	var now message.LogLevel
	body := map[string]string{"channel": channel, "level": level}
	if err := node.client.Ctl(ctx, node.node, "log-level", body, &now); err != nil {
		return unreachable(err)
	}
	if g.json {
		return g.printJSON(now)
	}
	of := "the node's"
	if now.Own {
		of = "its own"
	}
	fmt.Fprintf(g.out, "%s logs from %s on, %s level\n", channel, now.Level, of)
	return nil
}
