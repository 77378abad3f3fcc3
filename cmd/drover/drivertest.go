package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/runtime/config"
)

// driverTestOptions are the flags of `drover driver test`.
type driverTestOptions struct {
	config  string
	channel string
	length  time.Duration
	verbose bool
}

// runWithDevice is how long the channel of a configuration that was given runs with its device.
const runWithDevice = 5 * time.Second

// AddFlags adds the flags to a set.
func (o *driverTestOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVarP(&o.config, "config", "c", "", "configuration `file`: its channel is run with its device, too")
	f.StringVar(&o.channel, "channel", "", "`name` of the channel to take of the configuration, where it has several")
	f.DurationVar(&o.length, "for", runWithDevice, "how `long` to run with the device; 0 is not at all")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "show what the driver logs and prints, on standard error")
}

func newDriverTestCommand(g *globals) *cobra.Command {
	var o driverTestOptions
	cmd := &cobra.Command{
		Use:   "test [DIR|FILE.wasm]",
		Short: "Test a driver in the sandbox against what nodes want of it",
		Long: `Test a driver in the sandbox, as a node would run it: whether it loads and its schemas are sound; whether it refuses
wrong settings with a word instead of a crash; what it does when nobody is there, when the device is silent, hangs up or
sends noise; and whether it stops and yields when it is told to. A folder is built first.

The example to configure it with is the file drover.yaml beside it, or else the examples in its schemas. Only with
--config does it speak to the device that the file names: each point must then have values, memory must not grow, and a
swap must lose nothing.

The exit code is 1 when a check fails, 5 for a module that no node takes.`,
		Example: "  drover driver test\n  drover driver test thermo.wasm --json\n  drover driver test --config drover.yaml --for 1m",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return runDriverTest(cmd.Context(), append(args, ".")[0], o, g)
		},
		ValidArgsFunction: completeFile("wasm"),
	}
	o.AddFlags(cmd.Flags())
	_ = cmd.MarkFlagFilename("config", "yaml", "yml") // the flag is there
	return cmd
}

func runDriverTest(ctx context.Context, path string, o driverTestOptions, g *globals) (err error) {
	file, dir, clean, err := moduleToTest(ctx, path, g)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, clean()) }()
	test := drover.DriverTest{OpenLine: simulatedLine, Logger: o.logger(g)}
	if test.Channel, err = o.example(file, dir); err != nil {
		return err
	}
	if o.config != "" {
		test.For = o.length
	}
	out := checkPrinter{terminal: g.terminal}
	if !g.json {
		test.Tell = out.print
	}
	report, err := drover.TestDriver(ctx, file, test)
	if err != nil {
		return loadError(path, err)
	}
	if err := g.printDriverReport(report); err != nil {
		return err
	}
	if n := report.Count(drover.DriverFail); n > 0 {
		return coded(exitFailed, fmt.Errorf("%w: %s failed", errReported, plural(n, "check")))
	}
	return nil
}

// moduleToTest returns the module of an argument, which is built first where that is a folder, and the folder that it
// belongs to. clean removes what was built.
func moduleToTest(ctx context.Context, path string, g *globals) (file, dir string, clean func() error, err error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", "", nil, usagef("%s: expected a module, or the folder of a driver", path)
	case err != nil:
		return "", "", nil, fmt.Errorf("find the driver: %w", err)
	case !info.IsDir():
		return path, filepath.Dir(path), func() error { return nil }, nil
	}
	temporary, err := os.MkdirTemp("", "drover-driver-")
	if err != nil {
		return "", "", nil, fmt.Errorf("build the driver: %w", err)
	}
	file = filepath.Join(temporary, "driver.wasm")
	if err := buildDriver(ctx, path, file, g); err != nil {
		return "", "", nil, errors.Join(err, os.RemoveAll(temporary))
	}
	return file, path, func() error { return os.RemoveAll(temporary) }, nil
}

// example returns the channel to test with: of the file that was given, or of the one beside the driver; nil where there
// is neither.
func (o driverTestOptions) example(file, dir string) (*config.Channel, error) {
	path := o.config
	if path == "" {
		path = filepath.Join(dir, "drover.yaml")
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	}
	cfg, err := config.Load(path)
	if err != nil {
		return nil, coded(exitUsage, err)
	}
	return o.channelOf(cfg, file)
}

// channelOf returns the channel that is named, or the only one there is, or the first that runs the file.
func (o driverTestOptions) channelOf(cfg *config.Node, file string) (*config.Channel, error) {
	absolute, err := filepath.Abs(file)
	if err != nil {
		return nil, fmt.Errorf("find the driver: %w", err)
	}
	var names []string
	for _, c := range cfg.Channels {
		if c.Name == o.channel || o.channel == "" && (len(cfg.Channels) == 1 || c.Driver == absolute) {
			return c, nil
		}
		names = append(names, c.Name)
	}
	return nil, usagef("%s: expected --channel with one of %s", cfg.File, strings.Join(names, ", "))
}

// logger is for what the driver says.
func (o driverTestOptions) logger(g *globals) *slog.Logger {
	if !o.verbose {
		return nil
	}
	return slog.New(slog.NewTextHandler(g.err, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// checkPrinter prints checks as they come.
type checkPrinter struct{ terminal }

// checkWidth is that of the longest name of a check.
const checkWidth = 14

func (c *checkPrinter) print(check drover.DriverCheck) {
	p := c.palette()
	result := map[any]string{
		drover.DriverPass: p.good("ok  "), drover.DriverFail: p.bad("FAIL"), drover.DriverSkip: p.faint("skip"),
	}[check.Result]
	fmt.Fprintf(c.out, "%s  %-*s  %s\n", result, checkWidth, check.Name, printable(check.Text))
}

func (g *globals) printDriverReport(r *drover.DriverReport) error {
	if g.json {
		return g.printJSON(r)
	}
	if len(r.Readings) > 0 {
		fmt.Fprintf(g.out, "\n%s\n", readingTable(g.palette(), r.Readings))
	}
	d := r.Driver
	_, err := fmt.Fprintf(g.out, "\n%s %s, %s: %d passed, %d failed, %d skipped\n", d.Name, d.Version, shortDigest(d.Digest),
		r.Count(drover.DriverPass), r.Count(drover.DriverFail), r.Count(drover.DriverSkip))
	return err
}

func readingTable(p palette, readings []drover.DriverReading) string {
	t := newTable(p, "DEVICE", "POINT", "VALUE", "UNIT", "COUNT", "QUALITY")
	t.SetColumnConfigs([]table.ColumnConfig{rightAligned(3), rightAligned(5)})
	for _, r := range readings {
		value, _ := json.Marshal(r.Value) // it is JSON already, or nothing
		if r.Value == nil {
			value = []byte("-")
		}
		t.AppendRow(table.Row{
			r.Device, r.Point, printable(string(value)), r.Unit, r.Count, quality(p, shown{quality: r.Quality, code: r.Code}),
		})
	}
	return t.Render()
}
