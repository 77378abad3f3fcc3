package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/bench/rig"
)

// polling measures a node beside the bare poller, each alone in its turn: as many polls as they can, and what a poll
// takes of the CPU.
func polling(ctx context.Context, o options) (figures []figure.Figure, err error) {
	w, err := rig.NewWorld()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	for _, devices := range []int{1, 10, 100} {
		rate := figure.Figure{Suite: "polling", Name: fmt.Sprintf("flat out, %d devices, 100 registers", devices),
			Unit: "polls/s", Aim: "at least 0.6x"}
		cpu := figure.Figure{Suite: "polling", Name: fmt.Sprintf("CPU a poll, flat out, %d devices", devices), Unit: "us",
			Aim: "at most 2x"}
		load := rig.Load{Channels: devices, Registers: 100, Every: 0}
		rate.Series, cpu.Series = make([]figure.Series, 2), make([]figure.Series, 2)
		for range o.rounds {
			for i, start := range []func(rig.Load) (running, error){o.bare(w), o.node(w)} {
				polls, used, err := flatOut(ctx, w, start, load, o.span(5*time.Second))
				if err != nil {
					return nil, err
				}
				rate.Series[i].Samples = append(rate.Series[i].Samples, polls)
				cpu.Series[i].Samples = append(cpu.Series[i].Samples, used)
			}
		}
		for _, f := range []figure.Figure{rate, cpu} {
			f.Series[0].Name, f.Series[1].Name = "bare poller", "drover"
			figures = append(figures, f.Done())
		}
	}
	return figures, nil
}

// running is a program at work.
type running interface {
	Usage() (rig.Usage, error)
	Stop() error
}

func (o options) bare(w *rig.World) func(rig.Load) (running, error) {
	return func(l rig.Load) (running, error) { return w.StartPoller(o.programs, l) }
}

// node starts a node; its shortest period stands for as fast as it goes.
func (o options) node(w *rig.World) func(rig.Load) (running, error) {
	return func(l rig.Load) (running, error) {
		l.Every = max(l.Every, time.Millisecond)
		return w.StartNode(o.programs, l, "", "")
	}
}

// flatOut returns polls a second and microseconds of CPU a poll.
func flatOut(ctx context.Context, w *rig.World, start func(rig.Load) (running, error), l rig.Load, span time.Duration) (
	polls, cpu float64, err error) {
	p, err := start(l)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	wait(ctx, span/5)
	before, err := p.Usage()
	if err != nil {
		return 0, 0, err
	}
	requests, begin := w.Device.Stats().Requests, time.Now()
	wait(ctx, span)
	seconds, n := time.Since(begin).Seconds(), float64(w.Device.Stats().Requests-requests)
	after, err := p.Usage()
	if err != nil {
		return 0, 0, err
	}
	return n / seconds, float64((after.CPU - before.CPU).Microseconds()) / n, nil
}
