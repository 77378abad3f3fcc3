// Bench measures what the project promises, as ratios in one run, and prints them as a table.
//
//	bench [-suite metering,bridge] [-rounds 7] [-scale 0.1] [-most 100] [-json FILE]
//	bench -json FILE -docs ../docs
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/bench/page"
	"github.com/droverhq/drover/bench/rig"
)

// options are what the command line says.
type options struct {
	rounds int
	scale  float64
	// period is how often channels poll that are not to be busy all the time.
	period time.Duration
	// most is the greatest number of channels.
	most int
	// warm is a data directory where compiled code is kept from one node to the next.
	warm     string
	programs rig.Programs
}

// span is how long something is measured that takes d by default.
func (o options) span(d time.Duration) time.Duration { return time.Duration(float64(d) * o.scale) }

// progress says what goes on, to who waits.
func (o options) progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "%s  "+format+"\n", append([]any{time.Now().Format(time.TimeOnly)}, args...)...)
}

// upTo returns those numbers of channels that are not more than the most, and the most itself in place of those.
func (o options) upTo(channels []int) []int {
	out := slices.DeleteFunc(slices.Clone(channels), func(n int) bool { return n > o.most })
	if len(out) < len(channels) && !slices.Contains(out, o.most) {
		out = append(out, o.most)
	}
	return out
}

// suite is a group of figures that are measured together.
type suite struct {
	name, about string
	run         func(context.Context, options) ([]figure.Figure, error)
}

func suites() []suite {
	return []suite{
		{"metering", "what metering costs a guest", metering},
		{"hanging", "how soon a driver that hangs is ended", hanging},
		{"lateness", "how late a channel is beside others that compute for ever", lateness},
		{"bridge", "how long messages and commands take", bridge},
		{"flood", "how many points a second", flood},
		{"polling", "a node beside a bare poller", polling},
		{"density", "what a channel takes: memory, CPU, lateness, at 1 to 1,000 of them", density},
		{"start", "how long a node takes until its first messages", start},
		{"instance", "what an instance of the Modbus driver takes", instance},
		{"swap", "how long a channel says nothing while its driver is replaced", swap},
		{"disk", "what an idle node writes", disk},
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) (err error) {
	o := options{period: time.Second}
	flag.IntVar(&o.rounds, "rounds", 7, "how often each variant is measured")
	flag.Float64Var(&o.scale, "scale", 1, "how long to measure, as a multiple of the usual")
	flag.IntVar(&o.most, "most", 5000, "the greatest number of channels")
	flag.StringVar(&o.programs.Drover, "drover", "../build/drover", "the command")
	flag.StringVar(&o.programs.Driver, "driver", "../build/guests/modbus.wasm", "the Modbus driver")
	flag.StringVar(&o.programs.TestDriver, "testdriver", "../build/guests/testdriver.wasm", "the driver that misbehaves")
	flag.StringVar(&o.programs.Poller, "poller", "../build/bench/poller", "the bare poller")
	flag.StringVar(&o.programs.Simulator, "simulator", "../build/bench/simulator", "the devices")
	flag.StringVar(&o.programs.Instances, "instances", "../build/bench/instances", "the maker of instances")
	file := flag.String("json", "", "also write the figures, with all samples, to this file; with -docs, read them")
	docs := flag.String("docs", "", "measure nothing: write the figures of the file into this folder of the documentation")
	wanted := flag.String("suite", strings.Join(names(), ","), "the suites to run")
	flag.Parse()
	if *docs != "" {
		return page.Write(*docs, *file)
	}
	for _, path := range []*string{&o.programs.Drover, &o.programs.Driver, &o.programs.TestDriver,
		&o.programs.Poller, &o.programs.Simulator, &o.programs.Instances} {
		absolute, err := filepath.Abs(*path)
		if err != nil {
			return fmt.Errorf("find %s: %w", *path, err)
		}
		*path = absolute
	}
	chosen, err := choose(*wanted)
	if err != nil {
		return err
	}
	if o.warm, err = os.MkdirTemp("", "drover-bench-"); err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(o.warm)) }()
	run, err := describe(o)
	if err != nil {
		return err
	}
	r := figure.Report{Run: run}
	var failed error // a suite that failed is no reason to throw the others away
	for _, s := range chosen {
		fmt.Fprintf(os.Stderr, "%s: %s\n", s.name, s.about)
		measured, err := s.run(ctx, o)
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s: %w", s.name, err))
			fmt.Fprintln(os.Stderr, "bench:", s.name+":", err)
		}
		if ctx.Err() != nil {
			return failed
		}
		r.Figures = append(r.Figures, measured...)
	}
	fmt.Println(r.Run)
	figure.Print(os.Stdout, r.Figures)
	return errors.Join(failed, write(*file, r))
}

func names() []string {
	var out []string
	for _, s := range suites() {
		out = append(out, s.name)
	}
	return out
}

func choose(wanted string) ([]suite, error) {
	var out []suite
	for name := range strings.SplitSeq(wanted, ",") {
		i := slices.IndexFunc(suites(), func(s suite) bool { return s.name == name })
		if i < 0 {
			return nil, fmt.Errorf("no suite %q: there are %s", name, strings.Join(names(), ", "))
		}
		out = append(out, suites()[i])
	}
	return out, nil
}

func write(file string, r figure.Report) error {
	if file == "" {
		return nil
	}
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("write the figures: %w", err)
	}
	return errors.Join(r.Write(f), f.Close())
}
