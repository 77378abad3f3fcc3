package supervise_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/supervise"
)

// Rule 1: the handle is visible only between init's success and the end of run; published before the connected
// snapshot, revoked before any other state. (The story checks the same in every other test.)
func TestRule1HandleVisibility(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup := start(t, s, first(plan{run: runFor(time.Second, refused())}), nil)
		after(time.Minute)
		stop(t, s, sup)
		var order []string
		for line := range strings.Lines(s.text()) {
			if f := strings.Fields(line); f[1] == "published" || f[1] == "revoked" || f[1] == "state" {
				order = append(order, f[1]+" "+f[2])
			}
		}
		want := "state connecting,state initializing,published 1,state connected,revoked 1,state reconnecting," +
			"state connecting,state initializing,published 2,state connected,revoked 2,state disconnected,state stopped"
		if got := strings.Join(order, ","); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

// Rule 2: each failure yields exactly one record with phase, kind and code, in every phase; the kind is honoured.
func TestRule2OneRecordPerFailure(t *testing.T) {
	fatal := failure.New("", failure.IONotFound, "no such port")
	ends := &failure.Failure{Kind: failure.Stop, Code: "driver.done", Summary: "all read"}
	configured := failure.New(failure.PhaseConfigure, failure.LimitCPU, "configure computed for too long")
	outcome := func(o supervise.Outcome) plan {
		return plan{run: func(*supervise.Context) (supervise.Outcome, error) { return o, nil }}
	}
	inRun := func(err error) plan { return plan{run: runFor(0, err)} }
	reports := func(ctx *supervise.Context) error { return ctx.Fatal("driver.key", "wrong key") }
	for name, c := range map[string]struct {
		plan  plan
		phase failure.Phase
		kind  failure.Kind
		code  failure.Code
		state supervise.State // a moment later
	}{
		"connect retryable": {plan{connect: fails(refused())}, "connect", "retryable", "io.refused", supervise.Reconnecting},
		"connect fatal":     {plan{connect: fails(fatal)}, "connect", "fatal", "io.not-found", supervise.Failed},
		"connect stop":      {plan{connect: fails(ends)}, "connect", "stop", "driver.done", supervise.Stopped},
		"connect wrapped": {plan{connect: fails(fmt.Errorf("open port: %w", fatal))}, "connect", "fatal", "io.not-found",
			supervise.Failed},
		"configure":      {plan{connect: fails(configured)}, "configure", "retryable", "limit.cpu", supervise.Reconnecting},
		"connect report": {plan{connect: reports}, "connect", "fatal", "driver.key", supervise.Failed},
		"connect plain":  {plan{connect: fails(errPlain)}, "connect", "retryable", "host.panic", supervise.Reconnecting},
		"init retryable": {plan{init: fails(refused())}, "init", "retryable", "io.refused", supervise.Reconnecting},
		"init fatal":     {plan{init: fails(fatal)}, "init", "fatal", "io.not-found", supervise.Failed},
		"init stop":      {plan{init: fails(ends)}, "init", "stop", "driver.done", supervise.Stopped},
		"init panic": {plan{init: func(*supervise.Context) error { panic("no") }}, "init", "retryable", "host.panic",
			supervise.Reconnecting},
		"run retryable":    {inRun(refused()), "run", "retryable", "io.refused", supervise.Reconnecting},
		"run fatal":        {inRun(fatal), "run", "fatal", "io.not-found", supervise.Failed},
		"run stop":         {inRun(ends), "run", "stop", "driver.done", supervise.Stopped},
		"run plain":        {inRun(errPlain), "run", "retryable", "host.panic", supervise.Reconnecting},
		"run disconnected": {inRun(nil), "run", "retryable", "io.closed", supervise.Reconnecting},
		"run fatal outcome": {outcome(supervise.OutcomeFatal(failure.New("", "io.refused", "no"))), "run", "fatal",
			"io.refused", supervise.Failed},
		"run fatal nothing": {outcome(supervise.OutcomeFatal(nil)), "run", "fatal", "driver.other", supervise.Failed},
		"run unasked yield": {outcome(supervise.OutcomeYielded()), "run", "retryable", "driver.other",
			supervise.Reconnecting},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStory(t)
				sup := start(t, s, always(c.plan), nil)
				after(time.Millisecond)
				records := s.failures()
				if len(records) != 1 {
					t.Fatalf("%d records: %+v", len(records), records)
				}
				r := records[0]
				if r.Phase != c.phase || r.Kind != c.kind || r.Code != c.code || r.Attempt != 1 || r.Digest != "sha256:v1" {
					t.Errorf("record %+v", r)
				}
				n := sup.Snapshot()
				if n.State != c.state || n.LastFailure == nil || *n.LastFailure != r {
					t.Errorf("snapshot %+v", n)
				}
				if retried := !r.NextRetry.IsZero(); retried != (c.state == supervise.Reconnecting) {
					t.Errorf("next retry %s in state %s", r.NextRetry, c.state)
				}
				stop(t, s, sup)
				if n := len(s.failures()); n != 1 {
					t.Errorf("%d records after the stop", n)
				}
			})
		})
	}
}

