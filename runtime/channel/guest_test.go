package channel_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/supervise"
)

// failures has the driver fail in every way and in every phase: one record each, and the state that follows.
func (r *rig) failures(t *testing.T) {
	retry, fatal, stop := supervise.Reconnecting, supervise.Failed, supervise.Stopped
	tests := []struct {
		settings string
		phase    failure.Phase
		code     failure.Code
		kind     failure.Kind
		state    supervise.State
		summary  string
	}{
		{`{"configure": "panic"}`, failure.PhaseConfigure, failure.TrapUnreachable, failure.Retryable, retry, "panic: scripted panic"},
		{`{"connect": "panic"}`, failure.PhaseConnect, failure.TrapUnreachable, failure.Retryable, retry, "panic: scripted panic"},
		{`{"init": "panic"}`, failure.PhaseInit, failure.TrapUnreachable, failure.Retryable, retry, "panic: scripted panic"},
		{`{"run": "panic"}`, failure.PhaseRun, failure.TrapUnreachable, failure.Retryable, retry, "panic: scripted panic"},
		{`{"run": "panic", "cycle": 2}`, failure.PhaseRun, failure.TrapUnreachable, failure.Retryable, retry, "panic: scripted panic"},
		{`{"run": "nil"}`, failure.PhaseRun, failure.TrapUnreachable, failure.Retryable, retry, "nil pointer dereference"},
		{`{"run": "divide"}`, failure.PhaseRun, failure.TrapUnreachable, failure.Retryable, retry, "divide by zero"},
		{`{"init": "exit:0"}`, failure.PhaseInit, failure.Exit, failure.Retryable, retry, "the driver exited with code 0"},
		{`{"run": "exit:3"}`, failure.PhaseRun, failure.Exit, failure.Retryable, retry, "the driver exited with code 3"},

		{`{"connect": "fail"}`, failure.PhaseConnect, failure.DriverOther, failure.Retryable, retry, "scripted failure"},
		{`{"connect": "fail:retryable"}`, failure.PhaseConnect, "driver.broken", failure.Retryable, retry, "scripted failure"},
		{`{"init": "fail:fatal"}`, failure.PhaseInit, "driver.broken", failure.Fatal, fatal, "scripted failure"},
		{`{"configure": "fail:stop"}`, failure.PhaseConfigure, "driver.broken", failure.Stop, stop, "scripted failure"},
		{`{"run": "fail:stop", "cycle": 1}`, failure.PhaseRun, "driver.broken", failure.Stop, stop, "scripted failure"},
		{`{"run": "own:broken"}`, failure.PhaseRun, "driver.broken", failure.Retryable, retry, "scripted failure"},
		{`{"run": "own:hopeless"}`, failure.PhaseRun, "driver.hopeless", failure.Fatal, fatal, "scripted failure"},
		{`{"run": "own:done"}`, failure.PhaseRun, "driver.done", failure.Stop, stop, "scripted failure"},
		{`{"run": "own:undeclared"}`, failure.PhaseRun, failure.DriverOther, failure.Retryable, retry, "scripted failure"},
		{`{"nonsense": 1}`, failure.PhaseConfigure, failure.DriverOther, failure.Fatal, fatal, "nonsense"},

		{`{"run": "io:timeout"}`, failure.PhaseRun, failure.IOTimeout, failure.Retryable, retry, "scripted failure"},
		{`{"run": "io:closed"}`, failure.PhaseRun, failure.IOClosed, failure.Retryable, retry, "scripted failure"},
		{`{"run": "io:reset"}`, failure.PhaseRun, failure.IOReset, failure.Retryable, retry, "scripted failure"},
		{`{"run": "io:refused"}`, failure.PhaseRun, failure.IORefused, failure.Retryable, retry, "scripted failure"},
		{`{"run": "io:unreachable"}`, failure.PhaseRun, failure.IOUnreachable, failure.Retryable, retry, "scripted failure"},
		{`{"run": "io:denied"}`, failure.PhaseRun, failure.GrantDenied, failure.Fatal, fatal, "scripted failure"},
		{`{"run": "io:busy"}`, failure.PhaseRun, failure.IOBusy, failure.Retryable, retry, "scripted failure"},
		{`{"run": "io:not-found"}`, failure.PhaseRun, failure.IONotFound, failure.Fatal, fatal, "scripted failure"},
		{`{"run": "io:invalid"}`, failure.PhaseRun, failure.IOInvalid, failure.Fatal, fatal, "scripted failure"},
		{`{"run": "io:cancelled"}`, failure.PhaseRun, failure.IOOther, failure.Retryable, retry, "scripted failure"},
		{`{"run": "io:tls"}`, failure.PhaseRun, failure.IOTLS, failure.Retryable, retry, "scripted failure"},
		{`{"run": "io:stuck"}`, failure.PhaseRun, failure.IOStuck, failure.Retryable, retry, "scripted failure"},
		{`{"run": "io:other"}`, failure.PhaseRun, failure.IOOther, failure.Retryable, retry, "scripted failure"},

		{`{"publish": "unknown-point"}`, failure.PhaseRun, failure.DriverOther, failure.Retryable, retry, "unknown-point: sample 2"},
		{`{"publish": "wrong-type"}`, failure.PhaseRun, failure.DriverOther, failure.Retryable, retry, "wrong-type: sample 2"},
		{`{"publish": "wrong-phase"}`, failure.PhaseInit, failure.DriverOther, failure.Retryable, retry, "wrong-phase"},
	}
	for _, test := range tests {
		t.Run(test.settings, func(t *testing.T) {
			c := r.start(t, test.settings, channel.Config{})
			f := c.nextFailure(t)
			if f.Phase != test.phase || f.Code != test.code || f.Kind != test.kind || !strings.Contains(f.Summary, test.summary) {
				t.Errorf("got %s %s %s %q", f.Phase, f.Kind, f.Code, f.Summary)
			}
			if f.Attempt != 1 || f.Digest != r.module.Digest() || f.NextRetry.IsZero() != (f.Kind != failure.Retryable) {
				t.Errorf("attempt %d, digest %s, next retry %v", f.Attempt, f.Digest, f.NextRetry)
			}
			if s := c.nextState(t, test.state); s.LastFailure == nil || s.LastFailure.Code != test.code {
				t.Errorf("%s after %+v", s.State, s.LastFailure)
			}
		})
	}
}

