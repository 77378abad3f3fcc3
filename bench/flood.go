package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/bench/rig"
)

// flood measures how many points a second reach a subscriber without a hole: ever more channels with 100 points each
// poll as fast as they can, until the first message is missing or more channels bring no more points.
func flood(ctx context.Context, o options) (figures []figure.Figure, err error) {
	w, err := rig.NewWorld()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	best := figure.Figure{Suite: "flood", Name: "points a second without a drop", Unit: "points/s",
		Series: []figure.Series{{Name: "drover"}}}
	for channels := 5; channels <= 320 && ctx.Err() == nil; channels *= 2 {
		rate, holes, err := floodOnce(ctx, w, o, channels)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(os.Stderr, "flood: %3d channels: %8.0f points/s, %d messages missing\n", channels, rate, holes)
		samples := best.Series[0].Samples
		if holes > 0 || len(samples) > 0 && rate < figure.Quantile(samples, 1) {
			break
		}
		best.Series[0].Samples = append(samples, rate)
	}
	if len(best.Series[0].Samples) == 0 {
		return nil, errors.New("the first channels lose messages already")
	}
	best = best.Done()
	best.Series[0].Median = best.Series[0].Max
	return []figure.Figure{best}, nil
}

// floodOnce returns the points a second, and how many messages were missing.
func floodOnce(ctx context.Context, w *rig.World, o options, channels int) (rate float64, holes uint64, err error) {
	n, err := w.StartNode(ctx, o.programs, rig.Load{Channels: channels, Registers: 100, Every: time.Millisecond}, "", "")
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, n.Stop()) }()
	var mu sync.Mutex
	points, last := 0, map[string]uint64{}
	sub, err := w.Conn.Subscribe("drover.bench.*.data.*", func(m *nats.Msg) {
		var h heard
		if err := json.Unmarshal(m.Data, &h); err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		points += len(h.Points)
		if before, known := last[m.Subject]; known {
			holes += h.Seq - before - 1
		}
		last[m.Subject] = h.Seq
	})
	if err != nil {
		return 0, 0, fmt.Errorf("subscribe: %w", err)
	}
	defer sub.Unsubscribe() //nolint:errcheck // the connection goes soon
	if err := sub.SetPendingLimits(-1, -1); err != nil {
		return 0, 0, fmt.Errorf("subscribe: %w", err)
	}
	span := o.span(10 * time.Second)
	wait(ctx, span)
	mu.Lock()
	defer mu.Unlock()
	return float64(points) / span.Seconds(), holes, nil
}