// Rule 2, the other half: a graceful stop yields no record, in whatever phase, and ends as stopped. A crash on the way
// out is a failure all the same.
func TestRule2StopYieldsNone(t *testing.T) {
	waits := func(ctx *supervise.Context) error { <-ctx.Done(); return context.Cause(ctx) }
	for name, c := range map[string]struct {
		plan plan
		want int
	}{
		"connecting":   {plan{connect: waits}, 0},
		"initializing": {plan{init: waits}, 0},
		"connected":    {plan{}, 0},
		"reconnecting": {plan{connect: fails(refused())}, 1},
		"io failure": {plan{run: func(ctx *supervise.Context) (supervise.Outcome, error) {
			<-ctx.Done()
			return supervise.OutcomeDisconnected(), refused()
		}}, 0},
		"crash": {plan{run: func(ctx *supervise.Context) (supervise.Outcome, error) {
			<-ctx.Done()
			return supervise.OutcomeDisconnected(), trap()
		}}, 1},
		"ended by force": {plan{run: func(ctx *supervise.Context) (supervise.Outcome, error) {
			<-ctx.Forced().Done()
			return supervise.OutcomeDisconnected(), failure.New("", failure.LimitDeadline, "ignored the stop")
		}}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStory(t)
				sup := start(t, s, always(c.plan), nil)
				after(500 * time.Millisecond)
				stop(t, s, sup)
				if got := s.failures(); len(got) != c.want {
					t.Errorf("%d records, want %d: %+v", len(got), c.want, got)
				}
			})
		})
	}
}

// Rule 3: the budgets hold at their edges.
func TestRule3Budgets(t *testing.T) {
	for name, c := range map[string]struct {
		retries  *int
		elapsed  time.Duration
		attempts int // in a day
		state    supervise.State
		reason   string
	}{
		"no retry":                  {new(0), 0, 1, supervise.Failed, "retries exhausted"},
		"one":                       {new(1), 0, 2, supervise.Failed, "retries exhausted"},
		"five":                      {new(5), 0, 6, supervise.Failed, "retries exhausted"},
		"unlimited":                 {nil, 0, 2884, supervise.Reconnecting, "io.refused"},
		"elapsed before the first":  {nil, time.Second - 1, 1, supervise.Failed, "retry time exhausted"},
		"elapsed with the first":    {nil, time.Second, 2, supervise.Failed, "retry time exhausted"},
		"elapsed before the third":  {nil, 7*time.Second - 1, 3, supervise.Failed, "retry time exhausted"},
		"elapsed with the third":    {nil, 7 * time.Second, 4, supervise.Failed, "retry time exhausted"},
		"both, retries are shorter": {new(2), time.Hour, 3, supervise.Failed, "retries exhausted"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStory(t)
				s.quiet = true
				sup := start(t, s, always(plan{connect: fails(refused())}), func(c2 *supervise.Config) {
					c2.Policy.MaxRetries, c2.Policy.MaxElapsed = c.retries, c.elapsed
				})
				after(24 * time.Hour)
				if n := len(s.failures()); n != c.attempts {
					t.Errorf("%d attempts, want %d", n, c.attempts)
				}
				wantState(t, sup, c.state, c.reason)
				if left := sup.Snapshot().RetriesLeft; (left == nil) != (c.retries == nil) {
					t.Errorf("retries left %v", left)
				}
				stop(t, s, sup)
			})
		})
	}
}