// outcomes are those of run that are no failures to the driver.
func (r *rig) outcomes(t *testing.T) {
	tests := []struct {
		settings string
		code     failure.Code // none: no failure
		state    supervise.State
		reason   string
	}{
		{`{"run": "disconnected", "cycle": 1}`, failure.IOClosed, supervise.Reconnecting, "io.closed"},
		{`{"run": "fatal", "cycle": 1}`, "driver.broken", supervise.Failed, "driver.broken"},
		{`{"run": "yielded", "cycle": 1}`, failure.DriverOther, supervise.Reconnecting, "driver.other"},
		{`{"run": "reconnect:new key", "cycle": 1, "attempts": [1]}`, "", supervise.Reconnecting, "new key"},
	}
	for _, test := range tests {
		t.Run(test.settings, func(t *testing.T) {
			c := r.start(t, test.settings, channel.Config{})
			c.nextState(t, supervise.Connected)
			var failed failure.Code
			s := c.next(t, test.state.String(), func(e event) bool {
				if e.failure != nil {
					failed = e.failure.Code
				}
				return e.state != nil && e.state.State == test.state
			}).state
			if failed != test.code || s.Reason != test.reason {
				t.Errorf("failure %q, %s with reason %q\n%s", failed, s.State, s.Reason, c)
			}
		})
	}
}

