package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/bench/rig"
)

// bridge measures a node of 100 channels with 100 points each at 1 s, from the outside.
func bridge(ctx context.Context, o options) (figures []figure.Figure, err error) {
	w, err := rig.NewWorld()
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	load := rig.Load{Channels: 100, Registers: 100, Every: time.Second}
	n, err := w.StartNode(ctx, o.programs, load, "", "")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, n.Stop()) }()
	latency, err := telemetryLatency(ctx, w, o)
	if err != nil {
		return nil, err
	}
	commands, err := commandRoundTrips(ctx, w, o, load)
	if err != nil {
		return nil, err
	}
	return append(latency, commands...), nil
}

// heard is as much of a data message as is needed.
type heard struct {
	Seq    uint64 `json:"seq"`
	Points map[string]struct {
		V json.RawMessage `json:"v"`
	} `json:"points"`
}

// telemetryLatency measures how old the device's clock is when a subscriber has it: from the moment at which the device
// answers, that is the last at which its register changed, to the message.
func telemetryLatency(ctx context.Context, w *rig.World, o options) ([]figure.Figure, error) {
	var mu sync.Mutex
	var ages []float64
	sub, err := w.Conn.Subscribe("drover.bench.*.data.*", func(m *nats.Msg) {
		var h heard
		if err := json.Unmarshal(m.Data, &h); err != nil {
			return
		}
		clock, err := strconv.ParseUint(string(h.Points["clock"].V), 10, 64)
		if err != nil {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		ages = append(ages, float64(rig.Age(clock))/1e6)
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	defer sub.Unsubscribe() //nolint:errcheck // the connection goes soon
	wait(ctx, o.span(20*time.Second))
	mu.Lock()
	defer mu.Unlock()
	if len(ages) == 0 {
		return nil, errors.New("no data came")
	}
	return []figure.Figure{quantiles("device to subscriber, 100 channels x 100 points at 1 s", "ms", ages)}, nil
}

// quantiles makes a figure of samples: what half of them and what 99 of 100 do not exceed.
func quantiles(name, unit string, samples []float64) figure.Figure {
	f := figure.Figure{Suite: "bridge", Name: name, Unit: unit}
	for _, q := range []struct {
		name  string
		share float64
	}{{"p50", 0.5}, {"p99", 0.99}, {"max", 1}} {
		v := figure.Quantile(samples, q.share)
		f.Series = append(f.Series, figure.Series{Name: q.name, Samples: []float64{v}, Median: v, Min: v, Max: v})
	}
	return f
}

// commandRoundTrips measures writes to the device while the telemetry goes on, one after the other, over the channels.
func commandRoundTrips(ctx context.Context, w *rig.World, o options, l rig.Load) ([]figure.Figure, error) {
	var trips []float64
	for until := time.Now().Add(o.span(20 * time.Second)); time.Now().Before(until) && ctx.Err() == nil; {
		subject := fmt.Sprintf("drover-call.bench.c%d.write.d.setpoint", len(trips)%l.Channels)
		begin := time.Now()
		answer, err := w.Conn.Request(subject, []byte(strconv.Itoa(len(trips)%1000)), 5*time.Second)
		if err != nil {
			return nil, fmt.Errorf("write: %w", err)
		}
		if code := answer.Header.Get("Nats-Service-Error"); code != "" {
			return nil, fmt.Errorf("write: %s", code)
		}
		trips = append(trips, float64(time.Since(begin))/1e6)
		wait(ctx, 5*time.Millisecond)
	}
	if len(trips) == 0 {
		return nil, errors.New("no command was answered")
	}
	return []figure.Figure{quantiles("write, caller to device and back, under that load", "ms", trips)}, nil
}

// wait waits, or until ctx is done.
func wait(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