// Rule 3: a session that was connected for StableAfter starts the budgets anew, and one a moment less does not.
func TestRule3StableResets(t *testing.T) {
	for name, c := range map[string]struct {
		run  time.Duration
		want supervise.State
	}{
		"a moment too short": {10*time.Second - 1, supervise.Failed},
		"long enough":        {10 * time.Second, supervise.Connected},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStory(t)
				lost := plan{run: runFor(c.run, nil)}
				sup := start(t, s, first(lost, lost, lost), func(c *supervise.Config) { c.Policy.MaxRetries = new(1) })
				after(time.Hour)
				if got := sup.Snapshot().State; got != c.want {
					t.Errorf("state %s, want %s", got, c.want)
				}
				stop(t, s, sup)
			})
		})
	}
}

// Rule 4: a peer that accepts and drops at once reaches failed under a finite budget, with growing delays.
func TestRule4FlappingPeer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup := start(t, s, always(plan{run: runFor(0, nil)}), func(c *supervise.Config) { c.Policy.MaxRetries = new(6) })
		begin := time.Now()
		for sup.Snapshot().State != supervise.Failed && time.Since(begin) < time.Hour {
			after(time.Second)
		}
		wantState(t, sup, supervise.Failed, "retries exhausted")
		if got := len(s.failures()); got != 7 {
			t.Errorf("%d failures, want 7", got)
		}
		if got := time.Since(begin).Round(time.Second); got != (1+2+4+8+16+30)*time.Second {
			t.Errorf("failed after %s", got)
		}
		stop(t, s, sup)
	})
}

// Rule 5: N requests in one run make one reconnect, and those of an older attempt, or before Ready, none.
func TestRule5ReconnectRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		var old *supervise.Context
		p := func(ctx *supervise.Context) plan {
			if ctx.RequestReconnect("too early") {
				t.Error("a request was taken in connect")
			}
			return plan{run: func(ctx *supervise.Context) (supervise.Outcome, error) {
				if ctx.Attempt() == 1 {
					old = ctx
					taken := 0
					for i := range 20 {
						if ctx.RequestReconnect(fmt.Sprint("request ", i)) {
							taken++
						}
					}
					if taken != 1 {
						t.Errorf("%d requests were taken", taken)
					}
				}
				o, err := serve(ctx)
				if ctx.Attempt() == 1 && !errors.Is(context.Cause(ctx), supervise.ErrReconnect) {
					t.Errorf("cause %v", context.Cause(ctx))
				}
				return o, err
			}}
		}
		sup := start(t, s, p, nil)
		after(time.Minute)
		if n := sup.Snapshot(); n.Attempt != 2 || n.State != supervise.Connected {
			t.Errorf("snapshot %+v", n)
		}
		if old.RequestReconnect("late") {
			t.Error("a request of an older attempt was taken")
		}
		after(time.Minute)
		if n := sup.Snapshot(); n.Attempt != 2 {
			t.Errorf("attempt %d", n.Attempt)
		}
		if n := len(s.failures()); n != 0 {
			t.Errorf("%d failures", n)
		}
		if got := strings.Count(s.text(), "reconnect requested"); got != 1 || !strings.Contains(s.text(), "request 0") {
			t.Errorf("%d reconnects:\n%s", got, s.text())
		}
		stop(t, s, sup)
		if sup.RequestReconnect("stopped") {
			t.Error("a request was taken while stopped")
		}
	})
}