// connections: what the host knows of an I/O error is told to people.
func (r *rig) connections(t *testing.T) {
	closed := nobody(t)
	tests := []struct {
		name    string
		conn    module.Connection
		opens   string
		code    failure.Code
		summary string
	}{
		{"nobody listens", tcp("main", closed), "main", failure.IORefused, closed},
		{"no such port", module.Connection{Name: "main", Serial: &module.SerialPort{
			Path: "/dev/ttyNobody0", Mode: driver.Mode{Baud: 9600, DataBits: 8},
		}}, "main", failure.IONotFound, "/dev/ttyNobody0"},
		{"not granted", tcp("main", closed), "other", failure.IONotFound, "other"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			settings := fmt.Sprintf(`{"connection": %q}`, test.opens)
			c := r.start(t, settings, channel.Config{Edition: channel.Edition{Connections: []module.Connection{test.conn}}})
			f := c.nextFailure(t)
			if f.Phase != failure.PhaseConnect || f.Code != test.code || !strings.Contains(f.Summary, test.summary) {
				t.Errorf("got %s %s %q", f.Phase, f.Code, f.Summary)
			}
		})
	}
}

// deadlines: a device that does not answer is not the driver's fault; a driver that does not return is.
func (r *rig) deadlines(t *testing.T) {
	conn, _ := silent(t)
	deadlines := supervise.Deadlines{Connect: 1200 * time.Millisecond, Init: 1200 * time.Millisecond, Stop: 200 * time.Millisecond}
	tests := []struct {
		settings string
		phase    failure.Phase
		code     failure.Code
	}{
		{`{"connection": "main", "connect": "block-read"}`, failure.PhaseConnect, failure.IOTimeout},
		{`{"connection": "main", "init": "block-read"}`, failure.PhaseInit, failure.IOTimeout},
		{`{"connect": "sleep"}`, failure.PhaseConnect, failure.LimitDeadline},
		{`{"init": "sleep"}`, failure.PhaseInit, failure.LimitDeadline},
	}
	for _, test := range tests {
		t.Run(test.settings, func(t *testing.T) {
			c := r.start(t, test.settings, channel.Config{Edition: channel.Edition{Connections: []module.Connection{conn}}, Deadlines: deadlines})
			if f := c.nextFailure(t); f.Phase != test.phase || f.Code != test.code {
				t.Errorf("got %s %s %q", f.Phase, f.Code, f.Summary)
			}
			if s := c.nextState(t, supervise.Reconnecting); s.NextRetry.IsZero() {
				t.Error("the next attempt waits for a call that does not return")
			}
		})
	}
}

// stop has a driver blocked in each way, and one that does not listen, and joins.
func (r *rig) stop(t *testing.T) {
	conn, _ := silent(t)
	tests := []struct {
		name     string
		settings string
		at       supervise.State
		forced   bool
	}{
		{"connect blocks in read", `{"connection": "main", "connect": "block-read"}`, supervise.Connecting, false},
		{"init blocks in read", `{"connection": "main", "init": "block-read"}`, supervise.Initializing, false},
		{"run blocks in read", `{"connection": "main", "run": "block-read"}`, supervise.Connected, false},
		{"run waits", `{}`, supervise.Connected, false},
		{"connect sleeps", `{"connection": "main", "connect": "sleep"}`, supervise.Connecting, false},
		{"run sleeps", `{"run": "sleep:1h"}`, supervise.Connected, false},
		{"run sleeps for good", `{"run": "sleep"}`, supervise.Connected, false},
		{"run ignores it", `{"ignoreStop": true}`, supervise.Connected, true},
		{"connect computes", `{"connection": "main", "connect": "loop"}`, supervise.Connecting, true},
		{"init computes", `{"init": "loop"}`, supervise.Initializing, true},
		{"run computes", `{"run": "loop"}`, supervise.Connected, true},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			config := channel.Config{Edition: channel.Edition{Connections: []module.Connection{conn}}}
			config.Limits.Compute = time.Hour
			if test.forced {
				config.Deadlines.Stop = 300 * time.Millisecond
			}
			c := r.start(t, test.settings, config)
			c.nextState(t, test.at)
			if test.at == supervise.Connecting {
				c.log.await(t, "text=open")
			}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			begin := time.Now()
			if err := c.Stop(ctx); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(begin); !test.forced && took > 5*time.Second {
				t.Errorf("stop took %v", took)
			}
			if s := c.Snapshot(); s.State != supervise.Stopped {
				t.Errorf("%s after the stop", s.State)
			}
			forced := strings.Contains(c.String(), string(failure.LimitDeadline))
			if forced != test.forced || strings.Count(c.String(), "failure ") > 1 {
				t.Errorf("said\n%s", c)
			}
		})
	}
}

