package channel_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/internal/testguest"
	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long anything that is to happen may take on a machine that is busy.
const patience = 20 * time.Second

// TestGuest builds and compiles the test driver once for all that is tested with it.
func TestGuest(t *testing.T) {
	r := newRig(t)
	t.Run("failures", r.failures)
	t.Run("outcomes", r.outcomes)
	t.Run("connections", r.connections)
	t.Run("deadlines", r.deadlines)
	t.Run("stop", r.stop)
	t.Run("memory", r.memory)
	t.Run("state", r.state)
	t.Run("commands", r.commands)
	t.Run("commands without a session", r.noSession)
	t.Run("reconnect", r.reconnect)
	t.Run("crash", r.crash)
	t.Run("quarantine", r.quarantine)
	t.Run("log", r.log)
	t.Run("hanging", r.hanging)
	t.Run("hanging beside others", r.hangingBesideOthers)
	t.Run("stop in a held lock", r.heldLock)
	t.Run("system", r.system)
	t.Run("usage", r.counted)
	t.Run("post-mortem", r.postMortem)
	t.Run("ended", r.ended)
}

// rig is the test driver and the outside world.
type rig struct {
	loader *module.Loader
	module *module.Module
	other  *module.Module // the same under another digest, for those who want one
	host   *hostfuncs.Node
}

func newRig(t testing.TB) *rig {
	t.Helper()
	binary, err := testguest.Build("testdriver")
	if err != nil {
		t.Fatal(err)
	}
	loader, err := module.NewLoader("")
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{loader: loader}
	if r.module, err = loader.Load(t.Context(), binary); err != nil {
		t.Fatal(err)
	}
	if r.host, err = hostfuncs.New(hostfuncs.Config{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, err := range []error{r.module.Release(context.Background()), loader.Close(context.Background()), r.host.Close()} {
			if err != nil {
				t.Error(err)
			}
		}
	})
	return r
}

// outside is the channel's share of the world in the terms of runtime/module.
type outside struct{ *hostfuncs.Channel }

func (o outside) Session(s module.Signals) module.SessionHost { return o.Channel.Session(s) }

// run is a started channel and what it said.
type run struct {
	*channel.Channel
	*recorder
	log     *lines
	host    module.ChannelHost
	devices []channel.Device
}

// start starts a channel of the test driver: one device with the points 0 count and 1 set, and a short backoff. What c
// has besides stays.
func (r *rig) start(t testing.TB, settings string, c channel.Config) *run {
	t.Helper()
	out := &run{recorder: newRecorder(), log: &lines{more: make(chan struct{}, 1)}}
	if c.Host == nil {
		c.Host = r.outside(t, c.Connections)
	}
	c.Name, c.Module, c.Settings, c.Sink = "boiler", r.module, settings, out.recorder
	c.Logger = slog.New(slog.NewTextHandler(out.log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	if c.Devices == nil {
		c.Devices = []channel.Device{{Name: "pump", Settings: "{}", Points: []channel.Point{
			counter("count", driver.ScalarTypeUint64, driver.AccessRead),
			counter("set", driver.ScalarTypeInt16, driver.AccessReadWrite),
		}}}
	}
	if c.Policy.Backoff == (supervise.Backoff{}) {
		c.Policy.Backoff = supervise.Backoff{Initial: 20 * time.Millisecond, Max: 100 * time.Millisecond}
	}
	c.Deadlines.Stop = cmp.Or(c.Deadlines.Stop, 10*time.Second)
	out.host, out.devices = c.Host, c.Devices
	made, err := channel.New(c)
	if err != nil {
		t.Fatal(err)
	}
	out.Channel = made
	t.Cleanup(func() { out.close(t) })
	out.Start()
	return out
}

// outside is a channel's share of the world, with these connections.
func (r *rig) outside(t testing.TB, connections []module.Connection) module.ChannelHost {
	t.Helper()
	var grants grant.Grants
	for _, conn := range connections {
		granted := grant.Connection{Name: conn.Name, Serial: (*grant.Serial)(conn.Serial)}
		if conn.TCP != nil {
			granted.TCP = &grant.TCP{Address: conn.TCP.Address}
		}
		grants.Connections = append(grants.Connections, granted)
	}
	host, err := r.host.Channel("boiler", grants)
	if err != nil {
		t.Fatal(err)
	}
	return outside{host}
}

func counter(name string, s driver.ScalarType, a driver.Access) channel.Point {
	return channel.Point{
		Definition: point.Definition{Name: name, Scalar: s, Access: a}, Address: "null", Period: 20 * time.Millisecond,
	}
}

func (r *run) close(t testing.TB) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := r.Close(ctx); err != nil {
		t.Errorf("close: %v", err)
	}
}

// event is one thing that a channel said. Only one of its fields is set.
type event struct {
	batch   *point.Batch
	state   *supervise.Snapshot
	device  *point.DeviceState
	failure *failure.Record
	handle  *served
	revoked bool
	removed string

	crash     *channel.Crash
	crashLoop *supervise.CrashLoop
	wait      *supervise.Wait
}

type served struct {
	device     string
	generation uint64
	points     []string
}

// recorder keeps what a channel says, in order.
type recorder struct {
	mu     sync.Mutex
	events []event
	read   int
	more   chan struct{} // holds one
}

func newRecorder() *recorder { return &recorder{more: make(chan struct{}, 1)} }

func (r *recorder) say(e event) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, e)
	select {
	case r.more <- struct{}{}:
	default:
	}
}

func (r *recorder) Data(b point.Batch) {
	b.Readings = slices.Clone(b.Readings)
	r.say(event{batch: &b})
}

