package natsbridge_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
)

// freeAddress is an address that nobody listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// jetStreamOptions are those of a server that somebody else runs, with JetStream.
func jetStreamOptions(address, dir string) *server.Options {
	host, port, _ := net.SplitHostPort(address)
	number := 0
	fmt.Sscan(port, &number) //nolint:errcheck // it is a port
	return &server.Options{
		Host: host, Port: number, NoSigs: true, NoLog: true, JetStream: true, StoreDir: dir,
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 1 << 30,
	}
}

func run(t *testing.T, options *server.Options) *server.Server {
	t.Helper()
	s, err := server.NewServer(options)
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

func startJetStream(t *testing.T) *server.Server {
	t.Helper()
	return run(t, jetStreamOptions(freeAddress(t), t.TempDir()))
}

// visitor is a client that knows nothing of ours, with JetStream.
func visitor(t *testing.T, url string) (jetstream.JetStream, *nats.Conn) {
	t.Helper()
	closed := make(chan struct{})
	nc, err := nats.Connect(url, nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond),
		nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { nc.Close(); <-closed })
	js, err := jetstream.New(nc)
	if err != nil {
		t.Fatal(err)
	}
	return js, nc
}

// listen subscribes, and returns once the server knows.
func listen(t *testing.T, nc *nats.Conn, subject string) *nats.Subscription {
	t.Helper()
	sub, err := nc.SubscribeSync(subject)
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return sub
}

// contents reads a whole stream back in order.
func contents(t *testing.T, url, stream string) []jetstream.Msg {
	t.Helper()
	js, _ := visitor(t, url)
	ctx := bounded(t)
	s, err := js.Stream(ctx, stream)
	if err != nil {
		t.Fatal(err)
	}
	count := s.CachedInfo().State.Msgs
	if count == 0 {
		return nil
	}
	consumer, err := s.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	all := make([]jetstream.Msg, 0, count)
	messages, err := consumer.Messages()
	if err != nil {
		t.Fatal(err)
	}
	defer messages.Stop()
	for range count {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			t.Fatalf("after %d of %d: %v", len(all), count, err)
		}
		all = append(all, m)
	}
	return all
}

// tally is what of one device's data was stored, by epoch.
type tally map[string]uint64

// count checks that each device's data of each epoch is there once and in order, from 1 on, and returns how much it is.
func count(t *testing.T, all []jetstream.Msg) tally {
	t.Helper()
	counts := tally{}
	wrong := 0
	for _, m := range all {
		d, err := message.Decode[message.Data](m.Data())
		if err != nil {
			t.Fatalf("%s: %v", m.Subject(), err)
		}
		key := d.Epoch + " " + m.Subject()
		if d.Seq != counts[key]+1 {
			if wrong++; wrong <= 10 {
				t.Errorf("%s: %d after %d", key, d.Seq, counts[key])
			}
		}
		counts[key] = d.Seq
	}
	if wrong > 0 {
		t.Errorf("%d messages of %d are not in their place", wrong, len(all))
	}
	return counts
}

// poller publishes as fast as the pace lets it, for one device.
type poller struct {
	bridge  *natsbridge.Bridge
	channel string
	device  string
	p       *point.Point
	seq     uint64
}

func newPoller(b *natsbridge.Bridge, channel, device string) *poller {
	p, err := point.New(point.Definition{Name: "n", Device: device, Scalar: driver.ScalarTypeUint64})
	if err != nil {
		panic(err) // a fixed definition
	}
	return &poller{bridge: b, channel: channel, device: device, p: p}
}

// poll publishes one cycle; false when it was not taken.
func (p *poller) poll() bool {
	p.seq++
	now := time.Now()
	r := p.p.Convert(driver.Sample{Value: component.Some(driver.ValueUnsigned(p.seq))}, now)
	return p.bridge.Data(p.channel, point.Batch{Device: p.device, Seq: p.seq, Time: now, Readings: []point.Reading{r}})
}

// load has two devices of the channel "ch" polled three times at each pace until it is stopped; stop returns how often each was.
func load(t *testing.T, b *natsbridge.Bridge, pace time.Duration) (stop func() uint64) {
	t.Helper()
	end := make(chan struct{})
	var running sync.WaitGroup
	pollers := []*poller{newPoller(b, "ch", "d1"), newPoller(b, "ch", "d2")}
	running.Go(func() {
		tick := time.NewTicker(pace)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-end:
				return
			}
			for _, p := range pollers {
				for range 3 {
					p.poll()
				}
			}
		}
	})
	var once sync.Once
	stop = func() uint64 {
		once.Do(func() { close(end); running.Wait() })
		return pollers[0].seq
	}
	t.Cleanup(func() { stop() })
	return stop
}

// wants checks that the stream has exactly what load published.
func wants(t *testing.T, url string, b *natsbridge.Bridge, polled uint64) {
	t.Helper()
	eventually(t, "everything is acknowledged", func() bool { return b.Stats().Data.Waiting == 0 })
	st := b.Stats().Data
	if st.Dropped != 0 || st.Refused != 0 || st.Acked != 2*polled {
		t.Errorf("polled 2*%d, %+v", polled, st)
	}
	counts := count(t, contents(t, url, "drover-n1-data"))
	for _, device := range []string{"d1", "d2"} {
		key := b.Epoch() + " drover.n1.ch.data." + device
		if counts[key] != polled {
			t.Errorf("%s: stored %d of %d", device, counts[key], polled)
		}
	}
	t.Logf("polled 2*%d, sent again %d, refused or not answered %d, had already %d, in %s", polled, st.Retried, st.Failed,
		st.Duplicates, st.Latency/time.Duration(max(st.Acked, 1)))
}

