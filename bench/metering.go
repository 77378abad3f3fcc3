package main

import (
	"context"
	"fmt"
	"time"

	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/runtime/module/meter"
)

// metering measures what metering costs: the same work in the module as it was built and in the metered one.
func metering(ctx context.Context, o options) ([]figure.Figure, error) {
	var out []figure.Figure
	for _, measure := range []func(context.Context, options) ([]figure.Figure, error){kernels, pollCycle, rewriting} {
		figures, err := measure(ctx, o)
		if err != nil {
			return nil, err
		}
		out = append(out, figures...)
	}
	return out, nil
}

// kernel is an export of the guest in kernels, and how often one sample calls it.
type kernel struct {
	export, name, aim string
	times             uint64
}

func kernels(ctx context.Context, o options) ([]figure.Figure, error) {
	binary, err := build("github.com/droverhq/drover/bench/kernels")
	if err != nil {
		return nil, err
	}
	var out []figure.Figure
	for _, k := range []kernel{
		{"tight", "a tight loop, a pass", "under 2x", 20_000_000},
		{"crc", "CRC-16 over 256 bytes", "", 50_000},
		{"encode", "encode 150 bytes of JSON", "", 20_000},
	} {
		f := figure.Figure{Suite: "metering", Name: k.name, Unit: "ns", Aim: k.aim}
		f, err := plainAndMetered(ctx, o, binary, f, k.run)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

// run returns a variant that does the kernel's work in c.
func (k kernel) run(ctx context.Context, c *code) (func() (float64, error), error) {
	m, err := c.instantiate(ctx, time.Now)
	if err != nil {
		return nil, err
	}
	f := m.ExportedFunction(k.export)
	return func() (float64, error) {
		begin := time.Now()
		if _, err := f.Call(ctx, k.times); err != nil {
			return 0, fmt.Errorf("call %s: %w", k.export, err)
		}
		return float64(time.Since(begin)) / float64(k.times), nil
	}, nil
}

// plainAndMetered measures work in a binary as it is, then metered.
func plainAndMetered(ctx context.Context, o options, binary []byte, f figure.Figure,
	work func(context.Context, *code) (func() (float64, error), error)) (figure.Figure, error) {
	var variants []figure.Variant
	for i, name := range []string{"plain", "metered"} {
		c, err := load(ctx, binary, i == 1)
		if err != nil {
			return f, err
		}
		defer c.close(ctx) //nolint:errcheck // what it did was measured
		run, err := work(ctx, c)
		if err != nil {
			return f, err
		}
		variants = append(variants, figure.Variant{Name: name, Run: run})
	}
	return figure.Measure(f, o.rounds, variants...)
}

// rewriting measures how long metering a driver takes before it is compiled.
func rewriting(_ context.Context, o options) ([]figure.Figure, error) {
	binary, err := build(modbus)
	if err != nil {
		return nil, err
	}
	megabytes := float64(len(binary)) / (1 << 20)
	run := func() (float64, error) {
		begin := time.Now()
		_, err := meter.Rewrite(binary, meter.Limits{})
		return time.Since(begin).Seconds() * 1e3 / megabytes, err
	}
	f := figure.Figure{Suite: "metering", Name: fmt.Sprintf("rewrite the Modbus driver (%.1f MB), a MB", megabytes), Unit: "ms"}
	f, err = figure.Measure(f, o.rounds, figure.Variant{Name: "rewrite", Run: run})
	return []figure.Figure{f}, err
}
