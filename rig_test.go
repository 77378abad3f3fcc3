//go:build linux || darwin

package drover_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/internal/testguest"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/natsbridge/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long anything that is to happen may take on a machine that is busy.
const patience = 30 * time.Second

// The tests of whole nodes need pseudo-terminals, as lines with devices on them.

// TestNode builds and compiles the drivers once for all that is tested with them.
func TestNode(t *testing.T) {
	r := newRig(t)
	t.Run("line", r.line)
	t.Run("density", r.density)
	t.Run("library", r.library)
	t.Run("calls", r.calls)
	t.Run("commands", r.commands)
	t.Run("messages", r.messages)
	t.Run("bad input", r.badInput)
	t.Run("refused", r.refused)
	t.Run("codes", r.codes)
	t.Run("grants", r.grants)
	t.Run("unplugged", r.unplugged)
	t.Run("described", r.described)
	t.Run("quarantined", r.quarantined)
	t.Run("run", r.run)
	t.Run("observability", r.observability)
	t.Run("delivered", r.delivered)
	t.Run("swap", r.swap)
	t.Run("swaps", r.swaps)
	t.Run("applied", r.applied)
	t.Run("leaks", r.leaks)
}

// rig is a folder with the drivers modbus.wasm and testdriver.wasm and their compiled code.
type rig struct{ dir string }

func newRig(t *testing.T) *rig {
	t.Helper()
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir()) // where nodes leave their files
	r := &rig{dir: t.TempDir()}
	loader, err := module.NewLoader(filepath.Join(r.dir, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"modbus", "testdriver"} {
		binary, err := testguest.Build(name)
		if err != nil {
			t.Fatal(err)
		}
		r.write(t, name+".wasm", binary)
		m, err := loader.Load(t.Context(), binary)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Release(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if err := loader.Close(t.Context()); err != nil {
		t.Error(err)
	}
	return r
}

// write writes a file beside the drivers.
func (r *rig) write(t *testing.T, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(r.dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// config reads a configuration of node n1 beside the drivers, with a data directory of its own that has their compiled
// code.
func (r *rig) config(t *testing.T, nats, channels string) *config.Node {
	t.Helper()
	data := t.TempDir()
	if err := os.Symlink(filepath.Join(r.dir, "cache"), filepath.Join(data, "cache")); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("node: n1\ndata: %q\nnats: %s\nchannels:\n%s", data, nats, channels)
	c, err := config.Parse(filepath.Join(r.dir, "drover.yaml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// start starts a node and stops it in the end, whose log must then be without errors.
func start(t *testing.T, c *config.Node) *drover.Node {
	t.Helper()
	var log bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), 5*patience) // with the race detector, drivers compile for long
	defer cancel()
	logger := slog.New(slog.NewTextHandler(&log, nil))
	n, err := drover.Start(ctx, c, drover.Options{Logger: logger, Version: "1.2.3"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop(t, n)
		if strings.Contains(log.String(), "level=ERROR") {
			t.Errorf("the log has errors:\n%s", &log)
		}
	})
	return n
}

func stop(t *testing.T, n *drover.Node) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := n.Stop(ctx); err != nil {
		t.Errorf("stop: %v", err)
	}
}

// serverConfig is that of an ordinary server, with somebody who may do everything and with all others.
const serverConfig = `
listen: "127.0.0.1:-1"
authorization {
  users: [
    {user: node, password: secret}
    {user: anonymous, permissions: {subscribe: ["drover.>", "_INBOX.>"], publish: ["drover-call.*.get.>", "$SRV.>"]}}
  ]
}
no_auth_user: anonymous
`

// startServer starts a server that is there before the node is, so that nothing that the node says is missed, and
// returns the way to it for those who may do everything.
func startServer(t *testing.T) (url, user, password string) {
	t.Helper()
	return startServerWith(t, embedded.Config{NoJetStream: true})
}

func startServerWith(t *testing.T, c embedded.Config) (url, user, password string) {
	t.Helper()
	c.File = filepath.Join(t.TempDir(), "nats-server.conf")
	if err := os.WriteFile(c.File, []byte(serverConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := embedded.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s.URL(), "node", "secret"
}

// remote is the configuration of a server elsewhere.
func remote(url, user, password string) string {
	return fmt.Sprintf("{url: %q, user: %q, password: %q, commands: all}", url, user, password)
}

// connect connects to a server.
func connect(t *testing.T, url string, options ...nats.Option) *nats.Conn {
	t.Helper()
	closed := make(chan struct{})
	options = append(options, nats.ClosedHandler(func(*nats.Conn) { close(closed) }), nats.NoReconnect())
	conn, err := nats.Connect(url, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); <-closed })
	return conn
}

// ear is a NATS client that knows nothing of ours, and keeps what it heard.
type ear struct {
	conn  *nats.Conn
	came  chan *nats.Msg
	heard []heard
}

// heard is a message. It has of all kinds of messages what tests look at.
type heard struct {
	subject string
	payload string
	TS      string
	Epoch   string
	Seq     uint64
	Points  map[string]struct {
		V       json.RawMessage
		Q, Code string
	}
	State, Status, Reason string
	Attempt, Generation   uint64
	Detail                struct{ Phase, Kind, Code, Summary, Digest string }
}

func listen(t *testing.T, url, subject string) *ear {
	t.Helper()
	conn := connect(t, url)
	e := &ear{conn: conn, came: make(chan *nats.Msg, 1<<16)}
	if _, err := conn.ChanSubscribe(subject, e.came); err != nil {
		t.Fatal(err)
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	return e
}

var timestamp = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$`)

// next listens until a message is what is wanted.
func (e *ear) next(t *testing.T, what string, wanted func(heard) bool) heard {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		var m *nats.Msg
		select {
		case m = <-e.came:
		case <-deadline.C:
			t.Fatalf("waited in vain for %s; heard:\n%s", what, e)
		}
		h := heard{subject: m.Subject, payload: string(m.Data)}
		if err := json.Unmarshal(m.Data, &h); err != nil {
			t.Fatalf("%s: %v: %s", m.Subject, err, m.Data)
		}
		if !timestamp.MatchString(h.TS) || h.Epoch == "" {
			t.Errorf("%s: the header is not that of the contract: %s", h.subject, h.payload)
		}
		published(t, m.Subject, m.Data)
		e.heard = append(e.heard, h)
		if wanted(h) {
			return h
		}
	}
}

// on waits for the next message of a subject.
func (e *ear) on(t *testing.T, subject string) heard {
	t.Helper()
	return e.next(t, subject, func(h heard) bool { return h.subject == subject })
}

// String is the end of what was heard.
func (e *ear) String() string {
	var b strings.Builder
	for _, h := range e.heard[max(0, len(e.heard)-40):] {
		fmt.Fprintf(&b, "%s %.200s\n", h.subject, h.payload)
	}
	return b.String()
}

// ask makes a call and decodes its answer.
func ask(t *testing.T, conn *nats.Conn, subject, body string, answer any) {
	t.Helper()
	m, err := conn.Request(subject, []byte(body), patience)
	if err != nil {
		t.Fatalf("%s: %v", subject, err)
	}
	if code := m.Header.Get("Nats-Service-Error-Code"); code != "" {
		t.Fatalf("%s: error %s: %s", subject, code, m.Data)
	}
	if err := json.Unmarshal(m.Data, answer); err != nil {
		t.Fatalf("%s: %v: %s", subject, err, m.Data)
	}
}
