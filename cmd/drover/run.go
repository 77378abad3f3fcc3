package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/runtime/config"
)

// runOptions are the flags of `drover run`.
type runOptions struct {
	config string
	level  string
	format string
}

// AddFlags adds the flags to a set.
func (o *runOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVarP(&o.config, "config", "c", "", "configuration `file`")
	f.StringVar(&o.level, "log-level", "info", "`level` from which on lines are logged: debug, info, warn, error")
	f.StringVar(&o.format, "log-format", "text", "`form` of the lines: text, json")
}

func newRunCommand(g *globals) *cobra.Command {
	var o runOptions
	cmd := &cobra.Command{
		Use:   "run -c FILE",
		Short: "Run a node",
		Long: `Run a node: its channels, and its NATS server unless the configuration names one elsewhere. It logs to standard error.
Ctrl-C and SIGTERM end it in order: sessions first, then their ports, then NATS. A second one ends it at once. A service
manager that gives it NOTIFY_SOCKET, such as systemd, hears when it is ready, that it lives, and that it stops.`,
		Example: "  drover run -c drover.yaml\n  drover run -c drover.yaml --log-format json --log-level debug",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runRun(cmd.Context(), o, g) },
	}
	o.AddFlags(cmd.Flags())
	return cmd
}

func runRun(ctx context.Context, o runOptions, g *globals) error {
	if o.config == "" {
		return usagef("-c FILE is missing (see `drover run --help`)")
	}
	log, err := o.logger(g)
	if err != nil {
		return err
	}
	cfg, err := config.Load(o.config)
	if err != nil {
		return coded(exitUsage, err)
	}
	traces, err := startTraces(ctx, log)
	if err != nil {
		return err
	}
	told := func() {}
	options := drover.Options{Logger: log, Version: currentVersion().Version, TracerProvider: traces.provider}
	err = drover.Run(ctx, cfg, options, func(*drover.Node) { told = newService(os.Getenv, os.Getpid(), log).serve(ctx) })
	err = errors.Join(err, traces.stop(context.WithoutCancel(ctx)))
	told()
	if err := orderly(ctx, err); err != nil {
		return fmt.Errorf("run node %s: %w", cfg.Name, err)
	}
	return nil
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
