package client_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/embedded"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func startServer(t *testing.T) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(embedded.Config{Listen: "127.0.0.1:0", NoJetStream: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Shutdown(bounded(t)) }) // not of interest here
	return s
}

func startNode(t *testing.T, s *embedded.Server, name string) *natsbridge.Bridge {
	t.Helper()
	b, err := natsbridge.New(bounded(t), natsbridge.Config{Node: name, Server: s})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close(bounded(t)) }) // not of interest here
	return b
}

func connect(t *testing.T, o client.Options) *client.Client {
	t.Helper()
	c, err := client.Connect(bounded(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestUnreachable(t *testing.T) {
	_, err := client.Connect(bounded(t), client.Options{URL: "nats://127.0.0.1:1"})
	if !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("no server: %v", err)
	}
	if _, err := client.Connect(bounded(t), client.Options{}); err == nil || errors.Is(err, client.ErrUnreachable) {
		t.Errorf("no URL: %v", err)
	}
}

func TestNodes(t *testing.T) {
	s := startServer(t)
	startNode(t, s, "n2")
	startNode(t, s, "n1")
	nodes, err := connect(t, client.Options{URL: s.URL(), InboxPrefix: "_INBOX"}).Nodes(bounded(t))
	if err != nil || len(nodes) != 2 || nodes[0].Node != "n1" || nodes[1].Node != "n2" {
		t.Errorf("got %+v, %v", nodes, err)
	}
}

func TestWatch(t *testing.T) {
	s := startServer(t)
	n1, n2 := startNode(t, s, "n1"), startNode(t, s, "n2")
	c := connect(t, client.Options{URL: s.URL()})
	say := func() {
		for _, b := range []*natsbridge.Bridge{n1, n2} {
			for _, channel := range []string{"a", "b"} {
				b.Data(channel, point.Batch{Device: "d1", Seq: 1, Time: time.Now()})
				b.Data(channel, point.Batch{Device: "d2", Seq: 1, Time: time.Now()})
				b.State(channel, message.State{State: "connected"})
				b.Event(channel, "failure", nil)
			}
			b.Event("last", "last", nil)
		}
	}
	done := errors.New("seen enough")
	for _, tt := range []struct {
		filter client.Filter
		want   []string
	}{
		{client.Filter{}, []string{
			"n1.a.data.d1", "n1.a.data.d2", "n1.a.event.failure", "n1.a.state", "n1.b.data.d1", "n1.b.data.d2",
			"n1.b.event.failure", "n1.b.state", "n1.last.event.last", "n2.a.data.d1", "n2.a.data.d2",
			"n2.a.event.failure", "n2.a.state", "n2.b.data.d1", "n2.b.data.d2", "n2.b.event.failure", "n2.b.state",
			"n2.last.event.last",
		}},
		{client.Filter{Node: "n2", Channel: "b"}, []string{"n2.b.data.d1", "n2.b.data.d2", "n2.b.event.failure", "n2.b.state"}},
		{client.Filter{Node: "n1", Device: "d1"}, []string{"n1.a.data.d1", "n1.b.data.d1"}},
		{client.Filter{Channel: "a", Kinds: []message.Kind{message.KindState}}, []string{"n1.a.state", "n2.a.state"}},
	} {
		// As many subjects as are wanted: one that is not takes the place of one that is.
		seen := make(map[string]bool)
		watching := make(chan error, 1)
		go func() {
			watching <- c.Watch(bounded(t), tt.filter, func(m client.Message) error {
				if seen[m.String()] = true; len(seen) == len(tt.want) {
					return done
				}
				return nil
			})
		}()
		err := repeat(say, watching)
		if got := slices.Sorted(maps.Keys(seen)); !errors.Is(err, done) || !slices.Equal(got, tt.want) {
			t.Errorf("%+v: got %v, %v", tt.filter, got, err)
		}
	}
	if err := c.Watch(bounded(t), client.Filter{Node: "n.1"}, nil); err == nil {
		t.Error("a filter that is no name was taken")
	}
	ended, cancel := context.WithCancel(context.Background())
	cancel()
	if err := c.Watch(ended, client.Filter{}, nil); err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("after the end of ctx: %v", err)
	}
}

// repeat says it until it was heard: Watch does not tell when it has subscribed.
func repeat(say func(), heard <-chan error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-heard:
			return err
		case <-tick.C:
			say()
		}
	}
}

