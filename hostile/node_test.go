//go:build hostile

package hostile

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/internal/testguest"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/failure"
)

// TestSiege has all attacks run at once in one node, beside a healthy channel, and looks at what comes over NATS.
func TestSiege(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	attacks := slices.Concat(readAttacks(t), compiled(t), scripted(t))
	attacks = slices.DeleteFunc(attacks, func(a attack) bool { return busy[a.name] })
	before := count(t)
	t.Run("siege", func(t *testing.T) {
		url := broker(t)
		h := listen(t, url)
		stop := startNode(t, siege(t, url, attacks))
		for _, a := range attacks {
			if a.code != "" && a.phase != stopPhase {
				h.failed(t, a)
			}
		}
		h.cycles(t, 10)
		stop()
		h.told(t, attacks)
	})
	returned(t, before, 2<<30) // all memories of the attacks are 4 GiB
}

// busy are attacks that take a processor for as long as they are let: one like them is enough to besiege a node.
var busy = map[string]bool{"handle-opened-and-dropped": true, "status-flood": true}

// siege is the configuration of a node with all attacks, each in a channel of its own name.
func siege(t *testing.T, url string, attacks []attack) *config.Node {
	t.Helper()
	dir := t.TempDir()
	write := func(name string, binary []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), binary, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	binary, err := testguest.Build("testdriver")
	if err != nil {
		t.Fatal(err)
	}
	write("neighbour.wasm", binary)
	device := silent(t)
	var b strings.Builder
	fmt.Fprintf(&b, "node: hostile\ndata: data\nnats: {url: %q}\nchannels:\n", url)
	fmt.Fprintf(&b, "  neighbour: {driver: neighbour.wasm, every: 10ms, devices: {pump: {points: {count: {address: 0, type: uint64}}}}}\n")
	for _, a := range attacks {
		write(a.name+".wasm", a.binary)
		fmt.Fprintf(&b, `
  %s:
    driver: %s.wasm
    connections: {main: {tcp: %q}}
    deadlines: {connect: 8s, init: 8s, stop: 2s}
    retry: {attempts: 0}
    every: 10ms
    settings: %s
    devices:
      pump:
        points:
          count: {address: 0, type: uint64}
          level: {address: 0, type: float64}
          name: {address: 0, type: string}
          raw: {address: 0, type: bytes}
          flags: {address: 0, type: bool, count: 4}
`, a.name, a.name, device, cmp.Or(a.settings, "{}"))
	}
	c, err := config.Parse(filepath.Join(dir, "drover.yaml"), []byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// startNode starts a node and returns what stops it.
func startNode(t *testing.T, c *config.Node) (stop func()) {
	t.Helper()
	n, err := drover.Start(t.Context(), c, drover.Options{Logger: slog.New(slog.DiscardHandler), Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := n.Stop(ctx); err != nil {
			t.Errorf("stop the node: %v", err)
		}
	}
	t.Cleanup(stop)
	return stop
}

// broker is a NATS server that is there before the node is.
func broker(t *testing.T) (url string) {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() {
		s.Shutdown()
		s.WaitForShutdown()
	})
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server is not ready")
	}
	return s.ClientURL()
}

// hearing is what comes over NATS.
type hearing struct {
	came     chan *nats.Msg
	failures map[string][]message // by channel
	denied   map[string]int
	seq      uint64 // of the neighbour
}

// message has of all kinds of messages what the tests look at.
type message struct {
	Epoch  string
	Seq    uint64
	Detail struct{ Phase, Code, Summary string }
}

func listen(t *testing.T, url string) *hearing {
	t.Helper()
	closed := make(chan struct{})
	conn, err := nats.Connect(url, nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); <-closed })
	h := &hearing{came: make(chan *nats.Msg, 1<<18), failures: map[string][]message{}, denied: map[string]int{}}
	if _, err := conn.ChanSubscribe("drover.>", h.came); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	return h
}

// hear takes one message. False: none came in time.
func (h *hearing) hear(t *testing.T, patience time.Duration) bool {
	t.Helper()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	var raw *nats.Msg
	select {
	case raw = <-h.came:
	case <-timer.C:
		return false
	}
	var m message
	if err := json.Unmarshal(raw.Data, &m); err != nil || m.Epoch == "" {
		t.Fatalf("%s: %v: %.300q", raw.Subject, err, raw.Data)
	}
	tokens := strings.Split(raw.Subject, ".")
	switch kind := strings.Join(tokens[3:], "."); {
	case kind == "event.failure":
		h.failures[tokens[2]] = append(h.failures[tokens[2]], m)
	case kind == "event.denied":
		h.denied[tokens[2]]++
	case tokens[2] == "neighbour" && kind == "data.pump":
		if m.Seq != h.seq+1 {
			t.Errorf("the neighbour's cycle %d after %d", m.Seq, h.seq)
		}
		h.seq = m.Seq
	}
	return true
}

// failed waits for the failure of an attack.
func (h *hearing) failed(t *testing.T, a attack) {
	t.Helper()
	for len(h.failures[a.name]) == 0 {
		if !h.hear(t, patience) {
			t.Fatalf("waited in vain for the failure of %s", a.name)
		}
	}
}

// cycles waits for that many more cycles of the neighbour.
func (h *hearing) cycles(t *testing.T, n uint64) {
	t.Helper()
	for until := h.seq + n; h.seq < until; {
		if !h.hear(t, patience) {
			t.Fatal("waited in vain for the neighbour's next cycle")
		}
	}
}

// told compares what came of each attack, now that the node has stopped, with how it must end.
func (h *hearing) told(t *testing.T, attacks []attack) {
	t.Helper()
	for h.hear(t, 200*time.Millisecond) {
	}
	for _, a := range attacks {
		if failures := h.failures[a.name]; !a.told(failures) {
			t.Errorf("%s told %d failures, the first %v, want %s %s", a.name, len(failures), failures[:min(1, len(failures))], a.phase, a.code)
		}
	}
	if h.denied["address-flood"] == 0 || h.denied["address-flood"] > mostDenied || h.denied["address"] != 1 || h.denied["name"] != 1 {
		t.Errorf("denied: %v", h.denied)
	}
	if len(h.failures["neighbour"]) > 0 {
		t.Errorf("the neighbour failed: %v", h.failures["neighbour"])
	}
}

// told says whether these failures are what must come of an attack: one, or none of a driver that was stopped. What is at
// its limit may run out of its time before: processors are few.
func (a attack) told(failures []message) bool {
	if a.code == "" {
		return len(failures) == 0
	}
	if len(failures) != 1 {
		return false
	}
	phase, code := failure.Phase(failures[0].Detail.Phase), failure.Code(failures[0].Detail.Code)
	late := strings.HasPrefix(string(a.code), "limit.") && (code == failure.LimitCPU || code == failure.LimitDeadline)
	return (phase == a.phase || a.phase == stopPhase && phase == failure.PhaseRun) && (code == a.code || late)
}