func memory(bytes uint64) channel.Limits {
	return channel.Limits{Limits: module.Limits{Memory: bytes}}
}

// memory: an instance ends at its limit, and says so.
func (r *rig) memory(t *testing.T) {
	c := r.start(t, `{"run": "oom", "attempts": [1]}`, channel.Config{Edition: channel.Edition{Limits: memory(16 << 20)}})
	if f := c.nextFailure(t); f.Code != failure.LimitMemory || !strings.HasPrefix(f.Summary, "out of memory") {
		t.Errorf("got %s %q", f.Code, f.Summary)
	}
	c.nextState(t, supervise.Connected)
	c.nextData(t)

	small := r.start(t, `{}`, channel.Config{Edition: channel.Edition{Limits: memory(64 << 10)}})
	if f := small.nextFailure(t); f.Code != failure.LimitMemory || f.Kind != failure.Fatal {
		t.Errorf("less than it needs to start: %s %s %q", f.Kind, f.Code, f.Summary)
	}
}

// state: what a driver saved, sequence numbers and the story of a crash.
func (r *rig) state(t *testing.T) {
	c := r.start(t, `{"keep": true, "run": "panic", "cycle": 3, "attempts": [1]}`, channel.Config{})
	var got []string
	for range 5 {
		b := c.nextData(t)
		got = append(got, fmt.Sprintf("%d: %s", b.Seq, values(b)))
	}
	want := []string{
		"1: count=1 set=1", "2: count=2 set=2", "3: count=trap.unreachable set=trap.unreachable", "4: count=3 set=3", "5: count=4 set=4",
	}
	if !slices.Equal(got, want) {
		t.Errorf("published %q", got)
	}
	if s := c.Snapshot(); s.Attempt != 2 || s.Generation != 2 {
		t.Errorf("attempt %d, generation %d", s.Attempt, s.Generation)
	}
	if last := c.Last()["pump"]["count"]; last.Quality != driver.QualityGood || last.Value.None() {
		t.Errorf("last %+v", last)
	}
	story := c.String()
	order := []string{
		`state connecting "" attempt 1`, `state initializing "" attempt 1`, "handle {device:pump generation:1 points:[count set]}",
		`state connected "" attempt 1`, "data pump 1", "data pump 2", "revoked", "failure run retryable trap.unreachable",
		"data pump 3", `device pump offline "trap.unreachable"`, `state reconnecting "trap.unreachable"`,
		"attempt 2", "handle {device:pump generation:2", "data pump 4",
	}
	for _, line := range order {
		_, rest, found := strings.Cut(story, line)
		if !found {
			t.Fatalf("no %q in its place:\n%s", line, c)
		}
		story = rest
	}
}

func (c *run) call(t *testing.T, r driver.Request, timeout time.Duration, report func(string, float64)) (channel.Answer, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return c.Call(ctx, channel.Command{Request: r, Report: report})
}

func invoke(action, arguments string) driver.Request {
	return driver.RequestInvoke(driver.ActionRequest{Action: action, Arguments: arguments})
}

