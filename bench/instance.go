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
// to make one, and its memory before it has done anything and after as many cycles of 100 points as an hour has. Those that
// start from an image of initialised memory are beside those that are each initialised.
func instance(ctx context.Context, o options) ([]figure.Figure, error) {
	// Compiled code is kept where the nodes of other suites have it.
	cycles, count := max(int(hour*o.scale), 10), min(o.most, 100)
	f := figure.Group{
		{Name: "make an instance", Unit: "ms", Aim: "under 0.5 ms"},
		{Name: "memory of an instance before work", Unit: "KB", Aim: "under 100 KB"},
		{Name: fmt.Sprintf("memory of an instance after %d cycles of 100 points", cycles), Unit: "KB", Aim: "under 250 KB"},
	}
	for i := range f {
		f[i].Suite, f[i].Series = "instance", []figure.Series{{Name: "each initialised"}, {Name: "from an image"}}
	}
	for round := range o.rounds {
		for variant, each := range []bool{true, false} {
			o.progress("instance: round %d of %d: %s", round+1, o.rounds, f[0].Series[variant].Name)
			c, err := rig.MeasureInstances(ctx, o.programs, filepath.Join(o.warm, "data", "cache"), count, cycles, each)
			if err != nil {
				return nil, err
			}
			var took []float64
			for _, d := range c.Instantiate {
				took = append(took, float64(d)/1e6)
			}
			f.Add(variant, figure.Median(took), c.Before/1e3, c.After/1e3)
		}
	}
	return f.Done(), nil
}
