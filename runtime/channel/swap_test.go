package channel_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/internal/testguest"
	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
)

// TestSwap exchanges the driver of running channels.
func TestSwap(t *testing.T) {
	r := newRig(t)
	r.other = another(t, r) // before anything is polled: with the race detector it takes all of the machine for a minute
	t.Run("take-over", r.takeOver)
	t.Run("refused", r.swapRefused)
	t.Run("rolled back", r.rolledBack)
	t.Run("judged", r.judged)
	t.Run("forced", r.swapForced)
	t.Run("without a session", r.swapWithoutSession)
	t.Run("two at once", r.twoSwaps)
	t.Run("stopped meanwhile", r.swapStopped)
	t.Run("points", r.swapPoints)
	t.Run("host", r.swapHost)
	t.Run("tune", r.tune)
}

// another is the test driver under another digest: with a custom section (WebAssembly core 5.5.3) at its end.
func another(t *testing.T, r *rig) *module.Module {
	t.Helper()
	binary, err := testguest.Build("testdriver")
	if err != nil {
		t.Fatal(err)
	}
	m, err := r.loader.Load(t.Context(), append(slices.Clone(binary), 0, 5, 3, 'n', 'e', 'w', '!'))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Release(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return m
}

// onLine starts a channel that keeps its counter and asks its device for an answer in each cycle; connections is told how
// many it has made.
func (r *rig) onLine(t *testing.T, settings string) (*run, channel.Edition, func() int) {
	t.Helper()
	conn, accepted := echo(t)
	e := channel.Edition{Connections: []module.Connection{conn}}
	e.Host = r.outside(t, e.Connections)
	e.Module, e.Settings = r.module, `{"connection": "main", "request": "x", "keep": true`+settings+`}`
	e.Devices = []channel.Device{{Name: "pump", Settings: "{}", Points: []channel.Point{
		counter("count", driver.ScalarTypeUint64, driver.AccessRead),
		counter("set", driver.ScalarTypeInt16, driver.AccessReadWrite),
	}}}
	c := r.start(t, e.Settings, channel.Config{Edition: e})
	c.nextData(t)
	return c, e, accepted
}

func (c *run) swap(t *testing.T, e channel.Edition, trial time.Duration) channel.SwapReport {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	report, err := c.Swap(ctx, e, channel.SwapOptions{Trial: trial})
	if err != nil {
		t.Fatalf("swap: %v\n%s", err, c)
	}
	return report
}

// steady holds what a subscriber has heard against what it may: sequence numbers without a hole, always connected, and
// nothing bad.
func (c *run) steady(t *testing.T) {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	var seq uint64
	connected := false
	for _, e := range c.events {
		switch {
		case e.batch != nil && e.batch.Seq != seq+1:
			t.Errorf("batch %d after %d", e.batch.Seq, seq)
		case e.state != nil && connected && e.state.State != supervise.Connected:
			t.Errorf("%s (%s) while a swap is on", e.state.State, e.state.Reason)
		case e.revoked:
			t.Error("the handle was revoked")
		}
		if e.batch != nil {
			seq = e.batch.Seq
			for _, r := range e.batch.Readings {
				if r.Quality != driver.QualityGood {
					t.Errorf("batch %d: %s is %s", seq, r.Name, r.Code)
				}
			}
		}
		connected = connected || e.state != nil && e.state.State == supervise.Connected
	}
}

// takeOver: another version goes on where the first one was, with its connection and its state.
func (r *rig) takeOver(t *testing.T) {
	c, e, connections := r.onLine(t, "")
	same := c.swap(t, e, 0)
	if same.Result != channel.Unchanged || c.Snapshot().Attempt != 1 {
		t.Errorf("the same again: %+v", same)
	}
	next := e
	next.Module = r.other
	dry, err := c.Swap(t.Context(), next, channel.SwapOptions{DryRun: true})
	if err != nil || dry.Result != channel.Prepared || c.Snapshot().Attempt != 1 || c.Digest() != e.Module.Digest() {
		t.Errorf("a dry run: %+v, %v", dry, err)
	}
	report := c.swap(t, next, 50*time.Millisecond)
	if report.Result != channel.Swapped || !report.Yielded || report.Failure != nil || report.Gap <= 0 {
		t.Errorf("reported %+v", report)
	}
	if report.From.Digest != e.Module.Digest() || report.To.Digest != next.Module.Digest() || c.Digest() != next.Module.Digest() {
		t.Errorf("from %s to %s, runs %s", report.From.Digest, report.To.Digest, c.Digest())
	}
	var steps []string
	for _, s := range report.Steps {
		steps = append(steps, s.Name)
	}
	if want := []string{"prepare", "yield", "close", "connect", "init", "trial"}; !slices.Equal(steps, want) {
		t.Errorf("steps %q", steps)
	}
	if s := report.State; s.State != supervise.Connected || s.Generation != 2 || s.Reason != "" {
		t.Errorf("then %+v", s)
	}
	c.steady(t)
	if n := connections(); n != 1 {
		t.Errorf("%d connections", n)
	}
	before := c.last(t)
	for c.last(t) == before {
		c.nextData(t)
	}
	var counts []string
	c.mu.Lock()
	for _, e := range c.events {
		if e.batch != nil {
			counts = append(counts, values(*e.batch))
		}
	}
	c.mu.Unlock()
	for i := range counts {
		if want := fmt.Sprintf("count=%d ", i+1); !strings.HasPrefix(counts[i], want) {
			t.Fatalf("batch %d is %s: the state was lost", i+1, counts[i])
		}
	}
}

// last is the sequence number of the last batch.
func (c *run) last(t *testing.T) uint64 {
	t.Helper()
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := len(c.events) - 1; i >= 0; i-- {
		if b := c.events[i].batch; b != nil {
			return b.Seq
		}
	}
	return 0
}

// swapRefused: what cannot be made or configured is refused, and the session that runs does not notice.
func (r *rig) swapRefused(t *testing.T) {
	for configure, code := range map[string]failure.Code{
		"fail": failure.DriverOther, "panic": failure.TrapUnreachable, "loop": failure.LimitCPU, "oom": failure.LimitMemory,
		"exit:3": failure.Exit, "recurse": failure.LimitStack,
	} {
		t.Run(configure, func(t *testing.T) {
			c, e, connections := r.onLine(t, "")
			bad := e
			bad.Settings = fmt.Sprintf(`{"configure": %q}`, configure)
			report := c.swap(t, bad, time.Minute)
			if report.Result != channel.Refused || report.Failure == nil || report.Failure.Code != code {
				t.Errorf("reported %s, %v", report.Result, report.Failure)
			}
			c.nextData(t)
			c.nextData(t)
			c.steady(t)
			if s := c.Snapshot(); s.Attempt != 1 || connections() != 1 {
				t.Errorf("attempt %d, %d connections", s.Attempt, connections())
			}
		})
	}
}

// rolledBack: an edition that does not come up, or crashes within its trial, gives the channel back to the one before.
func (r *rig) rolledBack(t *testing.T) {
	const untouched, reopened = 1, 2
	tests := []struct {
		settings    string
		code        failure.Code
		connections int
	}{
		{`"connect": "panic"`, failure.TrapUnreachable, untouched},
		{`"connect": "fail:fatal"`, "driver.broken", untouched},
		{`"connect": "loop"`, failure.LimitCPU, untouched},
		{`"connection": "main", "init": "trap:memory-bounds"`, failure.TrapMemoryBounds, untouched},
		{`"connection": "main", "init": "sleep"`, failure.LimitDeadline, untouched},
		{`"connection": "main", "init": "encoding"`, failure.ABIEncoding, untouched},
		{`"connection": "main", "handle": "unknown-point"`, failure.ABIEncoding, untouched},
		{`"connection": "main", "handle": "twice"`, failure.ABIEncoding, untouched},
		{`"connection": "main", "handle": "bad-action"`, failure.ABIEncoding, untouched},
		{`"connection": "main", "request": "y", "run": "panic", "cycle": 2`, failure.TrapUnreachable, reopened},
		{`"connection": "main", "request": "y", "run": "fatal", "cycle": 2`, "driver.broken", reopened},
		{`"connection": "main", "request": "y", "run": "disconnected", "cycle": 1`, failure.IOClosed, reopened},
	}
	for _, test := range tests {
		t.Run(test.settings, func(t *testing.T) {
			c, e, connections := r.onLine(t, "")
			bad := e
			bad.Settings = "{" + test.settings + "}"
			report := c.swap(t, bad, time.Minute)
			if report.Result != channel.RolledBack || !report.Restored || report.Failure == nil || report.Failure.Code != test.code {
				t.Errorf("reported %s, %v, %v", report.Result, report.Restored, report.Failure)
			}
			c.nextData(t)
			c.steady(t)
			if n := connections(); n != test.connections {
				t.Errorf("%d connections, want %d", n, test.connections)
			}
			if again := c.swap(t, e, 0); again.Result != channel.Unchanged {
				t.Errorf("the one before is not back: %+v", again)
			}
		})
	}
}

// judged: points that were good and are bad at the end of the trial bring the edition before back.
func (r *rig) judged(t *testing.T) {
	c, e, _ := r.onLine(t, "")
	deaf, _ := silent(t)
	bad := e
	bad.Connections = []module.Connection{deaf}
	bad.Host = r.outside(t, bad.Connections)
	report := c.swap(t, bad, 1500*time.Millisecond)
	if report.Result != channel.RolledBack || report.Failure == nil || !strings.Contains(report.Failure.Summary, "pump.count") {
		t.Errorf("reported %s, %v", report.Result, report.Failure)
	}
}

// swapForced: a session that does not yield is ended, and its connection with it.
func (r *rig) swapForced(t *testing.T) {
	c, e, connections := r.onLine(t, `, "ignoreYield": true, "ignoreStop": true`)
	next := e
	next.Module = r.other
	report := c.swap(t, next, 0)
	if report.Result != channel.Swapped || report.Yielded || connections() != 2 {
		t.Errorf("reported %s, yielded %v, %d connections", report.Result, report.Yielded, connections())
	}
}

// swapWithoutSession: in each state without a session the edition is adopted, and what runs next is that.
func (r *rig) swapWithoutSession(t *testing.T) {
	tests := []struct {
		name, settings string
		state          supervise.State
		starts         bool
	}{
		{"backoff", `{"connect": "io:refused"}`, supervise.Reconnecting, true},
		{"connecting", `{"connect": "wait"}`, supervise.Connecting, true},
		{"failed", `{"connect": "fail:fatal"}`, supervise.Failed, true},
		{"quarantined", `{"connect": "panic"}`, supervise.Quarantined, true},
		{"stopped", `{}`, supervise.Connected, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := r.start(t, test.settings, channel.Config{
				Quarantine: supervise.Quarantine{Crashes: 1},
				Policy:     supervise.Policy{Backoff: supervise.Backoff{Initial: time.Hour, Max: time.Hour}},
			})
			c.nextState(t, test.state)
			if !test.starts {
				if err := c.Stop(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			next := channel.Edition{Module: r.module, Host: c.host, Settings: `{"keep": true}`, Devices: c.devices}
			report := c.swap(t, next, time.Minute)
			if report.Result != channel.Adopted {
				t.Errorf("reported %+v", report)
			}
			if !test.starts {
				if s := c.Snapshot().State; s != supervise.Stopped {
					t.Errorf("a stopped channel is %s", s)
				}
				c.Start()
			}
			c.nextState(t, supervise.Connected)
			if again := c.swap(t, next, 0); again.Result != channel.Unchanged {
				t.Errorf("it runs %+v", again)
			}
		})
	}
}

// twoSwaps: the second is refused with the reason.
func (r *rig) twoSwaps(t *testing.T) {
	c, e, _ := r.onLine(t, "")
	next := e
	next.Settings = strings.Replace(e.Settings, "{", `{"finish": "1ms", `, 1)
	var first sync.WaitGroup
	first.Go(func() {
		if report := c.swap(t, next, time.Second); report.Result != channel.Swapped {
			t.Errorf("reported %+v", report)
		}
	})
	c.next(t, "the trial", func(e event) bool { return e.state != nil && e.state.Reason == "trial" })
	if report, err := c.Swap(t.Context(), e, channel.SwapOptions{}); !errors.Is(err, channel.ErrSwapping) {
		t.Errorf("the second: %+v, %v", report, err)
	}
	if err := c.Tune(t.Context(), channel.Tuning{Devices: e.Devices}); !errors.Is(err, channel.ErrSwapping) {
		t.Errorf("a change in place: %v", err)
	}
	first.Wait()
}

// swapStopped: a stop ends the swap, and the edition before is kept.
func (r *rig) swapStopped(t *testing.T) {
	c, e, _ := r.onLine(t, "")
	next := e
	next.Module = r.other
	var swap sync.WaitGroup
	swap.Go(func() {
		report, err := c.Swap(t.Context(), next, channel.SwapOptions{Trial: time.Hour})
		if report.Result != channel.Abandoned || !errors.Is(err, supervise.ErrStopped) {
			t.Errorf("reported %s, %v", report.Result, err)
		}
	})
	c.next(t, "the trial", func(e event) bool { return e.state != nil && e.state.Reason == "trial" })
	if err := c.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	swap.Wait()
	if c.Digest() != e.Module.Digest() {
		t.Error("the new one was kept")
	}
}

// swapPoints: devices and points come and go, what stays goes on, and a command that waits means the same point or none.
func (r *rig) swapPoints(t *testing.T) {
	c, e, _ := r.onLine(t, `, "finish": "300ms"`)
	next := e
	next.Devices = []channel.Device{
		{Name: "meter", Settings: "{}", Points: []channel.Point{counter("on", driver.ScalarTypeUint8, driver.AccessReadWrite)}},
		{Name: "pump", Settings: "{}", Points: []channel.Point{
			counter("set", driver.ScalarTypeInt16, driver.AccessReadWrite),
			counter("count", driver.ScalarTypeUint32, driver.AccessReadWrite), // another type: another point
		}},
	}
	var swap sync.WaitGroup
	swap.Go(func() {
		if report := c.swap(t, next, 0); report.Result != channel.Swapped {
			t.Errorf("reported %+v", report)
		}
	})
	c.next(t, "the swap", func(e event) bool { return e.state != nil && e.state.Reason == "swap" })
	gone, err := c.Submit(channel.Command{Request: driver.RequestRead([]driver.PointID{0})})
	if err != nil {
		t.Fatal(err)
	}
	stays, err := c.Submit(channel.Command{Request: driver.RequestWrite([]driver.WriteRequest{{Point: 1, Value: driver.ValueSigned(-9)}})})
	if err != nil {
		t.Fatal(err)
	}
	<-gone.Done()
	if _, err := gone.Result(); !errors.Is(err, channel.ErrNotServed) {
		t.Errorf("a command for a point that is another now: %v", err)
	}
	<-stays.Done()
	if a, err := stays.Result(); err != nil || a.Failed {
		t.Errorf("a command for a point that stays: %+v, %v", a, err)
	}
	swap.Wait()
	c.next(t, "what was written", func(e event) bool {
		return e.batch != nil && e.batch.Device == "pump" && strings.HasPrefix(values(*e.batch), "set=-9")
	})
	c.next(t, "the new device", func(e event) bool { return e.batch != nil && e.batch.Device == "meter" })
	if id, points, ok := c.Channel.Device("pump"); !ok || id != 0 || points[0].ID != 1 || points[1].ID < 2 {
		t.Errorf("pump is %d with %+v", id, points)
	}
	fewer := next
	fewer.Devices = next.Devices[1:]
	if report := c.swap(t, fewer, 0); report.Result != channel.Swapped {
		t.Errorf("reported %+v", report)
	}
	c.next(t, "the removal", func(e event) bool { return e.removed == "meter" })
	if _, _, there := c.Channel.Device("meter"); there {
		t.Error("meter is still there")
	}
}

// swapHost: an edition with other connections gets none of the old ones, and those are closed.
func (r *rig) swapHost(t *testing.T) {
	c, e, before := r.onLine(t, "")
	conn, after := echo(t)
	next := e
	next.Connections = []module.Connection{conn}
	next.Host = r.outside(t, next.Connections)
	if report := c.swap(t, next, 0); report.Result != channel.Swapped || !report.Yielded {
		t.Errorf("reported %+v", report)
	}
	if before() != 1 || after() != 1 {
		t.Errorf("%d and %d connections", before(), after())
	}
	if n := e.Host.(outside).OpenLines(); n != 0 {
		t.Errorf("%d of the old lines are open", n)
	}
	c.steady(t)
}

// tune: scale and filter change while the session goes on, and what the driver would have to know does not.
func (r *rig) tune(t *testing.T) {
	c, e, connections := r.onLine(t, "")
	points := slices.Clone(e.Devices[0].Points)
	points[0].Scale, points[0].Unit = 10, "bar"
	points[1].Report = point.ReportChange
	tuning := channel.Tuning{Devices: []channel.Device{{Name: "pump", Settings: "{}", Points: points}}, Limits: channel.Limits{Log: 7}}
	if err := c.Tune(t.Context(), tuning); err != nil {
		t.Fatal(err)
	}
	told := *c.next(t, "the handle", func(e event) bool { return e.handle != nil }).handle
	if told.generation != 1 || len(told.points) != 2 {
		t.Errorf("told %+v", told)
	}
	c.next(t, "scaled values", func(e event) bool { return e.batch != nil && strings.Contains(values(*e.batch), "0 set=") })
	if _, refs, _ := c.Channel.Device("pump"); refs[0].Definition().Unit != "bar" {
		t.Errorf("pump is %+v", refs[0].Definition())
	}
	if s := c.Snapshot(); s.Attempt != 1 || s.Generation != 1 || connections() != 1 {
		t.Errorf("then %+v", s)
	}
	points[0].Address = `"other"`
	if err := c.Tune(t.Context(), tuning); !errors.Is(err, channel.ErrTold) {
		t.Errorf("another address: %v", err)
	}
}
