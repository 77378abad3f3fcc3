package natsbridge_test

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/embedded"
	"github.com/droverhq/drover/runtime/point"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		os.Exit(child(role))
	}
	code := m.Run()
	if err := leaks(); code == 0 && err != nil {
		println(err.Error())
		code = 1
	}
	os.Exit(code)
}

// leaks returns an error when goroutines stay. Those of a server's files end by themselves after it has: on a busy machine,
// a while after.
func leaks() error {
	err := goleak.Find()
	for end := time.Now().Add(patience); err != nil && time.Now().Before(end); {
		err = goleak.Find() // which waits a little each time
	}
	return err
}

// patience is how long anything that is to happen may take.
const patience = 10 * time.Second

func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

func startServer(t *testing.T, listen string) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(embedded.Config{Listen: listen, NoJetStream: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopServer(t, s) })
	return s
}

func stopServer(t *testing.T, s *embedded.Server) {
	t.Helper()
	if err := s.Shutdown(bounded(t)); err != nil {
		t.Error(err)
	}
}

func startBridge(t *testing.T, c natsbridge.Config) *natsbridge.Bridge {
	t.Helper()
	if c.Node == "" {
		c.Node = "n1"
	}
	if c.Unsynced == nil {
		c.Unsynced = func() bool { return false } // messages are the same on any machine
	}
	b, err := natsbridge.New(bounded(t), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close(bounded(t)) }) // tests that care call it themselves
	return b
}

// subscribe is a client that knows nothing of ours.
func subscribe(t *testing.T, url, subject string, options ...nats.Option) *nats.Subscription {
	t.Helper()
	closed := make(chan struct{})
	nc, err := nats.Connect(url, append(options, nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond),
		nats.ClosedHandler(func(*nats.Conn) { close(closed) }))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close(); <-closed })
	sub, err := nc.SubscribeSync(subject)
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return sub
}

func next(t *testing.T, sub *nats.Subscription) *nats.Msg {
	t.Helper()
	m, err := sub.NextMsg(patience)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func startClient(t *testing.T, s *embedded.Server) *client.Client {
	t.Helper()
	c, err := client.Connect(bounded(t), client.Options{URL: s.URL(), Credentials: s.Credentials()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// eventually waits until ok says so.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for ctx := bounded(t); !ok(); {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("never: %s", what)
		}
	}
}

func newPoint(t *testing.T, d point.Definition) *point.Point {
	t.Helper()
	p, err := point.New(d)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func reading(t *testing.T, name string, v float64, at time.Time) point.Reading {
	t.Helper()
	p := newPoint(t, point.Definition{Name: name, Device: "d", Scalar: driver.ScalarTypeFloat64})
	return p.Convert(driver.Sample{Value: component.Some(driver.ValueFloat64(v))}, at)
}