// Rule 5: between two runs there is nothing to reconnect.
func TestRule5NoRequestBetweenRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup := start(t, s, first(plan{run: runFor(time.Second, refused())}), nil)
		after(1500 * time.Millisecond)
		wantState(t, sup, supervise.Reconnecting, "io.refused")
		if sup.RequestReconnect("now") {
			t.Error("a request was taken in the backoff")
		}
		after(time.Minute)
		if n := sup.Snapshot().Attempt; n != 2 {
			t.Errorf("attempt %d", n)
		}
		stop(t, s, sup)
	})
}

// Rule 6, for native sessions: each phase ends at its deadline, and a session that ignores it holds up its own channel
// only, with the reason shown.
func TestRule6Deadlines(t *testing.T) {
	heeds := func(ctx *supervise.Context) error { <-ctx.Done(); return ctx.Err() }
	own := func(ctx *supervise.Context) error {
		<-ctx.Done()
		return failure.New("", failure.IOTimeout, "no answer")
	}
	late := func(*supervise.Context) error { <-time.After(17 * time.Second); return nil }
	deaf := func(*supervise.Context) error { <-time.After(time.Minute); return nil }
	for name, c := range map[string]struct {
		plan   plan
		at     time.Duration
		phase  failure.Phase
		code   failure.Code
		reason string
	}{
		"connect heeds":         {plan{connect: heeds}, 15 * time.Second, "connect", "limit.deadline", "limit.deadline"},
		"connect has a failure": {plan{connect: own}, 15 * time.Second, "connect", "io.timeout", "io.timeout"},
		"connect is late":       {plan{connect: late}, 17 * time.Second, "connect", "limit.deadline", "limit.deadline"},
		"connect is deaf": {plan{connect: deaf}, 20 * time.Second, "connect", "limit.deadline",
			"stuck: connect does not return"},
		"init heeds":   {plan{init: heeds}, 15 * time.Second, "init", "limit.deadline", "limit.deadline"},
		"init is deaf": {plan{init: deaf}, 20 * time.Second, "init", "limit.deadline", "stuck: init does not return"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStory(t)
				sup := start(t, s, first(c.plan), nil)
				after(c.at - 1)
				if n := s.failures(); len(n) != 0 {
					t.Errorf("failed early: %+v", n)
				}
				after(1)
				wantState(t, sup, supervise.Reconnecting, c.reason)
				after(5 * time.Minute)
				wantState(t, sup, supervise.Connected, "")
				if r := s.failures(); len(r) != 1 || r[0].Phase != c.phase || r[0].Code != c.code {
					t.Errorf("records %+v", r)
				}
				stop(t, s, sup)
			})
		})
	}
}

// Rule 6: a stop that is ignored says so in time, nothing new starts, and it ends when the call returns.
func TestRule6StuckStop(t *testing.T) {
	for name, c := range map[string]struct {
		plan plan
		at   time.Duration
	}{
		"run": {plan{run: func(*supervise.Context) (supervise.Outcome, error) {
			<-time.After(time.Minute)
			return supervise.OutcomeDisconnected(), nil
		}}, 6 * time.Second},
		"close": {plan{close: func(bool) error { <-time.After(time.Minute); return nil }}, 6 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStory(t)
				sup := start(t, s, always(c.plan), nil)
				after(time.Second)
				begin := time.Now()
				if err := sup.Stop(t.Context()); !errors.Is(err, supervise.ErrStuck) || time.Since(begin) != c.at {
					t.Errorf("stop: %v after %s", err, time.Since(begin))
				}
				if err := sup.Stop(t.Context()); !errors.Is(err, supervise.ErrStuck) {
					t.Errorf("second stop: %v", err)
				}
				wantState(t, sup, supervise.Disconnected, "stuck: "+name+" does not return")
				if r := s.failures(); len(r) != 1 || r[0].Code != failure.LimitDeadline {
					t.Errorf("records %+v", r)
				}
				after(2 * time.Minute)
				wantState(t, sup, supervise.Stopped, "")
				stop(t, s, sup)
			})
		})
	}
}

