package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/bench/rig"
)

// disk measures what a node with its own server and nothing but core delivery writes to its disk while it polls: ten
// minutes of it, or as long as the span says.
func disk(ctx context.Context, o options) (figures []figure.Figure, err error) {
	w, err := rig.NewWorld()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	dir, err := os.MkdirTemp("", "drover-bench-")
	if err != nil {
		return nil, fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "drover.yaml")
	text := fmt.Sprintf("node: disk\nnats: {embedded: {listen: \"127.0.0.1:0\"}}\nchannels:\n  c:\n    driver: %s\n"+
		"    connections: {main: {tcp: %q}}\n    settings: {mode: tcp}\n    devices:\n      d:\n        settings: {unit: 1}\n"+
		"        points: {clock: {address: \"holding:0\", type: uint64}}\n", o.programs.Driver, w.Device.Addr())
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	p, err := rig.Start(o.programs.Drover, "run", "-c", file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	for w.Device.Stats().Requests < 30 { // it runs, and has written what a start writes
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		wait(ctx, 100*time.Millisecond)
	}
	before, err := p.Usage()
	if err != nil {
		return nil, err
	}
	span := o.span(10 * time.Minute)
	wait(ctx, span)
	after, err := p.Usage()
	if err != nil {
		return nil, err
	}
	v := float64(after.Written - before.Written)
	return []figure.Figure{{Suite: "disk", Name: fmt.Sprintf("written to disk by a core node in %s", span), Unit: "bytes",
		Aim: "0", Series: []figure.Series{{Name: "drover", Samples: []float64{v}, Median: v, Min: v, Max: v}}}}, nil
}
