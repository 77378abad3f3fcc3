package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/internal/sim/modbus"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// demoOptions are the flags of `drover demo`.
type demoOptions struct {
	driver string
	length time.Duration
}

// AddFlags adds the flags to a set.
func (o *demoOptions) AddFlags(f *pflag.FlagSet) {
	f.StringVar(&o.driver, "driver", "", "`path` of the Modbus driver; that of this distribution, or of this checkout, if not given")
	f.DurationVar(&o.length, "for", 0, "end after that `time`, as 10s")
}

func newDemoCommand(g *globals) *cobra.Command {
	var o demoOptions
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Show it working, with simulated devices",
		Long: `Run a node with its NATS server on a free port of this machine and two simulated devices in the same process: a boiler on
Modbus TCP and three energy meters on one Modbus RTU line, each read by a sandboxed driver. The values are shown as they
arrive on NATS.`,
		Example: "  drover demo --for 10s",
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return runDemo(cmd.Context(), o, g) },
	}
	o.AddFlags(cmd.Flags())
	return cmd
}

func runDemo(ctx context.Context, o demoOptions, g *globals) (err error) {
	data, err := os.MkdirTemp("", "drover-demo-")
	if err != nil {
		return fmt.Errorf("make the demo's data directory: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(data)) }()
	plant, err := startPlant(time.Now)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plant.Close()) }()
	cfg, err := o.config(data, plant)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(g.err, &slog.HandlerOptions{Level: slog.LevelWarn}))
	return o.show(ctx, cfg, log, g)
}

// plant is what the demo reads.
type plant struct {
	boiler *modbus.TCPServer
	meters *modbus.RTUServer
	line   *modbus.PTY
}

// Close implements io.Closer.
func (p *plant) Close() error { return errors.Join(p.boiler.Close(), p.meters.Close()) }

var _ io.Closer = (*plant)(nil)

func startPlant(clock func() time.Time) (*plant, error) {
	line, err := modbus.OpenPTY()
	if err != nil {
		return nil, err
	}
	boiler, err := modbus.ListenTCP(modbus.Config{Units: map[uint8]*modbus.Device{1: modbus.NewBoiler(clock)}})
	if err != nil {
		return nil, errors.Join(err, line.Close())
	}
	meters := modbus.ServeRTU(modbus.Config{Units: map[uint8]*modbus.Device{
		1: modbus.NewMeter(clock, 1, 640),
		2: modbus.NewMeter(clock, 2, 1_850),
		3: modbus.NewMeter(clock, 3, 75),
	}}, line)
	return &plant{boiler: boiler, meters: meters, line: line}, nil
}

// demoConfig is the demo's configuration, an example of one.
const demoConfig = `
node: demo
data: %[1]q
nats: {embedded: {listen: 127.0.0.1:0}}
channels:
  boiler:
    driver: %[2]q
    connections:
      main: {tcp: %[3]q}
    settings: {mode: tcp}
    every: 500ms
    devices:
      burner:
        settings: {unit: 1}
        points:
          flame: {address: "discrete:0", type: bool}
          starts: {address: "input:4", type: uint32}
      water:
        settings: {unit: 1}
        points:
          supply: {address: "input:0", type: int16, scale: 0.1, unit: °C}
          return: {address: "input:1", type: int16, scale: 0.1, unit: °C}
          pressure: {address: "input:2", type: float32, unit: bar}
          setpoint: {address: "holding:0", type: uint16, scale: 0.1, unit: °C, access: rw, range: [30, 80]}
  meters:
    driver: %[2]q
    connections:
      main: {serial: %[4]q, baud: 19200, parity: none}
    settings: {mode: rtu}
    every: 1s
    devices:
      kitchen:
        settings: {unit: 1}
        points: %[5]s
      heatpump:
        settings: {unit: 2}
        points: %[5]s
      garage:
        settings: {unit: 3}
        points: %[5]s
`

// meterPoints are the points that each meter has.
const meterPoints = `{
          voltage: {address: "input:0", type: float32, unit: V},
          current: {address: "input:2", type: float32, unit: A},
          power: {address: "input:4", type: float32, unit: W},
          energy: {address: "input:6", type: uint64, unit: Ws}}`

// ownDriver is the driver that was distributed with this program, if it is there, or else the one that was built here.
func ownDriver() string {
	if program, err := os.Executable(); err == nil {
		file := filepath.Join(filepath.Dir(program), "drivers", "modbus.wasm")
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return filepath.Join("build", "guests", "modbus.wasm")
}

func (o demoOptions) config(data string, p *plant) (*config.Node, error) {
	if o.driver == "" {
		o.driver = ownDriver()
	}
	driver, err := filepath.Abs(o.driver)
	if err != nil {
		return nil, fmt.Errorf("find the driver: %w", err)
	}
	if _, err := os.Stat(driver); err != nil {
		return nil, usagef("the demo's driver: %w (`make guests` builds it)", err)
	}
	text := fmt.Sprintf(demoConfig, data, driver, p.boiler.Addr(), p.line.Path(), meterPoints)
	cfg, err := config.Parse("demo.yaml", []byte(text))
	if err != nil {
		return nil, fmt.Errorf("the demo's configuration: %w", err)
	}
	return cfg, nil
}

// show runs the node until ctx is done or its time is over, and shows what it publishes as any client would.
func (o demoOptions) show(ctx context.Context, cfg *config.Node, log *slog.Logger, g *globals) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var watching sync.WaitGroup
	var watchErr error
	err := drover.Run(ctx, cfg, drover.Options{Logger: log, Version: currentVersion().Version}, func(n *drover.Node) {
		watching.Go(func() {
			defer cancel()
			ctx, end := lasting(ctx, o.length)
			defer end()
			watchErr = watchDemo(ctx, cfg.Name, n.URL(), g)
		})
	})
	watching.Wait()
	return errors.Join(orderly(ctx, err), watchErr)
}

func watchDemo(ctx context.Context, node, url string, g *globals) error {
	c, err := client.Connect(ctx, client.Options{URL: url, Name: "drover demo"})
	if err != nil {
		return fmt.Errorf("connect to the demo's node: %w", err)
	}
	r := &remote{client: c, node: node}
	defer r.close()
	if !g.json {
		fmt.Fprintf(g.out, "NATS on %s, subjects %s.%s.>\n\n", url, message.DefaultPrefix, node)
	}
	f := follower{terminal: g.terminal, json: g.json, values: newValues(), ask: r.snapshot}
	return r.follow(ctx, &f)
}