// Rule 6: a close that does not return is recorded once more, and changes nothing of what was decided before it.
func TestRule6StuckClose(t *testing.T) {
	for name, c := range map[string]struct {
		err   error
		state supervise.State
		later supervise.State
	}{
		"retried": {refused(), supervise.Reconnecting, supervise.Connected},
		"failed":  {failure.New("", failure.IONotFound, "no such port"), supervise.Failed, supervise.Failed},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStory(t)
				sup := start(t, s, first(plan{
					run:   runFor(0, c.err),
					close: func(bool) error { <-time.After(time.Minute); return errPlain },
				}, plan{}), nil)
				after(10 * time.Second)
				wantState(t, sup, c.state, "stuck: close does not return")
				if r := s.failures(); len(r) != 2 || r[1].Code != failure.LimitDeadline || r[1].Attempt != 1 {
					t.Errorf("records %+v", r)
				}
				s.mu.Lock()
				s.open-- // the fake counts a failed close as open
				s.mu.Unlock()
				after(2 * time.Minute)
				if got := sup.Snapshot().State; got != c.later {
					t.Errorf("state %s, want %s", got, c.later)
				}
				stop(t, s, sup)
			})
		})
	}
}

// Rule 7: k crashes within the window quarantine the channel until a person or a new driver clears it; crashes that are
// further apart, and failures that are no crashes, do not.
func TestRule7Quarantine(t *testing.T) {
	for name, c := range map[string]struct {
		every time.Duration
		err   error
		want  supervise.State
	}{
		"close together": {30 * time.Second, trap(), supervise.Quarantined},
		"far apart":      {3 * time.Minute, trap(), supervise.Connected},
		"no crashes":     {30 * time.Second, refused(), supervise.Connected},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStory(t)
				p := plan{run: runFor(c.every, c.err)}
				sup := start(t, s, first(p, p, p, p, p, p), nil)
				after(time.Hour)
				if n := sup.Snapshot(); n.State != c.want {
					t.Errorf("state %s, want %s", n.State, c.want)
				}
				stop(t, s, sup)
			})
		})
	}
	for name, clears := range map[string]func(context.Context, *supervise.Supervisor, supervise.Connector) error{
		"clear":   func(ctx context.Context, s *supervise.Supervisor, _ supervise.Connector) error { return s.Clear(ctx) },
		"restart": func(ctx context.Context, s *supervise.Supervisor, _ supervise.Connector) error { return s.Restart(ctx) },
		"replace": func(ctx context.Context, s *supervise.Supervisor, next supervise.Connector) error {
			_, err := s.Replace(ctx, next, 0)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStory(t)
				sup := start(t, s, first(plan{connect: fails(trap())}), func(c *supervise.Config) { c.Quarantine.Crashes = 1 })
				settle()
				wantState(t, sup, supervise.Quarantined, "1 crashes within 10m0s, the last trap.unreachable")
				if err := clears(t.Context(), sup, &driver{name: "v2", story: s, plan: always(plan{})}); err != nil {
					t.Error(err)
				}
				settle()
				wantState(t, sup, supervise.Connected, "")
				stop(t, s, sup)
			})
		})
	}
}

// Rule 8: no two sessions are ever open, also when a restart is asked for while a session does not end. (The story
// checks the same in every other test.)
func TestRule8OneSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup := start(t, s, first(plan{
			run: func(*supervise.Context) (supervise.Outcome, error) {
				<-time.After(time.Hour)
				return supervise.OutcomeDisconnected(), nil
			},
		}), nil)
		after(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := sup.Restart(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("restart: %v", err)
		}
		wantState(t, sup, supervise.Reconnecting, "stuck: run does not return")
		if n := sup.Snapshot().Attempt; n != 1 {
			t.Errorf("attempt %d began beside a session that has not ended", n)
		}
		after(2 * time.Hour)
		if n := sup.Snapshot(); n.State != supervise.Connected || n.Attempt != 2 {
			t.Errorf("snapshot %+v", n)
		}
		stop(t, s, sup)
	})
}