// lines is a log that tests can look at.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// count counts the lines that have all the words.
func (l *lines) count(words ...string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := 0
	for line := range strings.Lines(l.text.String()) {
		all := true
		for _, w := range words {
			all = all && strings.Contains(line, w)
		}
		if all {
			n++
		}
	}
	return n
}

func newLog() (*lines, *slog.Logger) {
	l := new(lines)
	return l, slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// cable is a connection that can be cut and made slow.
type cable struct {
	address string
	to      string
	mu      sync.Mutex
	cut     bool
	deaf    bool
	delay   time.Duration
	conns   map[net.Conn]struct{}
}

func startCable(t *testing.T, to string) *cable {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cable{address: l.Addr().String(), to: to, conns: make(map[net.Conn]struct{})}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			from, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { c.connect(from) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		c.Cut()
		running.Wait()
	})
	return c
}

// Cut ends all connections, with what is in them, and lets no new one through.
func (c *cable) Cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = true
	for conn := range c.conns {
		conn.Close()
	}
	clear(c.conns)
}

// Mend lets connections through again.
func (c *cable) Mend() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cut = false
}

// Deafen loses what comes from the other side.
func (c *cable) Deafen(deaf bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.deaf = deaf
}

// Delay holds up everything from now on.
func (c *cable) Delay(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delay = d
}

func (c *cable) keep(conns ...net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, conn := range conns {
		if c.cut {
			conn.Close()
			continue
		}
		c.conns[conn] = struct{}{}
	}
	return !c.cut
}

func (c *cable) connect(from net.Conn) {
	to, err := net.Dial("tcp", c.to)
	if err != nil {
		from.Close()
		return
	}
	if !c.keep(from, to) {
		return
	}
	var copying sync.WaitGroup
	copying.Go(func() { c.copy(to, from, false) })
	copying.Go(func() { c.copy(from, to, true) })
	copying.Wait()
}

func (c *cable) copy(to, from net.Conn, back bool) {
	defer to.Close()
	defer from.Close()
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		c.mu.Lock()
		delay, lost := c.delay, c.deaf && back
		c.mu.Unlock()
		if lost {
			continue
		}
		if delay > 0 {
			<-time.After(delay)
		}
		if _, err := to.Write(buf[:n]); err != nil {
			return
		}
	}
}

// The environment by which this binary, started again, is a server or a node that can be killed.
const (
	childRole    = "DROVER_TEST_CHILD"
	childAddress = "DROVER_TEST_ADDRESS"
	childDir     = "DROVER_TEST_DIR"
)

// child is what main does when it was started as a child; the number is its exit code.
func child(role string) int {
	switch role {
	case "server":
		s, err := server.NewServer(jetStreamOptions(os.Getenv(childAddress), os.Getenv(childDir)))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		s.Start()
		if !s.ReadyForConnections(patience) {
			return 1
		}
		fmt.Println("ready")
		_, _ = io.Copy(io.Discard, os.Stdin) // until the parent has gone or kills it
		return 0
	default:
		return childNode()
	}
}

// childNode publishes into the stream until it is killed, and says how far it has come.
func childNode() int {
	b, err := natsbridge.New(context.Background(), natsbridge.Config{
		Node: "n1", URL: "nats://" + os.Getenv(childAddress), HeartbeatTTL: time.Second,
		Stream: natsbridge.Stream{Channels: []string{"ch"}},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	b.State("ch", message.State{State: "connected", Number: 3})
	p := newPoller(b, "ch", "d1")
	gone := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); close(gone) }()
	for {
		for range 100 {
			p.poll()
		}
		fmt.Println("at", b.Epoch(), p.seq, b.Stats().Data.Acked, b.Stats().States.Kept)
		select {
		case <-gone:
			return 0
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// process is a child.
type process struct {
	*exec.Cmd
	lines *bufio.Scanner
}

func startChild(t *testing.T, role, address, dir string) *process {
	t.Helper()
	cmd := exec.Command(os.Args[0]) // this binary
	cmd.Env = append(os.Environ(), childRole+"="+role, childAddress+"="+address, childDir+"="+dir)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd, bufio.NewScanner(out)}
	t.Cleanup(func() { in.Close(); p.kill() })
	return p
}

// kill ends it without any warning.
func (p *process) kill() {
	if p.ProcessState == nil {
		p.Process.Kill() //nolint:errcheck // it may be gone
		p.Wait()         //nolint:errcheck // it was killed
	}
}

// until reads its lines until one is as wanted, and returns that.
func (p *process) until(t *testing.T, ok func(line string) bool) string {
	t.Helper()
	for p.lines.Scan() {
		if ok(p.lines.Text()) {
			return p.lines.Text()
		}
	}
	t.Fatal(errors.Join(errors.New("the child has ended"), p.lines.Err()))
	return ""
}