func (r *recorder) State(s supervise.Snapshot) { r.say(event{state: &s}) }
func (r *recorder) Device(d point.DeviceState) { r.say(event{device: &d}) }
func (r *recorder) Failure(f failure.Record)   { r.say(event{failure: &f}) }
func (r *recorder) Revoke()                    { r.say(event{revoked: true}) }
func (r *recorder) Crashed(c channel.Crash)    { r.say(event{crash: &c}) }
func (r *recorder) Quarantined(c supervise.CrashLoop) {
	r.say(event{crashLoop: &c})
}
func (r *recorder) Backoff(w supervise.Wait) { r.say(event{wait: &w}) }
func (r *recorder) Event(string, any)        {}
func (r *recorder) Removed(device string)    { r.say(event{removed: device}) }
func (r *recorder) Handle(device string, generation uint64, points []*point.Point) {
	h := &served{device: device, generation: generation}
	for _, p := range points {
		h.points = append(h.points, p.Definition().Name)
	}
	r.say(event{handle: h})
}

// next reads on until an event is what is wanted, and returns it. One goroutine reads.
func (r *recorder) next(t testing.TB, what string, wanted func(event) bool) event {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		r.mu.Lock()
		for r.read < len(r.events) {
			e := r.events[r.read]
			r.read++
			if wanted(e) {
				r.mu.Unlock()
				return e
			}
		}
		r.mu.Unlock()
		select {
		case <-r.more:
		case <-deadline.C:
			t.Fatalf("waited in vain for %s; it said:\n%s", what, r)
		}
	}
}

func (r *recorder) nextFailure(t *testing.T) failure.Record {
	t.Helper()
	return *r.next(t, "a failure", func(e event) bool { return e.failure != nil }).failure
}

func (r *recorder) nextState(t testing.TB, want supervise.State) supervise.Snapshot {
	t.Helper()
	return *r.next(t, want.String(), func(e event) bool { return e.state != nil && e.state.State == want }).state
}

func (r *recorder) nextData(t testing.TB) point.Batch {
	t.Helper()
	return *r.next(t, "data", func(e event) bool { return e.batch != nil }).batch
}

// String is the story as told so far.
func (r *recorder) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	var b strings.Builder
	for _, e := range r.events {
		switch {
		case e.batch != nil:
			fmt.Fprintf(&b, "data %s %d %s\n", e.batch.Device, e.batch.Seq, values(*e.batch))
		case e.state != nil:
			fmt.Fprintf(&b, "state %s %q attempt %d\n", e.state.State, e.state.Reason, e.state.Attempt)
		case e.failure != nil:
			fmt.Fprintf(&b, "failure %s %s %s %q\n", e.failure.Phase, e.failure.Kind, e.failure.Code, e.failure.Summary)
		case e.device != nil:
			fmt.Fprintf(&b, "device %s %s %q\n", e.device.Device, e.device.Status, e.device.Reason)
		case e.crash != nil:
			fmt.Fprintf(&b, "crash %s\n", e.crash.Record.Code)
		case e.crashLoop != nil:
			fmt.Fprintf(&b, "quarantined %q\n", e.crashLoop.Reason)
		case e.wait != nil:
			fmt.Fprintf(&b, "backoff after attempt %d\n", e.wait.Attempt)
		case e.handle != nil:
			fmt.Fprintf(&b, "handle %+v\n", *e.handle)
		default:
			b.WriteString("revoked\n")
		}
	}
	return b.String()
}

// values are the readings of a batch: values, or codes where there is none.
func values(b point.Batch) string {
	var out []string
	for _, r := range b.Readings {
		text := r.Code
		if !r.Value.None() {
			v, _ := r.Value.MarshalJSON()
			text = string(v)
		}
		out = append(out, r.Name+"="+text)
	}
	return strings.Join(out, " ")
}

// lines is a log that may be read while it is written.
type lines struct {
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // holds one
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	select {
	case l.more <- struct{}{}:
	default:
	}
	return l.text.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await waits until the log has a text.
func (l *lines) await(t *testing.T, text string) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for !strings.Contains(l.String(), text) {
		select {
		case <-l.more:
		case <-deadline.C:
			t.Fatalf("waited in vain for %s in\n%s", text, l)
		}
	}
}

// silent is a device that takes connections and says nothing. Its connections are told.
func silent(t *testing.T) (module.Connection, <-chan net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	accepted := make(chan net.Conn, 16)
	var accepting sync.WaitGroup
	accepting.Go(func() {
		defer close(accepted)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accepted <- conn
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		accepting.Wait()
		for conn := range accepted {
			_ = conn.Close()
		}
	})
	return tcp("main", l.Addr().String()), accepted
}

func tcp(name, address string) module.Connection {
	return module.Connection{Name: name, TCP: &module.TCPEndpoint{Address: address}}
}

// echo is a device that sends back what it gets, and tells how many connections it has had.
func echo(t *testing.T) (module.Connection, func() int) {
	t.Helper()
	conn, accepted := silent(t)
	var (
		echoing sync.WaitGroup
		count   atomic.Int64
	)
	ctx, stop := context.WithCancel(context.Background())
	echoing.Go(func() {
		for {
			select {
			case conn := <-accepted:
				count.Add(1)
				context.AfterFunc(ctx, func() { _ = conn.Close() })
				echoing.Go(func() { _, _ = io.Copy(conn, conn) })
			case <-ctx.Done():
				return
			}
		}
	})
	t.Cleanup(func() { stop(); echoing.Wait() })
	return conn, func() int { return int(count.Load()) }
}

// nobody is an address that nobody listens on.
func nobody(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	return l.Addr().String()
}
