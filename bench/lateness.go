package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/bench/rig"
)

// beat is how often the channel polls whose lateness is measured.
const beat = 10 * time.Millisecond

// lateness measures by how much a channel that polls every 10 ms is late, alone and beside drivers that compute for
// ever, in all phases: as many as there are cores, and twice as many.
func lateness(ctx context.Context, o options) (figures []figure.Figure, err error) {
	w, err := rig.NewWorld()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	late := figure.Figure{Suite: "lateness", Name: "poll of 10 ms, how late at p99", Unit: "ms", Aim: "within 5 ms of alone"}
	lost := figure.Figure{Suite: "lateness", Name: "poll of 10 ms, cycles lost of 1000", Unit: "", Aim: "0", Absolute: true}
	cores := goruntime.GOMAXPROCS(0)
	beside := []int{0, cores, 2 * cores}
	for _, n := range beside {
		s := figure.Series{Name: fmt.Sprintf("beside %d spinning", n)}
		late.Series, lost.Series = append(late.Series, s), append(lost.Series, s)
	}
	for range o.rounds {
		for i, n := range beside {
			p99, missing, err := beats(ctx, o, w, n)
			if err != nil {
				return nil, err
			}
			late.Series[i].Samples = append(late.Series[i].Samples, p99)
			lost.Series[i].Samples = append(lost.Series[i].Samples, missing)
		}
	}
	return []figure.Figure{late.Done(), lost.Done()}, nil
}

// beats runs the channel beside so many that spin.
func beats(ctx context.Context, o options, w *rig.World, spinning int) (p99, lost float64, err error) {
	dir, err := os.MkdirTemp("", "drover-bench-")
	if err != nil {
		return 0, 0, fmt.Errorf("make a folder: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	file := filepath.Join(dir, "drover.yaml")
	if err := os.WriteFile(file, []byte(spinningNode(o, w, spinning)), 0o600); err != nil {
		return 0, 0, fmt.Errorf("write the configuration: %w", err)
	}
	var mu sync.Mutex
	var at []time.Time
	sub, err := w.Conn.Subscribe("drover.late.steady.data.d", func(m *nats.Msg) {
		var s said
		if err := json.Unmarshal(m.Data, &s); err == nil {
			mu.Lock()
			defer mu.Unlock()
			at = append(at, s.TS)
		}
	})
	if err != nil {
		return 0, 0, fmt.Errorf("subscribe: %w", err)
	}
	defer sub.Unsubscribe() //nolint:errcheck // the connection goes soon
	p, err := rig.Start(o.programs.Drover, "run", "-c", file)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	const warm = 200
	for begin := time.Now(); ; wait(ctx, 20*time.Millisecond) {
		mu.Lock()
		n := len(at)
		mu.Unlock()
		if n > warm {
			break
		}
		if ctx.Err() != nil || time.Since(begin) > time.Minute {
			return 0, 0, errors.New("the channel does not publish")
		}
	}
	wait(ctx, o.span(10*time.Second))
	mu.Lock()
	defer mu.Unlock()
	p99, lost = behind(at[warm:])
	return p99, lost, nil
}

// spinningNode has the channel, and others that spin, each in another phase, and again as soon as they were ended.
func spinningNode(o options, w *rig.World, spinning int) string {
	var out strings.Builder
	fmt.Fprintf(&out, "node: late\nnats: {url: %q}\ntemplates:\n  t:\n    driver: %s\n    retry: {initial: 10ms, max: 10ms}\n"+
		"    quarantine: {crashes: 1000, window: 1h}\n    every: %s\n    devices: {d: {points: {p: {address: 0, type: uint64}}}}\n"+
		"channels:\n  steady: {use: t}\n", w.NATS.ClientURL(), o.programs.TestDriver, beat)
	phases := []string{"run", "configure", "connect", "init"}
	for i := range spinning {
		fmt.Fprintf(&out, "  s%d: {use: t, settings: {%s: loop}}\n", i, phases[i%len(phases)])
	}
	return out.String()
}

// behind returns by how many milliseconds 99 of 100 readings are not more behind the grid of the period, which the
// earliest of them gives, and how many of 1000 places of the grid are empty.
func behind(at []time.Time) (p99, lost float64) {
	var late []float64
	empty := 0
	for i, t := range at {
		since := t.Sub(at[0]) - time.Duration(i+empty)*beat
		for ; since >= beat; since -= beat {
			empty++
		}
		late = append(late, float64(since)/1e6)
	}
	return figure.Quantile(late, 0.99) - slices.Min(late), 1000 * float64(empty) / float64(len(at)+empty)
}