// commands reach the driver and its answers come back.
func (r *rig) commands(t *testing.T) {
	c := r.start(t, `{}`, channel.Config{})
	c.nextState(t, supervise.Connected)
	write := driver.RequestWrite([]driver.WriteRequest{
		{Point: 1, Value: driver.ValueSigned(-7)}, {Point: 0, Value: driver.ValueUnsigned(1)}, {Point: 1, Value: driver.ValueText("no")},
	})
	a, err := c.call(t, write, patience, nil)
	if err != nil || a.Failed {
		t.Fatalf("write: %+v, %v", a, err)
	}
	for i, result := range a.Value.Write() {
		if result.Failed != (i > 0) || result.Failed && result.Err.Tag() != driver.CommandErrorTagInvalid {
			t.Errorf("write %d: %+v", i, result)
		}
	}
	a, err = c.call(t, driver.RequestRead([]driver.PointID{1}), patience, nil)
	if err != nil || a.Failed || a.Value.Read()[0].Value != component.Some(driver.ValueSigned(-7)) {
		t.Errorf("read: %+v, %v", a, err)
	}
	c.next(t, "what was written", func(e event) bool {
		return e.batch != nil && strings.HasSuffix(values(*e.batch), "set=-7")
	})
	if a, err = c.call(t, invoke("echo", `{"a":[1,"ü"]}`), patience, nil); err != nil || a.Value.Invoke() != `{"a":[1,"ü"]}` {
		t.Errorf("echo: %+v, %v", a, err)
	}
	var progress []string
	report := func(text string, fraction float64) { progress = append(progress, fmt.Sprint(text, " ", fraction)) }
	a, err = c.call(t, invoke("slow", `{"steps":2,"step":"5ms"}`), patience, report)
	if err != nil || a.Value.Invoke() != `{"steps":2}` || !slices.Equal(progress, []string{"step 1 of 2 0.5", "step 2 of 2 1"}) {
		t.Errorf("slow: %+v, %v, %q", a, err, progress)
	}
	a, err = c.call(t, invoke("refuse", ""), patience, nil)
	if want := (component.Tuple2[string, string]{F0: "broken", F1: "scripted refusal"}); err != nil || !a.Failed || a.Err.Refused() != want {
		t.Errorf("refuse: %+v, %v", a, err)
	}
	if a, err = c.call(t, invoke("dance", ""), patience, nil); !errors.Is(err, channel.ErrNotServed) {
		t.Errorf("an unknown action: %+v, %v", a, err)
	}
	if _, err = c.call(t, invoke("ignore", ""), 300*time.Millisecond, nil); !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("ignore: %v", err)
	}
	if _, err = c.call(t, invoke("slow", `{"steps":1000}`), 300*time.Millisecond, nil); !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("a slow one that nobody waits for: %v", err)
	}
	if _, err = c.call(t, invoke("trap", ""), patience, nil); !errors.Is(err, channel.ErrUnknown) {
		t.Errorf("one that kills the driver: %v", err)
	}
	if f := c.nextFailure(t); f.Code != failure.TrapUnreachable || f.Attempt != 1 {
		t.Errorf("got %+v", f)
	}
	c.nextState(t, supervise.Connected)
	if a, err = c.call(t, invoke("echo", "2"), patience, nil); err != nil || a.Value.Invoke() != "2" {
		t.Errorf("the next session: %+v, %v", a, err)
	}
}

