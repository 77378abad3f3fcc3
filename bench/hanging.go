package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/bench/figure"
	"github.com/droverhq/drover/bench/rig"
)

// hang is a way not to end, in the testdriver's settings.
type hang struct {
	name, settings string
	// after is how long the host lets it go on; what comes on top of that is measured.
	after time.Duration
	// since is the state in which it begins.
	since string
}

const (
	computeLimit = time.Second
	stopDeadline = 2 * time.Second
)

// computing are ended by the limit of computing, or of the stack, while the channel runs.
func computing() []hang {
	return []hang{
		{"a loop in configure", "configure: loop", computeLimit, "connecting"},
		{"a loop in connect", "connect: loop", computeLimit, "connecting"},
		{"a loop in init", "init: loop", computeLimit, "initializing"},
		{"a loop in run", "run: loop", computeLimit, "connected"},
		{"recursion in run", "run: recurse", 0, "connected"},
	}
}

// stopping are ended by a stop.
func stopping() []hang {
	return []hang{
		{name: "stop, blocked in a read", settings: "run: block-read, connection: main"},
		{name: "stop, asleep", settings: "run: sleep"},
		{name: "stop, in control.wait", settings: "cycle: 0"},
		{name: "stop, in control.wait and deaf", settings: "run: wait", after: stopDeadline},
		{name: "stop, ignoring it", settings: "ignoreStop: true", after: stopDeadline},
	}
}

// hanging measures how long it takes from the moment at which a driver must end to its end. Each way has a node of its
// own, so that none computes beside another.
func hanging(ctx context.Context, o options) (figures []figure.Figure, err error) {
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
	for _, way := range append(computing(), stopping()...) {
		samples, err := hangs(ctx, o, w, way, filepath.Join(dir, "drover.yaml"))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", way.name, err)
		}
		figures = append(figures, overdue(way, samples))
	}
	return figures, nil
}

// hangs runs a node with one channel that hangs.
func hangs(ctx context.Context, o options, w *rig.World, way hang, file string) (samples []float64, err error) {
	if err := os.WriteFile(file, []byte(hangingNode(o, w, way)), 0o600); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	heard := make(chan *nats.Msg, 4096)
	sub, err := w.Conn.ChanSubscribe("drover.hang.c.>", heard)
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	defer sub.Unsubscribe() //nolint:errcheck // the connection goes soon
	if err := w.Conn.Flush(); err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	p, err := rig.Start(o.programs.Drover, "run", "-c", file)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, p.Stop()) }()
	if way.since != "" {
		return endings(ctx, heard, way, o.rounds)
	}
	if err := connected(ctx, heard); err != nil {
		return nil, err
	}
	return stops(ctx, w.Conn, way, o.rounds)
}

func hangingNode(o options, w *rig.World, way hang) string {
	return fmt.Sprintf("node: hang\nnats: {url: %q, commands: all}\nchannels:\n  c:\n    driver: %s\n"+
		"    connections: {main: {tcp: %q}}\n    settings: {%s}\n    retry: {initial: 100ms, max: 100ms}\n"+
		"    quarantine: {crashes: 1000, window: 1h}\n    limits: {compute: %s}\n    deadlines: {stop: %s}\n"+
		"    devices: {d: {points: {p: {address: 0, type: uint16}}}}\n",
		w.NATS.ClientURL(), o.programs.TestDriver, w.Device.Addr(), way.settings, computeLimit, stopDeadline)
}

// said is as much of a state or a failure as is needed.
type said struct {
	TS      time.Time `json:"ts"`
	State   string    `json:"state"`
	Attempt uint64    `json:"attempt"`
	Detail  struct {
		Attempt uint64    `json:"attempt"`
		Code    string    `json:"code"`
		Time    time.Time `json:"time"`
	} `json:"detail"`
}

// next waits for what the channel says next, and on which subject.
func next(ctx context.Context, heard <-chan *nats.Msg) (subject string, s said, err error) {
	select {
	case <-ctx.Done():
		return "", s, ctx.Err()
	case <-time.After(time.Minute):
		return "", s, errors.New("the channel says nothing")
	case m := <-heard:
		if err := json.Unmarshal(m.Data, &s); err != nil {
			return "", s, fmt.Errorf("%s: %w", m.Subject, err)
		}
		return strings.TrimPrefix(m.Subject, "drover.hang.c."), s, nil
	}
}

// connected waits until the channel is.
func connected(ctx context.Context, heard <-chan *nats.Msg) error {
	for {
		if subject, s, err := next(ctx, heard); err != nil || subject == "state" && s.State == "connected" {
			return err
		}
	}
}

// endings waits until the driver has failed as often as asked for, and takes the time from the state in which it hangs.
func endings(ctx context.Context, heard <-chan *nats.Msg, way hang, rounds int) ([]float64, error) {
	var samples []float64
	var begin said
	for len(samples) < rounds {
		subject, s, err := next(ctx, heard)
		switch {
		case err != nil:
			return nil, err
		case subject == "state" && s.State == way.since:
			begin = s
		case subject == "event.failure" && begin.Attempt == s.Detail.Attempt:
			samples = append(samples, float64(s.Detail.Time.Sub(begin.TS)-way.after)/1e6)
		}
	}
	return samples, nil
}

func overdue(way hang, samples []float64) figure.Figure {
	name := way.name + ", to its end"
	if way.after > 0 {
		name = fmt.Sprintf("%s, from its %s to its end", way.name, way.after)
	}
	f := figure.Figure{Suite: "hanging", Name: name, Unit: "ms", Series: []figure.Series{{Name: "drover", Samples: samples}}}
	return f.Done()
}

// stops starts a channel and stops it, as often as asked for.
func stops(ctx context.Context, conn *nats.Conn, way hang, rounds int) ([]float64, error) {
	call := func(verb string) error {
		m := nats.NewMsg("drover-call.hang.ctl." + verb)
		m.Data = []byte(`{"channel":"c"}`)
		m.Header.Set("Drover-Timeout", "20s")
		answer, err := conn.RequestMsg(m, 20*time.Second)
		if err != nil {
			return fmt.Errorf("%s: %w", verb, err)
		}
		if e := answer.Header.Get("Nats-Service-Error"); e != "" {
			return fmt.Errorf("%s: %s", verb, e)
		}
		return nil
	}
	var samples []float64
	for range rounds {
		if err := call("start"); err != nil {
			return nil, err
		}
		wait(ctx, 500*time.Millisecond) // it hangs by now
		begin := time.Now()
		if err := call("stop"); err != nil {
			return nil, err
		}
		samples = append(samples, float64(time.Since(begin)-way.after)/1e6)
	}
	return samples, nil
}
