//go:build interop

package interop

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
)

// node is a node that runs as its users run it, and a plain NATS client that hears it.
type node struct {
	process *process
	conn    *nats.Conn
	// data is its data directory.
	data string
	// environment is that of the node, and of commands that find it by its file.
	environment []string

	mu     sync.Mutex
	points map[string]reading  // by "channel/device.point"
	seqs   map[string][]uint64 // by "channel/device"
	bad    []string
}

// reading is what a message says of a point.
type reading struct {
	V    json.RawMessage `json:"v"`
	Q    string          `json:"q"`
	Code string          `json:"code"`
}

// startNode runs a node with the channels given, in YAML, each indented by two.
func startNode(t *testing.T, channels string) *node {
	t.Helper()
	port, dir := freePort(t), t.TempDir()
	file := filepath.Join(dir, "drover.yaml")
	text := fmt.Sprintf("node: interop\ndata: ./data\nnats: {embedded: {listen: 127.0.0.1:%s}}\nchannels:\n%s",
		port, strings.ReplaceAll(channels, "DRIVER", absolute(t, "../build/guests/modbus.wasm")))
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	n := &node{data: filepath.Join(dir, "data"), points: map[string]reading{}, seqs: map[string][]uint64{}}
	n.environment = []string{"XDG_RUNTIME_DIR=" + dir}
	n.process = start(t, "", n.environment, absolute(t, "../build/drover"), "run", "-c", file)
	listening(t, port)
	conn, err := nats.Connect("nats://127.0.0.1:"+port, nats.MaxReconnects(-1))
	if err != nil {
		t.Fatalf("connect to the node: %v", err)
	}
	t.Cleanup(conn.Close)
	n.conn = conn
	if _, err := conn.Subscribe("drover.>", n.hear); err != nil {
		t.Fatalf("subscribe: %v", err)
	}
	return n
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(abs); err != nil {
		t.Fatalf("%v (make build guests)", err)
	}
	return abs
}

// hear takes a message of subject drover.<node>.<channel>.data.<device>.
func (n *node) hear(m *nats.Msg) {
	tokens := strings.Split(m.Subject, ".")
	if len(tokens) != 5 || tokens[3] != "data" {
		return
	}
	var data struct {
		TS     time.Time          `json:"ts"`
		Epoch  string             `json:"epoch"`
		Seq    uint64             `json:"seq"`
		Points map[string]reading `json:"points"`
	}
	err := json.Unmarshal(m.Data, &data)
	n.mu.Lock()
	defer n.mu.Unlock()
	if err != nil || data.Epoch == "" || data.TS.IsZero() || len(data.Points) == 0 || tokens[1] != "interop" {
		n.bad = append(n.bad, fmt.Sprintf("%s: %s (%v)", m.Subject, m.Data, err))
		return
	}
	device := tokens[2] + "/" + tokens[4]
	n.seqs[device] = append(n.seqs[device], data.Seq)
	for name, p := range data.Points {
		n.points[device+"."+name] = p
	}
}

func (n *node) last(point string) (reading, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	r, ok := n.points[point]
	return r, ok
}

// expect waits until every point has the JSON value given, in good quality; a value of "!CODE" is a bad reading.
func (n *node) expect(t *testing.T, want map[string]string) {
	t.Helper()
	deadline := time.Now().Add(patience)
	for point, value := range want {
		for r, ok := n.last(point); !r.is(value); r, ok = n.last(point) {
			if time.Now().After(deadline) {
				t.Errorf("%s: have %s %s %s (heard: %v), want %s", point, r.V, r.Q, r.Code, ok, value)
				break
			}
			time.Sleep(20 * time.Millisecond)
		}
	}
}

func (r reading) is(want string) bool {
	if code, bad := strings.CutPrefix(want, "!"); bad {
		return r.Q == "bad" && r.Code == code && r.V == nil
	}
	return r.Q == "" && string(r.V) == want
}

// finish ends the node and checks that it ended in order, and that what was heard had no gaps.
func (n *node) finish(t *testing.T) {
	t.Helper()
	if code := n.process.stop(t); code != 0 {
		t.Errorf("exit code %d", code)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, m := range n.bad {
		t.Errorf("malformed message %s", m)
	}
	for device, seqs := range n.seqs {
		for i := 1; i < len(seqs); i++ {
			if seqs[i] != seqs[i-1]+1 {
				t.Errorf("%s: seq %d after %d", device, seqs[i], seqs[i-1])
			}
		}
	}
}
