//go:build linux || darwin

package drover_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/abi/canon/wasmtest"
	sim "github.com/droverhq/drover/internal/sim/modbus"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// unplugged has an adapter go away while its channel is connected: that is no reason to give up, although a port that
// was never there is.
func (r *rig) unplugged(t *testing.T) {
	adapter := filepath.Join(t.TempDir(), "ttyUSB0")
	pull := plug(t, adapter)
	n := start(t, r.config(t, anywhere, fmt.Sprintf(`
  meter:
    driver: modbus.wasm
    connections: {main: {serial: %q, baud: 115200}}
    retry: {initial: 20ms, max: 50ms}
    every: 20ms
    devices: {one: {settings: {unit: 1}, points: {power: {address: "holding:0", type: uint16}}}}
`, adapter)))
	e := listen(t, n.URL(), "drover.n1.meter.>")
	good := func(h heard) bool { return strings.Contains(h.subject, ".data.") && string(h.Points["power"].V) == "7" }
	e.next(t, "a value", good)
	pull()
	for range 3 {
		h := e.next(t, "that it is gone", func(h heard) bool { return h.Detail.Code == "io.not-found" })
		if h.Detail.Kind != "retryable" || h.Detail.Phase != "connect" {
			t.Errorf("got %s", h.payload)
		}
	}
	plug(t, adapter)
	e.next(t, "a value of the adapter that came back", good)
	for _, h := range e.heard {
		if h.State == "failed" {
			t.Errorf("it gave up: %s", h.payload)
		}
	}
}

// plug makes a line with a meter on it, at that path. pull takes both away again; the end of the test does so, too.
func plug(t *testing.T, path string) (pull func()) {
	t.Helper()
	line := pty(t)
	meter := sim.NewDevice(func(m *sim.Memory) { m.SetHolding(0, 7) })
	server := sim.ServeRTU(sim.Config{Units: map[uint8]*sim.Device{1: meter}}, line)
	if err := os.Symlink(line.Path(), path); err != nil {
		t.Fatal(err)
	}
	pulled := false
	pull = func() {
		if pulled {
			return
		}
		pulled = true
		if err := errors.Join(os.Remove(path), server.Close()); err != nil {
			t.Error(err)
		}
	}
	t.Cleanup(pull)
	return pull
}

// described are drivers that cannot be loaded for what they are: each fails its own channel, and one that crashed leaves
// a post-mortem.
func (r *rig) described(t *testing.T) {
	r.write(t, "schema.wasm", driverOf(sound{settings: `{"type": 1}`}))
	r.write(t, "describe.wasm", driverOf(sound{function: "describe", body: wasmtest.Unreachable()}))
	url, user, password := startServer(t)
	e := listen(t, url, "drover.>")
	start(t, r.config(t, remote(url, user, password), `
  steady: {driver: testdriver.wasm, every: 50ms, devices: {pump: {points: {count: {address: 0, type: uint64}}}}}
  schema: {driver: schema.wasm, settings: {a: 1}}
  describe: {driver: describe.wasm}
`))
	for channel, want := range map[string]struct{ code, summary string }{
		"schema":   {"abi.encoding", "the schema of its settings is wrong"},
		"describe": {"trap.unreachable", "unreachable"},
	} {
		e.expect(t, "the failure of "+channel, func(h heard) bool {
			d := h.Detail
			return h.subject == "drover.n1."+channel+".event.failure" && d.Code == want.code && d.Phase == "describe" &&
				d.Kind == "fatal" && strings.Contains(d.Summary, want.summary) && strings.HasPrefix(d.Digest, "sha256:")
		})
	}
	e.expect(t, "the channel beside them", func(h heard) bool { return h.subject == "drover.n1.steady.data.pump" })
	crash := e.crash(t, "describe", 1)
	if crash.Failure.Code != "trap.unreachable" || len(crash.Stack) == 0 || crash.Memory == 0 {
		t.Errorf("its post-mortem is %+v", crash)
	}
}