// noSession: nobody is there to take a command, or nobody takes it.
func (r *rig) noSession(t *testing.T) {
	failed := r.start(t, `{"connect": "fail:fatal"}`, channel.Config{})
	failed.nextState(t, supervise.Failed)
	if _, err := failed.call(t, invoke("echo", ""), patience, nil); !errors.Is(err, channel.ErrNotReady) {
		t.Errorf("failed: %v", err)
	}
	conn, _ := silent(t)
	busy := r.start(t, `{"connection": "main", "run": "block-read"}`, channel.Config{Edition: channel.Edition{Connections: []module.Connection{conn}}})
	busy.nextState(t, supervise.Connected)
	if _, err := busy.call(t, invoke("echo", ""), 100*time.Millisecond, nil); !errors.Is(err, channel.ErrExpired) {
		t.Errorf("busy: %v", err)
	}
	if err := busy.Stop(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := busy.call(t, invoke("echo", ""), patience, nil); !errors.Is(err, channel.ErrNotReady) {
		t.Errorf("stopped: %v", err)
	}
}

// reconnect: one request is taken, and the session ends without a failure.
func (r *rig) reconnect(t *testing.T) {
	c := r.start(t, `{"reconnects": 2}`, channel.Config{Policy: supervise.Policy{ReconnectFloor: time.Hour}})
	if s := c.nextState(t, supervise.Reconnecting); s.Attempt != 1 || s.Reason != "scripted 1" {
		t.Errorf("got %+v", s)
	}
	c.next(t, "the second attempt", func(e event) bool { return e.state != nil && e.state.Attempt == 2 })
	for _, want := range []string{"fields.taken=true", "fields.taken=false"} {
		if line := "attempt=1 phase=run text=\"reconnect requested\" " + want; strings.Count(c.log.String(), line) != 1 {
			t.Errorf("not one %s in\n%s", line, c.log)
		}
	}
	if strings.Contains(c.String(), "failure ") {
		t.Errorf("said\n%s", c)
	}
}

// crash: a guest that traps on its third cycle is back within its backoff, and another channel misses nothing.
func (r *rig) crash(t *testing.T) {
	steady := r.start(t, `{}`, channel.Config{})
	c := r.start(t, `{"run": "panic", "cycle": 3}`, channel.Config{})
	for attempt := uint64(1); attempt <= 3; attempt++ {
		f := c.nextFailure(t)
		if f.Attempt != attempt || f.Code != failure.TrapUnreachable {
			t.Errorf("got %+v", f)
		}
		back := c.nextState(t, supervise.Reconnecting)
		if back.Backoff <= 0 || back.Backoff > 100*time.Millisecond || f.NextRetry.Sub(f.Time).Round(time.Millisecond) > back.Backoff.Round(time.Millisecond) {
			t.Errorf("backoff %v, next retry after %v", back.Backoff, f.NextRetry.Sub(f.Time))
		}
		next := c.nextState(t, supervise.Connecting)
		if late := next.Since.Sub(f.NextRetry); next.Attempt != attempt+1 || late < 0 || late > time.Second {
			t.Errorf("attempt %d came %v after it was due", next.Attempt, late)
		}
		c.nextState(t, supervise.Connected)
	}
	if b := c.nextData(t); values(b) != "count=1 set=1" {
		t.Errorf("the new instance begins with %s", values(b))
	}
	crashed := time.Now()
	for want := uint64(1); ; want++ {
		b := steady.nextData(t)
		if b.Seq != want || values(b) != fmt.Sprintf("count=%d set=%d", want, int16(want)) {
			t.Fatalf("the other channel published %d: %s in place of %d", b.Seq, values(b), want)
		}
		if b.Time.After(crashed) {
			break
		}
	}
	if strings.Contains(steady.String(), "failure ") || steady.Snapshot().Attempt != 1 {
		t.Errorf("the other channel said\n%s", steady)
	}
}

// quarantine: five crashes are enough.
func (r *rig) quarantine(t *testing.T) {
	c := r.start(t, `{"connect": "panic"}`, channel.Config{Policy: supervise.Policy{Backoff: supervise.Backoff{Initial: time.Millisecond}}})
	s := c.nextState(t, supervise.Quarantined)
	if s.Attempt != 5 || strings.Count(c.String(), "failure connect retryable trap.unreachable") != 5 {
		t.Errorf("quarantined in attempt %d after\n%s", s.Attempt, c)
	}
}

// log: what a guest logs and prints is marked, and labelled with channel, attempt and phase.
func (r *rig) log(t *testing.T) {
	c := r.start(t, `{"log": ["warn too hot"], "stdout": "to out", "stderr": "to err"}`, channel.Config{})
	c.nextData(t)
	const labels = "channel=boiler attempt=1 phase=run"
	for _, want := range []string{
		`level=WARN msg=guest ` + labels + ` text="too hot" fields.attempt=1`,
		`level=INFO msg=guest ` + labels + ` text="to out"`,
		`level=INFO msg=guest ` + labels + ` text="to err"`,
	} {
		if !strings.Contains(c.log.String(), want) {
			t.Errorf("no %s in\n%s", want, c.log)
		}
	}
}
