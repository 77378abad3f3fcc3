package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/bench/rig"
)

// swapPeriod is how often the channel polls whose driver is swapped; the others poll once a second.
const swapPeriod = 10 * time.Millisecond

// swap measures for how long a channel says nothing while its driver is replaced, alone and beside more and more others.
func swap(ctx context.Context, o options) (figures []figure.Figure, err error) {
	w, err := rig.NewWorldApart(o.programs)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	modules, err := twoVersions(o)
	if err != nil {
		return nil, err
	}
	for _, channels := range o.upTo(growth) {
		f, err := swaps(ctx, o, w, channels, modules)
		if err != nil {
			return nil, err
		}
		figures = append(figures, f...)
	}
	return figures, nil
}

// twoVersions returns the paths of the driver and of one that differs from it in nothing but its digest.
func twoVersions(o options) ([2]string, error) {
	binary, err := os.ReadFile(o.programs.Driver)
	if err != nil {
		return [2]string{}, fmt.Errorf("read the driver: %w", err)
	}
	// A custom section (WebAssembly 3.0, 5.5.3): its identifier, its size, its name with its size, and a byte of content.
	const section = "\x00\x07\x05other\x00"
	other := filepath.Join(o.warm, "other.wasm")
	if err := os.WriteFile(other, append(binary, section...), 0o600); err != nil {
		return [2]string{}, fmt.Errorf("write the other driver: %w", err)
	}
	return [2]string{other, o.programs.Driver}, nil
}

// swaps swaps the first channel's driver again and again while all channels poll.
func swaps(ctx context.Context, o options, w *rig.World, channels int, modules [2]string) (figures []figure.Figure, err error) {
	// A folder of its own, because a node remembers what was swapped.
	n, err := w.StartNode(ctx, o.programs, rig.Load{Channels: channels, Registers: 100, Every: o.period, First: swapPeriod}, "", "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, n.Stop()) }()
	for _, m := range modules { // compiled from here on
		if _, err := swapOnce(ctx, w.Conn, m); err != nil {
			return nil, err
		}
	}
	var gaps []float64
	silences := figure.Figure{Suite: "swap", At: channels, Metric: "silence", Unit: "ms",
		Name:   fmt.Sprintf("longest time between two messages, %s", figure.Counted(channels)),
		Series: []figure.Series{{Name: "no swap"}, {Name: "drover"}}}
	total := max(int(100*o.scale), 6)
	for i := range total {
		if i%20 == 0 {
			o.progress("swap: %d channels, swap %d of %d", channels, i+1, total)
		}
		pulse, err := w.Feel("drover.bench.c0.data.*")
		if err != nil {
			return nil, err
		}
		begin := time.Now()
		wait(ctx, 5*swapPeriod)
		asked := time.Since(begin)
		gap, err := swapOnce(ctx, w.Conn, modules[i%2])
		if err != nil {
			return nil, err
		}
		wait(ctx, 5*swapPeriod)
		done := time.Since(begin)
		wait(ctx, done-asked) // as long again, without a swap
		at, err := pulse.End()
		if err != nil {
			return nil, err
		}
		with, without, err := longest(slices.Concat(slices.Collect(maps.Values(at))...), asked, done)
		if err != nil {
			return nil, err
		}
		gaps = append(gaps, gap)
		silences.Series[0].Samples = append(silences.Series[0].Samples, without)
		silences.Series[1].Samples = append(silences.Series[1].Samples, with)
	}
	g := figure.Alone("swap", channels,
		figure.Figure{Metric: "gap-p50", Name: "gap, last message of the old to first of the new", Unit: "ms", Aim: "median under 10 ms"},
		figure.Figure{Metric: "gap-p99", Name: "gap, p99", Unit: "ms"})
	g[0].Series[0].Samples = gaps
	g[1].Series[0].Samples = []float64{figure.Quantile(gaps, 0.99)}
	return append(g.Done(), silences.Done()), ctx.Err()
}

// swapOnce replaces the driver and returns the gap as the node reports it, in milliseconds.
func swapOnce(ctx context.Context, conn *nats.Conn, module string) (gap float64, err error) {
	body, err := json.Marshal(map[string]any{"channel": "c0", "module": module, "trial": 0})
	if err != nil {
		return 0, fmt.Errorf("swap: %w", err)
	}
	m := nats.NewMsg("drover-call.bench.ctl.swap")
	m.Data = body
	m.Header.Set("Drover-Timeout", "1m")
	waiting, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	answer, err := conn.RequestMsgWithContext(waiting, m)
	if err != nil {
		return 0, fmt.Errorf("swap: %w", err)
	}
	if e := answer.Header.Get("Nats-Service-Error"); e != "" {
		return 0, fmt.Errorf("swap: %s", e)
	}
	var report struct {
		Result string  `json:"result"`
		Gap    float64 `json:"gap"`
	}
	if err := json.Unmarshal(answer.Data, &report); err != nil {
		return 0, fmt.Errorf("swap: %w", err)
	}
	if report.Result != "swapped" {
		return 0, fmt.Errorf("swap: %s", answer.Data)
	}
	return report.Gap * 1e3, nil
}

// longest returns the longest times between two messages, in milliseconds, around the swap and after it.
func longest(at []time.Duration, asked, done time.Duration) (with, without float64, err error) {
	slices.Sort(at)
	for i := 1; i < len(at); i++ {
		between := float64(at[i]-at[i-1]) / 1e6
		switch {
		case at[i] < asked: // before the swap
		case at[i-1] <= done:
			with = max(with, between)
		default:
			without = max(without, between)
		}
	}
	if with == 0 || without == 0 {
		return 0, 0, errors.New("the channel says nothing after a swap")
	}
	return with, without, nil
}