// Rule 9: a subscriber that joins late sees the current state first; a slow one sees the latest.
func TestRule9LateSubscriber(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup := start(t, s, always(plan{}), nil)
		after(time.Second)
		late, cancel := sup.Subscribe()
		if n := <-late; n.State != supervise.Connected || n.Attempt != 1 {
			t.Errorf("first snapshot %+v", n)
		}
		if err := sup.Restart(t.Context()); err != nil { // four states that nobody takes
			t.Error(err)
		}
		settle()
		if n := <-late; n.State != supervise.Connected || n.Attempt != 2 {
			t.Errorf("latest snapshot %+v", n)
		}
		stop(t, s, sup)
		if n := <-late; n.State != supervise.Stopped {
			t.Errorf("last snapshot %+v", n)
		}
		cancel()
		cancel()
		if _, ok := <-late; ok {
			t.Error("the channel is open after cancel")
		}
		after, cancel := sup.Subscribe()
		defer cancel()
		if n := <-after; n.State != supervise.Stopped {
			t.Errorf("snapshot after the stop %+v", n)
		}
	})
}

// Attempts are counted on over restarts, and a stopped channel can be started again.
func TestStartAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup := start(t, s, first(plan{connect: fails(&failure.Failure{Kind: failure.Stop, Code: "driver.done"})}), nil)
		settle()
		wantState(t, sup, supervise.Stopped, "driver.done")
		sup.Start()
		sup.Start()
		settle()
		stop(t, s, sup)
		stop(t, s, sup)
		if err := sup.Restart(t.Context()); err != nil {
			t.Error(err)
		}
		settle()
		if n := sup.Snapshot(); n.State != supervise.Connected || n.Attempt != 3 || n.Generation != 2 {
			t.Errorf("snapshot %+v", n)
		}
		stop(t, s, sup)
	})
}

func TestStopBeforeStart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup, err := supervise.New(supervise.Config{
			Name: "boiler", Connector: &driver{name: "v1", story: s, plan: always(plan{})}, Observer: s,
		})
		if err != nil {
			t.Fatal(err)
		}
		wantState(t, sup, supervise.Disconnected, "")
		stop(t, s, sup)
	})
}

// labels is a connector whose sessions log, with a classifier of its own.
type labels struct{ driver }

func (l *labels) Classify(phase failure.Phase, err error) *failure.Failure {
	if errors.Is(err, errPlain) {
		return &failure.Failure{Code: failure.IOBusy, Summary: "busy in " + string(phase)}
	}
	return nil
}

func TestClassifierAndLabels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		var out strings.Builder
		c := &labels{driver{name: "v1", story: s, plan: always(plan{connect: func(ctx *supervise.Context) error {
			ctx.Logger().Info("hello")
			return fmt.Errorf("open: %w", errPlain)
		}})}}
		sup := start(t, s, nil, func(config *supervise.Config) {
			config.Connector = c
			config.Logger = slog.New(slog.NewTextHandler(&out, nil))
		})
		settle()
		stop(t, s, sup)
		r := s.failures()
		if len(r) != 1 || r[0].Code != failure.IOBusy || r[0].Kind != failure.Retryable ||
			r[0].Phase != failure.PhaseConnect || r[0].Summary != "busy in connect" {
			t.Errorf("records %+v", r)
		}
		if want := `msg=hello channel=boiler attempt=1 phase=connect`; !strings.Contains(out.String(), want) {
			t.Errorf("log %q, want %q", out.String(), want)
		}
	})
}

func TestNewReportsAllProblems(t *testing.T) {
	_, err := supervise.New(supervise.Config{
		Policy: supervise.Policy{
			Backoff: supervise.Backoff{Initial: 10, Max: 5, Factor: 0.5, Jitter: 1}, MaxRetries: new(-1),
		},
		Deadlines: supervise.Deadlines{Stop: -1},
	})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{"name", "connector", "max 5ns", "factor", "jitter", "max retries", "stop deadline"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in %q", want, err)
		}
	}
}
