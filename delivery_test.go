//go:build linux || darwin

package drover_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/embedded"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// delivered: what two starts of a node have read is in its stream, each message once and in order, and a third node of
// the name gives way.
func (r *rig) delivered(t *testing.T) {
	p := startPlant(t)
	url, user, password := startServerWith(t, embedded.Config{Data: t.TempDir()})
	nc := connect(t, url, nats.UserInfo(user, password))
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	channels := fmt.Sprintf(`
  plc:
    driver: modbus.wasm
    delivery: stream
    connections: {main: {tcp: %q}}
    every: 10ms
    devices: {boiler: {settings: {unit: 1}, points: {temperature: {address: "input:0", type: int16}}}}
`, p.tcp.Addr())
	server := fmt.Sprintf("{url: %q, user: %q, password: %q, stream: {on_full: backpressure}}", url, user, password)
	config := r.config(t, server, channels)
	stored := uint64(0)
	for range 2 {
		n := start(t, config)
		more(t, js, stored+50)
		if err := drover.Run(t.Context(), config, drover.Options{}, nil); !errors.Is(err, natsbridge.ErrNameTaken) {
			t.Errorf("another node of the name: %v", err)
		}
		stop(t, n)
		stored = size(t, js)
	}
	last := map[string]uint64{}
	stream, err := js.Stream(t.Context(), "drover-n1-data")
	if err != nil {
		t.Fatal(err)
	}
	for i := range stored {
		m, err := stream.GetMsg(t.Context(), i+1)
		if err != nil {
			t.Fatal(err)
		}
		d, err := message.Decode[message.Data](m.Data)
		if err != nil || d.Seq != last[d.Epoch]+1 {
			t.Fatalf("message %d: seq %d after %d, %v", i+1, d.Seq, last[d.Epoch], err)
		}
		last[d.Epoch] = d.Seq
	}
	if len(last) != 2 {
		t.Errorf("the stream has %v", last)
	}
}

// more waits until the stream has so many messages.
func more(t *testing.T, js jetstream.JetStream, wanted uint64) {
	t.Helper()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for size(t, js) < wanted {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("too little is stored")
		}
	}
}

// size is how many messages the stream has.
func size(t *testing.T, js jetstream.JetStream) uint64 {
	t.Helper()
	s, err := js.Stream(t.Context(), "drover-n1-data")
	if errors.Is(err, jetstream.ErrStreamNotFound) {
		return 0
	}
	if err != nil {
		t.Fatal(err)
	}
	return s.CachedInfo().State.Msgs
}
