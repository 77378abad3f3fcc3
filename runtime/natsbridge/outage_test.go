package natsbridge_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
)

func errorMentions(err error, text string) bool { return strings.Contains(err.Error(), text) }

// startForeign starts a server that somebody else runs: no users, no permissions.
func startForeign(t *testing.T, listen string) *server.Server {
	t.Helper()
	host, port, err := net.SplitHostPort(listen)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	if number == 0 {
		number = server.RANDOM_PORT
	}
	s, err := server.NewServer(&server.Options{Host: host, Port: number, NoSigs: true, NoLog: true})
	if err != nil {
		t.Fatal(err)
	}
	s.Start()
	t.Cleanup(func() { s.Shutdown(); s.WaitForShutdown() })
	if !s.ReadyForConnections(patience) {
		t.Fatal("the server does not listen")
	}
	return s
}

// What is said while the server is away is published when it is back, in order.
func TestServerRestart(t *testing.T) {
	s := startForeign(t, "127.0.0.1:0")
	url := s.ClientURL()
	sub := subscribe(t, url, "drover.>")
	b := startBridge(t, natsbridge.Config{URL: url})
	b.Event("ch", "before", nil)
	next(t, sub)
	s.Shutdown()
	s.WaitForShutdown()
	eventually(t, "the loss is noticed", func() bool { return !b.Stats().Connected })
	for i := range 100 {
		b.Data("ch", point.Batch{Device: "d", Seq: uint64(i + 1), Time: at})
	}
	if got := b.Stats().Waiting; got != 100 {
		t.Errorf("%d wait", got)
	}
	startForeign(t, strings.TrimPrefix(url, "nats://"))
	// The subscriber is back at once, the bridge within its second: nothing is lost.
	seen := uint64(0)
	for seen < 100 {
		m, err := sub.NextMsg(patience)
		if err != nil {
			t.Fatalf("after %d: %v", seen, err)
		}
		d, err := message.Decode[message.Data](m.Data)
		if err != nil || d.Seq != seen+1 {
			t.Fatalf("seq %d after %d, %v", d.Seq, seen, err)
		}
		seen = d.Seq
	}
	if st := b.Stats(); st.Reconnects != 1 || !st.Connected || st.DroppedData != 0 {
		t.Errorf("%+v", st)
	}
	if err := b.Close(bounded(t)); err != nil {
		t.Error(err)
	}
}

func TestServerThatIsNotThereYet(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	l.Close()
	b := startBridge(t, natsbridge.Config{URL: "nats://" + address})
	b.Event("ch", "early", nil)
	s := startForeign(t, address)
	eventually(t, "connected", func() bool { return b.Stats().Connected && b.Stats().Waiting == 0 })
	c, err := client.Connect(bounded(t), client.Options{URL: s.ClientURL()})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	eventually(t, "answers", func() bool { return c.Get(bounded(t), "n1", "ping", nil, nil) == nil })
}

func TestCloseWithoutServer(t *testing.T) {
	b := startBridge(t, natsbridge.Config{URL: "nats://127.0.0.1:1"})
	b.Event("ch", "lost", nil)
	if err := b.Close(bounded(t)); err == nil || !errorMentions(err, "1 messages were not published") {
		t.Errorf("got %v", err)
	}
}

// A server that does not let us publish says so later; the status shows it.
func TestPermissionViolationIsShown(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	b, err := natsbridge.New(bounded(t), natsbridge.Config{Node: "n1", URL: s.URL()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close(bounded(t)) // not of interest
	b.Event("ch", "secret", nil)
	eventually(t, "the violation is shown", func() bool {
		return strings.Contains(strings.ToLower(b.Stats().LastViolation), "permissions violation")
	})
}

// A peer that stops reading costs the oldest data, counted; it holds up neither those who publish nor Close.
func TestStalledPeer(t *testing.T) {
	s := startForeign(t, "127.0.0.1:0")
	proxy := startProxy(t, strings.TrimPrefix(s.ClientURL(), "nats://"))
	b, err := natsbridge.New(bounded(t), natsbridge.Config{Node: "n1", URL: "nats://" + proxy.address, RingBytes: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "connected", func() bool { return b.Stats().Connected })
	proxy.stall()
	b.State("ch", message.State{State: "connected"})
	batch := point.Batch{Device: "d", Time: at}
	for i := range 200 {
		batch.Readings = append(batch.Readings, reading(t, fmt.Sprintf("point%d", i), float64(i), at))
	}
	const stalled = 5 * time.Second // half of what the blocked write takes
	var slowest time.Duration
	for b.Stats().DroppedData < 1000 {
		batch.Seq++
		began := time.Now()
		if !b.Data("ch", batch) {
			t.Fatal("the newest was not taken")
		}
		slowest = max(slowest, time.Since(began))
		if batch.Seq > 1_000_000 {
			t.Fatal("nothing is dropped")
		}
	}
	if slowest > stalled {
		t.Errorf("a caller was held up for %s", slowest)
	}
	st := b.Stats()
	if st.DroppedControl != 0 || st.WaitingBytes > 1<<20 || st.Waiting == 0 {
		t.Errorf("%+v", st)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	began := time.Now()
	if err := b.Close(ctx); err == nil || !errorMentions(err, "were not published") {
		t.Errorf("close: %v", err)
	}
	if took := time.Since(began); took > stalled {
		t.Errorf("close took %s", took)
	}
}

// proxy forwards one connection after the other until it is stalled.
type proxy struct {
	address  string
	stalling chan struct{}
	once     sync.Once
}

func (p *proxy) stall() { p.once.Do(func() { close(p.stalling) }) }

func startProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{address: l.Addr().String(), stalling: make(chan struct{})}
	var running sync.WaitGroup
	end := make(chan struct{})
	running.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { p.forward(from, to, end) })
		}
	})
	t.Cleanup(func() {
		close(end)
		l.Close()
		running.Wait()
	})
	return p
}

func (p *proxy) forward(from net.Conn, address string, end <-chan struct{}) {
	to, err := net.Dial("tcp", address)
	if err != nil {
		from.Close()
		return
	}
	var copying sync.WaitGroup
	copying.Go(func() { io.Copy(from, to) }) //nolint:errcheck // ends with the connections
	copying.Go(func() {
		buf := make([]byte, 4096)
		for {
			select {
			case <-p.stalling:
				return // and never read again
			default:
			}
			n, err := from.Read(buf)
			if err != nil {
				return
			}
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
	})
	<-end
	from.Close()
	to.Close()
	copying.Wait()
}
