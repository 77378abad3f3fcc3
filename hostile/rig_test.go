//go:build hostile

package hostile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	goruntime "runtime"
	"strings"
	"sync"
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
const patience = 60 * time.Second

// rig is what the channels of a test share: the outside world, and a device that takes connections and says nothing.
type rig struct {
	world  *hostfuncs.Node
	loader *module.Loader
	device string
}

func newRig(t *testing.T) *rig {
	t.Helper()
	r := &rig{device: silent(t)}
	var err error
	if r.world, err = hostfuncs.New(hostfuncs.Config{}); err != nil {
		t.Fatal(err)
	}
	if r.loader, err = module.NewLoader(""); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(r.loader.Close(context.Background()), r.world.Close()); err != nil {
			t.Error(err)
		}
	})
	return r
}

// load loads a driver that is released with the test.
func (r *rig) load(t *testing.T, binary []byte) (*module.Module, error) {
	t.Helper()
	m, err := r.loader.Load(t.Context(), binary)
	if err == nil {
		t.Cleanup(func() {
			if err := m.Release(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	return m, err
}

// outside is a channel's share of the world in the terms of runtime/module.
type outside struct{ *hostfuncs.Channel }

func (o outside) Session(s module.Signals) module.SessionHost { return o.Channel.Session(s) }

// start starts a channel of a driver, of one attempt, and stops it with the test.
func (r *rig) start(t *testing.T, name string, m *module.Module, settings string, l module.Limits) (*channel.Channel, *ear) {
	t.Helper()
	share, err := r.world.Channel(name, grant.Grants{Connections: []grant.Connection{{Name: "main", TCP: &grant.TCP{Address: r.device}}}})
	if err != nil {
		t.Fatal(err)
	}
	e := newEar()
	never := 0
	c, err := channel.New(channel.Config{
		Name: name, Sink: e, Logger: slog.New(slog.DiscardHandler),
		Edition: channel.Edition{
			Module: m, Host: outside{share}, Settings: settings, Limits: channel.Limits{Limits: l},
			Connections: []module.Connection{{Name: "main", TCP: &module.TCPEndpoint{Address: r.device}}},
			Devices:     []channel.Device{{Name: "pump", Settings: "{}", Points: points()}},
		},
		Policy:    supervise.Policy{MaxRetries: &never},
		Deadlines: supervise.Deadlines{Connect: 2 * time.Second, Init: 2 * time.Second, Stop: 2 * time.Second},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeChannel(t, c) })
	c.Start()
	return c, e
}

func closeChannel(t *testing.T, c *channel.Channel) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.Close(ctx); err != nil {
		t.Errorf("close %s: %v", c.Name(), err)
	}
}

// points are 0 count, 1 level, 2 name, 3 raw and 4 flags.
func points() []channel.Point {
	var out []channel.Point
	for _, p := range []point.Definition{
		{Name: "count", Scalar: driver.ScalarTypeUint64}, {Name: "level", Scalar: driver.ScalarTypeFloat64},
		{Name: "name", Scalar: driver.ScalarTypeText}, {Name: "raw", Scalar: driver.ScalarTypeBytes},
		{Name: "flags", Scalar: driver.ScalarTypeBoolean, Count: 4},
	} {
		out = append(out, channel.Point{Definition: p, Address: "null", Period: 10 * time.Millisecond})
	}
	return out
}

// neighbour is a healthy channel that polls every 10 ms.
func (r *rig) neighbour(t *testing.T) *ear {
	t.Helper()
	binary, err := testguest.Build("testdriver")
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.load(t, binary)
	if err != nil {
		t.Fatal(err)
	}
	_, e := r.start(t, "neighbour", m, "{}", module.Limits{})
	e.cycles(t, 3)
	return e
}

// ear is what a channel says.
type ear struct {
	mu       sync.Mutex
	failures []failure.Record
	denied   int
	batches  uint64
	holes    []string
	ready    bool
	more     chan struct{} // holds one
}

var _ channel.Sink = (*ear)(nil)

func newEar() *ear { return &ear{more: make(chan struct{}, 1)} }

func (e *ear) heard(f func()) {
	e.mu.Lock()
	defer e.mu.Unlock()
	f()
	select {
	case e.more <- struct{}{}:
	default:
	}
}

func (e *ear) Data(b point.Batch) {
	e.heard(func() {
		if e.batches++; b.Seq != e.batches {
			e.holes = append(e.holes, fmt.Sprintf("%d in place of %d", b.Seq, e.batches))
			e.batches = b.Seq
		}
	})
}

func (e *ear) State(s supervise.Snapshot) {
	e.heard(func() { e.ready = e.ready || s.State == supervise.Connected })
}
func (e *ear) Device(point.DeviceState) {}
func (e *ear) Failure(r failure.Record) { e.heard(func() { e.failures = append(e.failures, r) }) }
func (e *ear) Handle(string, uint64, []*point.Point) {
}
func (e *ear) Revoke()                         {}
func (e *ear) Removed(string)                  {}
func (e *ear) Backoff(supervise.Wait)          {}
func (e *ear) Crashed(channel.Crash)           {}
func (e *ear) Quarantined(supervise.CrashLoop) {}
func (e *ear) Event(name string, _ any) {
	e.heard(func() {
		if name == "denied" {
			e.denied++
		}
	})
}

// await waits until something is so.
func (e *ear) await(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(patience)
	defer deadline.Stop()
	for {
		e.mu.Lock()
		ok := is()
		e.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-e.more:
		case <-deadline.C:
			t.Fatalf("waited in vain for %s; failures: %v", what, e.failures)
		}
	}
}

// cycles waits for that many more cycles.
func (e *ear) cycles(t *testing.T, n uint64) {
	t.Helper()
	e.mu.Lock()
	until := e.batches + n
	e.mu.Unlock()
	e.await(t, "the neighbour's next cycle", func() bool { return e.batches >= until })
}

// intact fails the test unless every cycle came, and nothing failed.
func (e *ear) intact(t *testing.T) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.holes) > 0 || len(e.failures) > 0 {
		t.Errorf("the neighbour missed %v and failed with %v", e.holes, e.failures)
	}
}

// silent is a device that takes connections and says nothing. It returns its address.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	accepting.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			accepting.Go(func() {
				_, _ = conn.Read(make([]byte, 1)) // until the other side closes
				_ = conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		accepting.Wait()
	})
	return l.Addr().String()
}

// belongings are what a process must give back: open files, mapped code, bytes of address space, bytes in use.
type belongings struct {
	files, code  int
	mapped, heap uint64
}

func count(t *testing.T) belongings {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		t.Fatal(err)
	}
	b := belongings{files: len(entries)}
	for line := range strings.Lines(string(maps)) {
		var (
			from, to uint64
			rights   string
		)
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &rights); err != nil {
			t.Fatalf("read %q: %v", line, err)
		}
		if b.mapped += to - from; strings.Contains(rights, "x") {
			b.code++
		}
	}
	goruntime.GC()
	goruntime.GC() // what finalizers have let go
	var memory goruntime.MemStats
	goruntime.ReadMemStats(&memory)
	b.heap = memory.HeapAlloc
	return b
}

// returned waits until the process has no more than before, but for the address space that a program keeps for its heap and
// its threads: so much, in bytes.
func returned(t *testing.T, before belongings, kept uint64) {
	t.Helper()
	deadline := time.Now().Add(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		now := count(t)
		if now.files <= before.files && now.code <= before.code && now.mapped <= before.mapped+kept && now.heap <= before.heap+16<<20 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("before %+v, now %+v", before, now)
		}
		<-tick.C
	}
}
