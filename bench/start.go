package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/bench/rig"
)

// many is more channels than a node of this size usually has; they read few registers.
const many = 5000

// start measures how long it takes from the start of the process until each channel has published: of a node that has
// never compiled its drivers, and of one that has.
func start(ctx context.Context, o options) (figures []figure.Figure, err error) {
	w, err := rig.NewWorldApart(o.programs)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	cold, err := coldStarts(ctx, o, w)
	if err != nil {
		return nil, err
	}
	figures = cold
	var memory uint64 // of the greatest node so far
	for _, channels := range o.upTo(growth) {
		rounds := o.rounds
		if channels >= 1000 {
			rounds = min(rounds, 3)
		}
		f := figure.Figure{Metric: "start-warm", Name: "warm start", Unit: "s", Absolute: true}
		more, took, err := warmStarts(ctx, o, w, f, rounds, rig.Load{Channels: channels, Registers: 100, Every: eager(channels)})
		if err != nil {
			return nil, err
		}
		figures, memory = append(figures, more...), took
	}
	if o.most < many {
		return figures, nil
	}
	_, free, err := rig.MachineMemory()
	if err != nil {
		return nil, err
	}
	if need := memory * many / uint64(growth[len(growth)-1]); need > free {
		o.progress("start: no %d channels: they need some %d MiB, and %d MiB are free", many, need>>20, free>>20)
		return figures, nil
	}
	f := figure.Figure{Metric: "start-many", Name: "warm start, 10 registers", Unit: "s", Absolute: true, Aim: "under 20 s"}
	more, _, err := warmStarts(ctx, o, w, f, min(o.rounds, 3), rig.Load{Channels: many, Registers: 10, Every: eager(many)})
	return append(figures, more...), err
}

// eager is the period of channels whose start is measured. A first read has its place in the period, which is waited for
// too, so that the period is short where the machine can keep it.
func eager(channels int) time.Duration {
	switch {
	case channels <= 100:
		return 100 * time.Millisecond
	case channels < many:
		return time.Second
	}
	return 5 * time.Second
}

func coldStarts(ctx context.Context, o options, w *rig.World) ([]figure.Figure, error) {
	var figures []figure.Figure
	for _, channels := range o.upTo([]int{1, 10, 100}) {
		f := figure.Alone("start", channels, figure.Figure{Metric: "start-cold", Name: "cold start", Unit: "s"})
		for round := range o.rounds {
			o.progress("start: cold, %d channels, round %d of %d", channels, round+1, o.rounds)
			n, err := w.StartNode(ctx, o.programs, rig.Load{Channels: channels, Registers: 100, Every: eager(channels)}, "", "")
			if err != nil {
				return nil, err
			}
			f.Add(0, n.Began().All.Seconds())
			if err := errors.Join(n.Stop(), ctx.Err()); err != nil {
				return nil, err
			}
		}
		figures = append(figures, f.Done()...)
	}
	return figures, nil
}

// warmStarts also returns the memory of a node just after its start.
func warmStarts(ctx context.Context, o options, w *rig.World, f figure.Figure, rounds int, l rig.Load) (
	figures []figure.Figure, memory uint64, err error) {
	if err := files(l.Channels); err != nil {
		return nil, 0, err
	}
	g := figure.Pair("start", l.Channels, f)
	warm := false
	for round := range rounds {
		for _, p := range o.programsInTurn(w, round) {
			if p.variant == figure.Drover && !warm {
				if err := o.compile(ctx, w); err != nil {
					return nil, 0, err
				}
				warm = true
			}
			o.progress("start: warm, %d channels, round %d of %d: %s", l.Channels, round+1, rounds, p.name)
			running, err := p.start(ctx, l)
			if err != nil {
				return nil, 0, err
			}
			g.Add(p.variant, running.Began().All.Seconds())
			used, err := running.Usage()
			if p.variant == figure.Drover {
				memory = used.Memory
			}
			if err := errors.Join(err, running.Stop(), ctx.Err()); err != nil {
				return nil, 0, err
			}
		}
	}
	return g.Done(), memory, nil
}

// compile has a node compile the driver into the directory that is kept.
func (o options) compile(ctx context.Context, w *rig.World) error {
	n, err := w.StartNode(ctx, o.programs, rig.Load{Channels: 1, Registers: 100, Every: time.Second}, "", o.warm)
	if err != nil {
		return err
	}
	return n.Stop()
}

// files says whether a process may have as many connections open. Go's runtime raises the soft limit to the hard one by
// itself.
func files(connections int) error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the limit of open files: %w", err)
	}
	if need := uint64(connections + 200); limit.Max < need {
		return fmt.Errorf("%d connections need %d open files, the hard limit is %d: raise it (ulimit -Hn), or -most less",
			connections, need, limit.Max)
	}
	return nil
}
