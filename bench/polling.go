package main

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/bench/rig"
)

// polling measures a node beside the bare poller, each alone in its turn: as many polls as they can, what a poll takes of
// the CPU, and whether what was read is published.
func polling(ctx context.Context, o options) (figures []figure.Figure, err error) {
	w, err := rig.NewWorldApart(o.programs)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	for _, devices := range o.upTo([]int{1, 10, 100}) {
		f := figure.Pair("polling", devices,
			figure.Figure{Metric: "rate", Name: "flat out", Unit: "polls/s", Aim: "at least 0.6x"},
			figure.Figure{Metric: "cpu-poll", Name: "CPU a poll, flat out", Unit: "us", Aim: "at most 2x"},
			figure.Figure{Metric: "delivered", Name: "messages of 100 polls, flat out", Absolute: true})
		load := rig.Load{Channels: devices, Registers: 100, Units: units(devices)}
		for round := range o.rounds {
			for _, p := range o.programsInTurn(w, round) {
				o.progress("polling: %d devices, round %d of %d: %s", devices, round+1, o.rounds, p.name)
				done, err := busy(ctx, w, p, load, o.span(5*time.Second))
				if err != nil {
					return nil, err
				}
				f.Add(p.variant, done.rate, done.cpu, done.delivered)
			}
		}
		figures = append(figures, f.Done()...)
	}
	return figures, nil
}

// units is how many devices are behind each connection. A channel begins a cycle once a millisecond at most, so that few
// connections need several units to be busy all the time: 40,000 reads a second are due, which is more than there can be.
func units(connections int) int { return max(1, 40/connections) }

// work is what came of polling flat out.
type work struct {
	// rate is polls a second, cpu microseconds a poll, delivered messages of 100 polls.
	rate, cpu, delivered float64
}

// busy runs a program flat out.
func busy(ctx context.Context, w *rig.World, p program, l rig.Load, span time.Duration) (out work, err error) {
	running, err := p.start(ctx, l)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, running.Stop()) }()
	wait(ctx, span/5)
	var messages atomic.Uint64
	sub, err := w.Conn.Subscribe(p.subjects, func(*nats.Msg) { messages.Add(1) })
	if err != nil {
		return out, fmt.Errorf("subscribe: %w", err)
	}
	defer sub.Unsubscribe() //nolint:errcheck // the connection goes soon
	if err := errors.Join(sub.SetPendingLimits(-1, -1), w.Conn.Flush()); err != nil {
		return out, fmt.Errorf("subscribe: %w", err)
	}
	look := func() (cpu time.Duration, polls, heard uint64, err error) {
		cpu, err = running.CPU()
		polls, failed := w.Requests()
		return cpu, polls, messages.Load(), errors.Join(err, failed)
	}
	begin := time.Now()
	cpu, polls, heard, err := look()
	if err != nil {
		return out, err
	}
	wait(ctx, span)
	seconds := time.Since(begin).Seconds()
	cpuThen, pollsThen, heardThen, err := look()
	if err != nil {
		return out, err
	}
	n := float64(pollsThen - polls)
	return work{n / seconds, float64((cpuThen - cpu).Microseconds()) / n, 100 * float64(heardThen-heard) / n}, ctx.Err()
}