func TestLocalNode(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	ctx := bounded(t)
	if _, err := client.LocalNode(ctx, ""); !errors.Is(err, client.ErrNoLocalNode) || !errors.Is(err, client.ErrUnreachable) {
		t.Errorf("nothing there: %v", err)
	}
	s := startServer(t)
	b := startNode(t, s, "n1")
	l := client.Local{Node: "n1", Epoch: b.Epoch(), URL: s.URL(), Credentials: s.Credentials()}
	stale := client.Local{Node: "gone", Epoch: "e", URL: "nats://127.0.0.1:1"}
	for _, node := range []client.Local{stale, l, l} {
		if err := client.WriteLocal(node); err != nil {
			t.Fatal(err)
		}
	}
	dir := filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "drover")
	if err := os.WriteFile(filepath.Join(dir, "broken.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := client.LocalNode(ctx, "")
	if err != nil || got != l {
		t.Fatalf("got %+v, %v", got, err)
	}
	if _, err := client.LocalNode(ctx, "gone"); !errors.Is(err, client.ErrNoLocalNode) {
		t.Errorf("a stale file: %v", err)
	}
	if err := connect(t, got.Options()).Ctl(ctx, "n1", "x", nil, nil); !errors.Is(err, message.ErrUnknownVerb) {
		t.Errorf("the file's credentials do not reach ctl: %v", err)
	}
	for path, mode := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, "n1.json"): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if err := client.RemoveLocal("n1", "another"); err != nil {
		t.Error(err)
	}
	if _, err := client.LocalNode(ctx, "n1"); err != nil {
		t.Errorf("removed by an older start: %v", err)
	}
	for range 2 {
		if err := client.RemoveLocal("n1", b.Epoch()); err != nil {
			t.Error(err)
		}
	}
	if _, err := client.LocalNode(ctx, "n1"); !errors.Is(err, client.ErrNoLocalNode) {
		t.Errorf("after the removal: %v", err)
	}
	if files, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(files) != 2 {
		t.Errorf("left: %v, %v", files, err)
	}
}

func TestLocalNodeTrustsNoForeignDirectory(t *testing.T) {
	t.Setenv("XDG_RUNTIME_DIR", t.TempDir())
	dir := filepath.Join(os.Getenv("XDG_RUNTIME_DIR"), "drover")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	if err := client.WriteLocal(client.Local{Node: "n1", URL: "x"}); err == nil {
		t.Error("wrote into a directory of everybody's")
	}
	if _, err := client.LocalNode(bounded(t), ""); err == nil || errors.Is(err, client.ErrNoLocalNode) {
		t.Errorf("read from a directory of everybody's: %v", err)
	}
	if err := client.WriteLocal(client.Local{Node: "../n1", URL: "x"}); err == nil {
		t.Error("wrote outside")
	}
}

func TestContext(t *testing.T) {
	s := startServer(t)
	startNode(t, s, "n1")
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	dir := filepath.Join(config, "nats", "context")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	seed := filepath.Join(config, "node.nk")
	if err := os.WriteFile(seed, []byte(s.Credentials().Seed), 0o600); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]any{
		"url": s.URL(), "nkey": seed, "inbox_prefix": "_INBOX_mine",
		"jetstream_domain": "x", "windows_cert_store": "",
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, "plant.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"plant", file} {
		c := connect(t, client.Options{Context: name})
		if err := c.Ctl(bounded(t), "n1", "x", nil, nil); !errors.Is(err, message.ErrUnknownVerb) {
			t.Errorf("context %s: %v", name, err)
		}
	}
	for _, name := range []string{"absent", ".."} {
		if _, err := client.Connect(bounded(t), client.Options{Context: name}); err == nil || errors.Is(err, client.ErrUnreachable) {
			t.Errorf("context %s: %v", name, err)
		}
	}
}
