package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/runtime/config"
)

func newCheckCommand(g *globals) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check a configuration and show all of its problems",
		Long: `Check a configuration: its form, and its settings against the schemas of the drivers that it names, which are run for
that with nothing granted. All problems are shown at once, each with its line; the exit code is then 2, or 5 where all that
is wrong is that no trusted key has signed a driver.

Drivers that the node's store does not have are looked for in the bucket: on the server that is named by a flag, on that of
the node where it runs on this machine, or on the one that the configuration names.`,
		Example:           "  drover check drover.yaml\n  drover check --json drover.yaml | jq -r '.[].message'",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: completeFile("yaml", "yml"),
		RunE:              func(cmd *cobra.Command, args []string) error { return runCheck(cmd.Context(), args[0], g) },
	}
}

func runCheck(ctx context.Context, path string, g *globals) error {
	done := g.progress("compiling drivers")
	cfg, problems, err := g.loadConfig(ctx, path)
	done()
	if err != nil {
		return err
	}
	if g.json {
		if err := g.printJSON(append(config.Problems{}, problems...)); err != nil {
			return err
		}
	} else {
		printProblems(g, problems)
	}
	if len(problems) > 0 {
		code := exitUsage
		if problems.Refused() {
			code = exitRefused
		}
		return coded(code, fmt.Errorf("%w: %s", errReported, plural(len(problems), "problem")))
	}
	if !g.json {
		channels, devices, points := sizes(cfg)
		fmt.Fprintf(g.out, "%s: ok, %s, %s, %s\n", path,
			plural(channels, "channel"), plural(devices, "device"), plural(points, "point"))
	}
	return nil
}

// loadConfig reads a configuration and checks it against its drivers. The error is of what could not be checked.
func (g *globals) loadConfig(ctx context.Context, path string) (*config.Node, config.Problems, error) {
	cfg, err := config.Load(path)
	if problems, ok := errors.AsType[config.Problems](err); ok {
		return nil, problems, nil
	}
	if err != nil {
		return nil, nil, coded(exitUsage, err)
	}
	bucket, done := g.bucketOf(ctx, cfg)
	defer done()
	problems, err := drover.CheckWith(ctx, cfg, bucket)
	return cfg, problems, err
}

func printProblems(g *globals, problems config.Problems) {
	for _, p := range problems {
		fmt.Fprintln(g.out, p)
	}
}

// sizes counts what a configuration has.
func sizes(cfg *config.Node) (channels, devices, points int) {
	for _, c := range cfg.Channels {
		devices += len(c.Devices)
		for _, d := range c.Devices {
			points += len(d.Points)
		}
	}
	return len(cfg.Channels), devices, points
}
