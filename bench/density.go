package main

import (
	"context"
	"errors"
	"time"

	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/bench/grid"
	"github.com/droverhq/drover/bench/rig"
)

// growth are the numbers of channels at which it is measured what one more costs.
var growth = []int{1, 10, 100, 1000}

// density measures both programs while they poll 100 registers of each channel once a second: the memory and the CPU that
// they take, and how well they keep the time.
func density(ctx context.Context, o options) (figures []figure.Figure, err error) {
	w, err := rig.NewWorldApart(o.programs)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	rounds := min(o.rounds, 3) // a round of all takes three minutes
	for _, channels := range o.upTo(growth) {
		f := figure.Pair("density", channels, densityFigures(channels)...)
		for round := range rounds {
			for _, p := range o.programsInTurn(w, round) {
				o.progress("density: %d channels, round %d of %d: %s", channels, round+1, rounds, p.name)
				s, err := steady(ctx, o, w, p, rig.Load{Channels: channels, Registers: 100, Every: o.period})
				if err != nil {
					return nil, err
				}
				f.Add(p.variant, s.memory/1e6, s.cpu*1e3, s.p50, s.p99, s.worst, s.lost)
			}
		}
		figures = append(figures, f.Done()...)
	}
	return figures, nil
}

func densityFigures(channels int) []figure.Figure {
	f := []figure.Figure{
		{Metric: "memory", Name: "memory", Unit: "MB"},
		{Metric: "cpu", Name: "CPU a second", Unit: "ms"},
		{Metric: "late-p50", Name: "lateness of a cycle, p50", Unit: "ms", Absolute: true},
		{Metric: "late-p99", Name: "lateness of a cycle, p99", Unit: "ms", Absolute: true},
		{Metric: "late-max", Name: "lateness of a cycle, greatest", Unit: "ms", Absolute: true},
		{Metric: "lost", Name: "cycles lost of 1000", Absolute: true},
	}
	if channels == 1000 {
		f[0].Aim, f[1].Aim, f[3].Aim, f[5].Aim = "under 200 MB", "under 1.5x", "under 50 ms", "0"
	}
	return f
}

// state is what a program takes and gives when nothing changes any more.
type state struct {
	memory, cpu     float64 // bytes, and seconds of CPU a second
	p50, p99, worst float64 // milliseconds
	lost            float64 // of 1000 cycles
}

// looks is how often memory is read: the median counts, because collections of garbage come and go.
const looks = 5

// steady runs a program until what its start took is over, and measures it then: first its time, then its memory, which
// the kernel cannot add up without disturbing it.
func steady(ctx context.Context, o options, w *rig.World, p program, l rig.Load) (s state, err error) {
	running, err := p.start(ctx, l)
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, running.Stop()) }()
	wait(ctx, o.span(settling(l)))
	pulse, err := w.Feel(p.subjects)
	if err != nil {
		return s, err
	}
	begin := time.Now()
	cpu, err := running.CPU()
	if err != nil {
		return s, err
	}
	wait(ctx, max(o.span(15*time.Second), 2*l.Every))
	cpuThen, err := running.CPU()
	if err != nil {
		return s, err
	}
	took := time.Since(begin)
	at, err := pulse.End()
	if err != nil {
		return s, err
	}
	s = punctuality(at, l, took)
	s.cpu = (cpuThen - cpu).Seconds() / took.Seconds()
	var memory []float64
	for range looks {
		wait(ctx, o.span(500*time.Millisecond))
		u, err := running.Usage()
		if err != nil {
			return s, err
		}
		memory = append(memory, float64(u.Memory))
	}
	s.memory = figure.Median(memory)
	return s, ctx.Err()
}

// settling is how long a program may take until nothing of its start is left.
func settling(l rig.Load) time.Duration {
	if l.Channels < 1000 {
		return 4 * time.Second
	}
	return 10 * time.Second
}

// punctuality puts the cycles of all channels together. A channel of which nothing came has lost all its cycles.
func punctuality(at map[string][]time.Duration, l rig.Load, took time.Duration) (s state) {
	var late []float64
	silent := l.Channels - len(at)
	due := silent * int(took/l.Every)
	lost := due
	for _, times := range at {
		fit := grid.Of(times, l.Every)
		for _, d := range fit.Late {
			late = append(late, float64(d)/1e6)
		}
		due, lost = due+fit.Due, lost+fit.Lost
	}
	if len(late) == 0 {
		return state{lost: 1000}
	}
	s.p50, s.p99, s.worst = figure.Quantile(late, 0.5), figure.Quantile(late, 0.99), figure.Quantile(late, 1)
	s.lost = 1000 * float64(lost) / float64(due)
	return s
}