// crash asks for a post-mortem until it is there.
func (e *ear) crash(t *testing.T, channel string, n int) (crash message.Crash) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		var kept message.Crashes
		ask(t, e.conn, "drover-call.n1.get.crashes", fmt.Sprintf(`{"channel":%q}`, channel), &kept)
		if len(kept.Crashes) >= n {
			ask(t, e.conn, "drover-call.n1.get.crash", fmt.Sprintf(`{"channel":%q,"n":%d}`, channel, n), &crash)
			return crash
		}
		select {
		case <-deadline.C:
			t.Fatalf("waited in vain for crash %d of %s", n, channel)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// quarantined has a driver crash until it is quarantined. That outlives the node, and ends with a restart of the channel
// or with another driver.
func (r *rig) quarantined(t *testing.T) {
	url, user, password := startServer(t)
	e := listen(t, url, "drover.n1.fragile.>")
	admin := connect(t, url, nats.UserInfo(user, password))
	r.write(t, "fragile.wasm", driverOf(sound{function: "run", body: wasmtest.Unreachable()}))
	served := remote(url, user, password)
	c := r.config(t, served, "  fragile: {driver: fragile.wasm, retry: {initial: 10ms, max: 10ms}}\n")
	held := func(attempt uint64) func(heard) bool {
		return func(h heard) bool {
			return h.State == "quarantined" && h.Attempt == attempt && h.Reason == "5 crashes within 10m0s, the last trap.unreachable"
		}
	}
	var first message.Quarantine
	n := start(t, c)
	told := e.on(t, "drover.n1.fragile.event.quarantine")
	decode(t, told, &first)
	if first.Count != 5 || first.Window != 600 || first.LastFailure.Attempt != 5 || first.LastFailure.Code != "trap.unreachable" {
		t.Errorf("quarantined as %s", told.payload)
	}
	e.next(t, "quarantined", held(5))
	if crash := e.crash(t, "fragile", 5); crash.Failure.Attempt != 1 {
		t.Errorf("the fifth crash is that of attempt %d", crash.Failure.Attempt)
	}
	stop(t, n)

	n = start(t, c)
	e.next(t, "quarantined from the start", held(0))
	var ps message.Processes
	ask(t, e.conn, "drover-call.n1.get.ps", "", &ps)
	if s := ps.Channels[0].State; s.State != "quarantined" || !s.Since.Equal(first.Since.Time) || s.LastFailure == nil || s.LastFailure.Attempt != 5 {
		t.Errorf("shown as %+v", s)
	}
	var state message.State
	ask(t, admin, "drover-call.n1.ctl.restart", `{"channel":"fragile"}`, &state)
	e.next(t, "quarantined once more", held(5))
	stop(t, n)

	r.write(t, "fragile.wasm", driverOf(sound{}))
	n = start(t, c)
	e.next(t, "connected with another driver", func(h heard) bool { return h.State == "connected" })
	stop(t, n)
	e.isNever(t, "quarantined again", func(h heard) bool { return h.State == "quarantined" && h.Attempt == 0 }, 1)
	if left, err := os.ReadDir(filepath.Join(c.Data, "quarantine")); err != nil || len(left) != 0 {
		t.Errorf("left is %v, %v", left, err)
	}
}

// isNever: of what was heard so far, no more than that is such.
func (e *ear) isNever(t *testing.T, what string, such func(heard) bool, most int) {
	t.Helper()
	for _, h := range e.heard {
		if such(h) {
			most--
		}
	}
	if most < 0 {
		t.Errorf("it is %s:\n%s", what, e)
	}
}

// decode reads an event's detail.
func decode(t *testing.T, h heard, detail any) {
	t.Helper()
	e, err := message.Decode[message.Event]([]byte(h.payload))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(e.Detail, detail); err != nil {
		t.Fatal(err)
	}
}
