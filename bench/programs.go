package main

import (
	"context"
	"slices"
	"time"

	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/bench/rig"
)

// running is a program at work.
type running interface {
	// Began is when its first messages came.
	Began() rig.Firsts
	CPU() (time.Duration, error)
	Usage() (rig.Usage, error)
	Stop() error
}

// program is one of those that are compared.
type program struct {
	name string
	// variant is its place in the figures.
	variant int
	// subjects are those of its messages.
	subjects string
	start    func(context.Context, rig.Load) (running, error)
}

// programsInTurn returns both, in an order that differs from round to round, so that none always has the other before it.
func (o options) programsInTurn(w *rig.World, round int) []program {
	both := []program{
		{"bare poller", figure.Bare, rig.PollerData, func(ctx context.Context, l rig.Load) (running, error) { return w.StartPoller(ctx, o.programs, l) }},
		{"drover", figure.Drover, rig.NodeData, func(ctx context.Context, l rig.Load) (running, error) {
			return w.StartNode(ctx, o.programs, l, "", o.warm)
		}},
	}
	if round%2 == 1 {
		slices.Reverse(both)
	}
	return both
}
