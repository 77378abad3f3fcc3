//go:build chaos && linux

package chaos

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/runtime/config"
)

// life is a node from start to stop, with all around it and a script that is played before it.
func life(t *testing.T, dir string, s script) {
	t.Run("life", func(t *testing.T) {
		plant, err := startPlant(t.TempDir())
		t.Cleanup(func() {
			if err := plant.Close(); err != nil {
				t.Error(err)
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		hub, err := startHub(t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(hub.stop)
		wire, err := startWire(hub.address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := wire.Close(); err != nil {
				t.Error(err)
			}
		})
		eye, err := openEye(hub.address())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(eye.close)
		o := perform(t, dir, plant, &stage{t: t, hub: hub, wire: wire, eye: eye}, s)
		o.read(t, eye)
		o.verify(t)
		o.tellCodes(t)
	})
}

// perform starts the node, plays the script, and stops the node once all channels are ready.
func perform(t *testing.T, dir string, p *plant, s *stage, all script) *outcome {
	t.Helper()
	clock := startClock()
	stop := start(t, configuration(t, dir, s.wire, p))
	s.doers, s.played = p.doers(), map[string][]played{}
	s.doers["called"] = s.eye
	ready(t, s.eye)
	before := settled(t)
	t.Logf("ready   %s", before)
	s.start = time.Now()
	s.play(all)
	o := &outcome{played: s.played, attempts: ready(t, s.eye), asked: map[string]uint64{}}
	returned(t, before, belongings{goroutines: 8, files: 8, heap: 32 << 20, resident: 256 << 20})
	stop()
	for _, channel := range []string{"press", "pump", "meter"} {
		o.asked[channel] = p.asked(channel)
	}
	var err error
	if o.shares, err = clock.stop(); err != nil {
		t.Error(err)
	}
	return o
}

// ready waits until all channels are, and returns their attempts.
func ready(t *testing.T, e *eye) map[string]uint64 {
	t.Helper()
	attempts := map[string]uint64{}
	for _, channel := range channels {
		var err error
		if attempts[channel], err = e.ready(channel, 0); err != nil {
			t.Error(err)
		}
	}
	return attempts
}

// configuration is the node's, with a data directory of its own that has the drivers' compiled code.
func configuration(t *testing.T, dir string, w *wire, p *plant) *config.Node {
	t.Helper()
	data := t.TempDir()
	if err := os.Symlink(filepath.Join(dir, "cache"), filepath.Join(data, "cache")); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("node: n1\ndata: %q\nnats: {url: \"nats://%s\", commands: all}\nchannels:\n%s",
		data, w.listener.Addr(), p.channels())
	c, err := config.Parse(filepath.Join(dir, "drover.yaml"), []byte(text))
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return c
}

// start starts the node. stop stops it.
func start(t *testing.T, c *config.Node) (stop func()) {
	t.Helper()
	var log bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	logger := slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))
	n, err := drover.Start(ctx, c, drover.Options{Logger: logger})
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := errors.Join(n.Err(), n.Stop(ctx)); err != nil {
			t.Errorf("stop: %v", err)
		}
		t.Cleanup(func() {
			if t.Failed() {
				t.Logf("the end of the node's log:\n%s", log.Bytes()[max(0, log.Len()-32<<10):])
			}
		})
	}
}

// read reads what the streams have and what the eye has seen.
func (o *outcome) read(t *testing.T, e *eye) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	o.cycles = e.cycles
	js, err := jetstream.New(e.conn)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	if err := errors.Join(o.readEvents(ctx, js), o.readData(ctx, js)); err != nil {
		t.Error(err)
	}
}
