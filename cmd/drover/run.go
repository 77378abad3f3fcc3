package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/runtime/config"
)

// runOptions are the flags of `drover run`.
type runOptions struct {
	config string
	data   string
	level  string
	format string
}

// AddFlags adds the flags to a set.
func (o *runOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVarP(&o.config, "config", "c", "", "configuration `file`; the one that was applied last when empty")
	f.StringVar(&o.data, "data", "", "data `directory` of the node whose configuration was applied last (default ./data)")
	f.StringVar(&o.level, "log-level", "info", "`level` from which on lines are logged: debug, info, warn, error")
	f.StringVar(&o.format, "log-format", "text", "`form` of the lines: text, json")
}

func newRunCommand(g *globals) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run [-c FILE]",
		Short: "Run a node",
		Long: `Run a node: its channels, and its NATS server unless the configuration names one elsewhere. It logs to standard error.
Ctrl-C and SIGTERM end it in order: sessions first, then their ports, then NATS. A second one ends it at once. A service
manager that gives it NOTIFY_SOCKET, such as systemd, hears when it is ready, that it lives, and that it stops.

With -c it runs FILE, whatever was applied before. Without, it runs what was applied last to the node whose data
directory is --data. A driver's file that has changed since it was applied is not run before the next apply, and swaps
hold until the configuration names another driver.

SIGHUP applies the file again, as drover apply does: what differs is changed, the rest is left alone, and a file with
problems changes nothing.`,
		Example: "  drover run -c drover.yaml\n  drover run --data /var/lib/drover\n" +
			"  drover run -c drover.yaml --log-format json --log-level debug",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return runRun(cmd.Context(), o, g) },
	}
	o.AddFlags(cmd.Flags())
	return cmd
}

func runRun(ctx context.Context, o runOptions, g *globals) error {
	log, err := o.logger(g)
	if err != nil {
		return err
	}
	cfg, source, err := o.load()
	if err != nil {
		return coded(exitUsage, err)
	}
	traces, err := startTraces(ctx, log)
	if err != nil {
		return err
	}
	told := func() {}
	hangup := newReloader(log, filepath.Join(source.Bundle.Dir, filepath.Base(source.Bundle.File)))
	err = drover.Run(ctx, cfg, drover.Options{
		Logger: log, Version: currentVersion().Version, Source: source, TracerProvider: traces.provider,
	}, func(n *drover.Node) {
		lean(os.Getenv)
		hangup.serve(n)
		told = newService(os.Getenv, os.Getpid(), log).serve(ctx)
	})
	hangup.stop()
	err = errors.Join(err, traces.stop(context.WithoutCancel(ctx)))
	told()
	if err := orderly(ctx, err); err != nil {
		return fmt.Errorf("run node %s: %w", cfg.Name, err)
	}
	return nil
}

// load returns the configuration to run: that of -c, or the one applied last.
func (o runOptions) load() (*config.Node, *drover.Source, error) {
	if o.config != "" {
		if o.data != "" {
			return nil, nil, usagef("-c and --data exclude each other: the file says where the data is")
		}
		return drover.Collect(o.config)
	}
	data := cmp.Or(o.data, "data")
	cfg, source, err := drover.LastApplied(data)
	if errors.Is(err, drover.ErrNoneApplied) {
		return nil, nil, usagef("no configuration was applied in %s: run one with -c FILE (see `drover run --help`)", data)
	}
	return cfg, source, err
}

// logger returns a logger to standard error, in JSON with --json too.
func (o runOptions) logger(g *globals) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(o.level)); err != nil {
		return nil, usagef("--log-level %q is not debug, info, warn or error", o.level)
	}
	options := &slog.HandlerOptions{Level: level}
	switch {
	case o.format == "json" || g.json:
		return slog.New(slog.NewJSONHandler(g.err, options)), nil
	case o.format == "text":
		return slog.New(slog.NewTextHandler(g.err, options)), nil
	}
	return nil, usagef("--log-format %q is not text or json", o.format)
}
