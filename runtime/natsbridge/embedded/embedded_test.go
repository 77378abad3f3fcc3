package embedded_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/droverhq/drover/runtime/natsbridge/dial"
	"github.com/droverhq/drover/runtime/natsbridge/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long anything that is to happen may take.
const patience = 20 * time.Second

func start(t *testing.T, c embedded.Config) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shutdown(t, s) })
	return s
}

func shutdown(t *testing.T, s *embedded.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := s.Shutdown(ctx); err != nil {
		t.Error(err)
	}
}

// connect returns a client and the errors that its server told it.
func connect(t *testing.T, url string, options ...nats.Option) (*nats.Conn, <-chan error) {
	t.Helper()
	errs, closed := make(chan error, 64), make(chan struct{})
	options = append(options,
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			select {
			case errs <- err:
			default: // one is enough
			}
		}),
		nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	nc, err := nats.Connect(url, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close(); <-closed })
	return nc, errs
}

// as are the options of somebody with credentials.
func as(t *testing.T, c dial.Credentials) []nats.Option {
	t.Helper()
	options, err := c.Options()
	if err != nil {
		t.Fatal(err)
	}
	return options
}

// record is a logger and what it was told.
type record struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (r *record) Write(p []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.Write(p)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

func (r *record) logger() *slog.Logger { return slog.New(slog.NewTextHandler(r, nil)) }

// eventually waits until ok says so.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	end := time.After(patience)
	for !ok() {
		select {
		case <-tick.C:
		case <-end:
			t.Fatalf("never: %s", what)
		}
	}
}

func TestTakenPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, err = embedded.Start(embedded.Config{Listen: l.Addr().String(), NoJetStream: true})
	if err == nil || !strings.Contains(err.Error(), l.Addr().String()) || !strings.Contains(err.Error(), "in use") {
		t.Errorf("got %v", err)
	}
}

func TestBadConfig(t *testing.T) {
	for _, listen := range []string{"4222", "127.0.0.1", "127.0.0.1:x", "127.0.0.1:-1", "127.0.0.1:65536"} {
		if _, err := embedded.Start(embedded.Config{Listen: listen, NoJetStream: true}); err == nil {
			t.Errorf("listen %q was taken", listen)
		}
	}
	if _, err := embedded.Start(embedded.Config{Listen: "127.0.0.1:0"}); err == nil {
		t.Error("JetStream without a data directory was taken")
	}
}

func TestJetStreamStaysInTheDataDirectory(t *testing.T) {
	data := filepath.Join(t.TempDir(), "data")
	s := start(t, embedded.Config{Listen: "127.0.0.1:0", Data: data})
	nc, _ := connect(t, s.URL(), as(t, s.Credentials())...)
	createStream(t, nc, `{"name":"X","subjects":["x.>"],"storage":"file"}`)
	info, err := os.Stat(data)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory: %v, %v", info, err)
	}
	streams, err := filepath.Glob(filepath.Join(data, "jetstream", "*", "streams", "X"))
	if err != nil || len(streams) != 1 {
		t.Errorf("the stream's files: %v, %v", streams, err)
	}
}

// createStream makes a stream of the configuration given.
func createStream(t *testing.T, nc *nats.Conn, config string) {
	t.Helper()
	name, _, _ := strings.Cut(strings.TrimPrefix(config, `{"name":"`), `"`)
	m, err := nc.Request("$JS.API.STREAM.CREATE."+name, []byte(config), patience)
	if err != nil || strings.Contains(string(m.Data), `"error"`) {
		t.Fatalf("stream %s: %v, %s", name, err, m.Data)
	}
}

// What a stream would take beyond the bounds is refused, and nobody else is disturbed.
func TestStoreIsBounded(t *testing.T) {
	s := start(t, embedded.Config{Listen: "127.0.0.1:0", Data: t.TempDir(), MaxStore: 1 << 20, MaxMemory: 1 << 20, SyncAlways: true})
	nc, _ := connect(t, s.URL(), as(t, s.Credentials())...)
	createStream(t, nc, `{"name":"X","subjects":["x.>"],"storage":"file"}`)
	payload := make([]byte, 64<<10)
	var refused string
	for range 64 {
		m, err := nc.Request("x.y", payload, patience)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(m.Data), `"error"`) {
			refused = string(m.Data)
			break
		}
	}
	if !strings.Contains(refused, "resource") {
		t.Errorf("4 MiB went into 1 MiB: %q", refused)
	}
	sub, err := nc.SubscribeSync("drover.n1.boiler.data.d")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Publish("drover.n1.boiler.data.d", payload); err != nil {
		t.Fatal(err)
	}
	if _, err := sub.NextMsg(patience); err != nil {
		t.Errorf("core delivery: %v", err)
	}
}

// A data directory that JetStream cannot write costs the streams, not the server.
func TestDataDirectoryThatCannotBeWritten(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T) string{
		"no directory for streams": func(t *testing.T) string {
			data := t.TempDir()
			if err := os.WriteFile(filepath.Join(data, "jetstream"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return data
		},
		"no directory at all": func(t *testing.T) string {
			file := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(file, nil, 0o600); err != nil {
				t.Fatal(err)
			}
			return filepath.Join(file, "data")
		},
	} {
		t.Run(name, func(t *testing.T) {
			var log record
			s := start(t, embedded.Config{Listen: "127.0.0.1:0", Data: prepare(t), Logger: log.logger()})
			nc, _ := connect(t, s.URL(), as(t, s.Admin().Credentials)...)
			sub, err := nc.SubscribeSync("drover.n1.boiler.data.d")
			if err != nil {
				t.Fatal(err)
			}
			if err := nc.Publish("drover.n1.boiler.data.d", nil); err != nil {
				t.Fatal(err)
			}
			if _, err := sub.NextMsg(patience); err != nil {
				t.Errorf("core delivery: %v", err)
			}
			if m, err := nc.Request("$JS.API.INFO", nil, patience); !errors.Is(err, nats.ErrNoResponders) &&
				!strings.Contains(string(m.Data), `"error"`) {
				t.Errorf("JetStream answers: %v, %v", m, err)
			}
			if !strings.Contains(log.String(), "JetStream is off") {
				t.Errorf("the log does not say it:\n%s", log.String())
			}
		})
	}
}

func TestNodeConnectsInProcess(t *testing.T) {
	s := start(t, embedded.Config{Listen: "127.0.0.1:0", NoJetStream: true})
	nc, _ := connect(t, "", append(as(t, s.Credentials()), nats.InProcessServer(s))...)
	sub, err := nc.SubscribeSync("drover-call.n1.ctl.stop")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Publish("drover-call.n1.ctl.stop", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := sub.NextMsg(patience); err != nil {
		t.Error(err)
	}
}
