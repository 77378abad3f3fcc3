package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/bench/rig"
)

// hour is how many cycles of a second it has.
const hour = 3600

// instance measures what an instance of the Modbus driver takes by itself, with nothing of a channel around it: the time
// to make one, and its memory before it has done anything and after as many cycles of 100 points as an hour has.
func instance(ctx context.Context, o options) ([]figure.Figure, error) {
	// Compiled code is kept where the nodes of other suites have it.
	cycles, count := max(int(hour*o.scale), 10), min(o.most, 100)
	f := figure.Alone("instance", 0,
		figure.Figure{Name: "make an instance", Unit: "ms", Aim: "under 0.5 ms"},
		figure.Figure{Name: "memory of an instance before work", Unit: "KiB", Aim: "under 100 KB"},
		figure.Figure{Name: fmt.Sprintf("memory of an instance after %d cycles of 100 points", cycles), Unit: "KiB", Aim: "under 250 KB"})
	for round := range o.rounds {
		o.progress("instance: round %d of %d", round+1, o.rounds)
		c, err := rig.MeasureInstances(ctx, o.programs, filepath.Join(o.warm, "data", "cache"), count, cycles)
		if err != nil {
			return nil, err
		}
		var took []float64
		for _, d := range c.Instantiate {
			took = append(took, float64(d)/1e6)
		}
		f.Add(0, figure.Median(took), c.Before/1024, c.After/1024)
	}
	return f.Done(), nil
}
