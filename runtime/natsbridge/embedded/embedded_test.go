package embedded_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/droverhq/drover/runtime/natsbridge/embedded"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func start(t *testing.T, c embedded.Config) *embedded.Server {
	t.Helper()
	s, err := embedded.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := s.Shutdown(ctx); err != nil {
			t.Error(err)
		}
	})
	return s
}

// connect returns a client and the errors that its server told it.
func connect(t *testing.T, url string, options ...nats.Option) (*nats.Conn, <-chan error) {
	t.Helper()
	errs, closed := make(chan error, 16), make(chan struct{})
	options = append(options,
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { errs <- err }),
		nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	nc, err := nats.Connect(url, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close(); <-closed })
	return nc, errs
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
	credentials := s.Credentials()
	nc, _ := connect(t, s.URL(), nats.UserInfo(credentials.User, credentials.Password))
	m, err := nc.Request("$JS.API.STREAM.CREATE.X", []byte(`{"name":"X","subjects":["x.>"],"storage":"file"}`), 5*time.Second)
	if err != nil || strings.Contains(string(m.Data), `"error"`) {
		t.Fatalf("%v, %v", m, err)
	}
	info, err := os.Stat(data)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the data directory: %v, %v", info, err)
	}
	streams, err := filepath.Glob(filepath.Join(data, "jetstream", "*", "streams", "X"))
	if err != nil || len(streams) != 1 {
		t.Errorf("the stream's files: %v, %v", streams, err)
	}
}

func TestNodeConnectsInProcess(t *testing.T) {
	s := start(t, embedded.Config{Listen: "127.0.0.1:0", NoJetStream: true})
	credentials := s.Credentials()
	nc, _ := connect(t, "", nats.InProcessServer(s), nats.UserInfo(credentials.User, credentials.Password))
	sub, err := nc.SubscribeSync("drover-call.n1.ctl.stop")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Publish("drover-call.n1.ctl.stop", nil); err != nil {
		t.Fatal(err)
	}
	if _, err := sub.NextMsg(5 * time.Second); err != nil {
		t.Error(err)
	}
	if _, err := nats.Connect(s.URL(), nats.UserInfo(credentials.User, "guess")); !errors.Is(err, nats.ErrAuthorization) {
		t.Errorf("a guessed password: %v", err)
	}
}

// Anonymous clients may look; what they may not is refused by the server, whatever node is there.
func TestAnonymous(t *testing.T) {
	s := start(t, embedded.Config{Listen: "127.0.0.1:0", Data: t.TempDir()})
	may := map[string]bool{
		"drover-call.n1.get.ping":             true,
		"drover-call.n1.get.last":             true,
		"$SRV.PING":                           true,
		"$SRV.INFO.drover-n1":                 true,
		"$JS.API.INFO":                        true,
		"$JS.API.STREAM.LIST":                 true,
		"drover-call.n1.ctl.stop":             false,
		"drover-call.n1.boiler.write.p1.sp":   false,
		"drover-call.n1.boiler.invoke.p1.x":   false,
		"drover.n1.boiler.data.p1":            false,
		"$JS.API.CONSUMER.CREATE.X":           false,
		"$JS.API.CONSUMER.DURABLE.CREATE.X.Y": false,
		"$JS.API.STREAM.CREATE.X":             false,
		"$JS.API.STREAM.DELETE.X":             false,
		"$JS.API.STREAM.INFO.X":               false,
		"$SYS.REQ.SERVER.PING":                false,
		"_INBOX.somebody":                     false,
		"_INBOX_n1.somebody":                  false,
	}
	for subject, allowed := range may {
		nc, errs := connect(t, s.URL())
		if err := nc.Publish(subject, nil); err != nil {
			if allowed || !errors.Is(err, nats.ErrBadSubject) {
				t.Errorf("publish %s: %v", subject, err)
			}
			continue
		}
		told(t, nc, errs, "publish "+subject, allowed)
	}
	for subject, allowed := range map[string]bool{
		"drover.>": true, "drover.n1.boiler.data.*": true, "_INBOX.x.*": true,
		"drover-call.>": false, ">": false, "_INBOX_n1.>": false, "$JS.>": false, "*.n1.boiler.write.>": false,
	} {
		nc, errs := connect(t, s.URL())
		if _, err := nc.SubscribeSync(subject); err != nil {
			t.Fatal(err)
		}
		told(t, nc, errs, "subscribe "+subject, allowed)
	}
}

// told checks whether the server has objected to all that was sent before.
func told(t *testing.T, nc *nats.Conn, errs <-chan error, what string, allowed bool) {
	t.Helper()
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	if allowed {
		if err := nc.LastError(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		return
	}
	select {
	case err := <-errs:
		if !errors.Is(err, nats.ErrPermissionViolation) {
			t.Errorf("%s: %v", what, err)
		}
	case <-time.After(5 * time.Second):
		t.Errorf("%s: allowed", what)
	}
}
