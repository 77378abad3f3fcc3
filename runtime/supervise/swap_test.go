package supervise_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/supervise"
)

// The table of the package comment: what Replace does in each state.
func TestReplaceInEachState(t *testing.T) {
	waits := func(ctx *supervise.Context) error { <-ctx.Done(); return context.Cause(ctx) }
	ignores := plan{run: func(ctx *supervise.Context) (supervise.Outcome, error) {
		<-ctx.Done()
		<-time.After(time.Second)
		return supervise.OutcomeDisconnected(), nil
	}}
	type prepare = func(*testing.T, *supervise.Supervisor)
	nothing := func(*testing.T, *supervise.Supervisor) {}
	for name, c := range map[string]struct {
		plan     plan
		prepare  prepare
		before   supervise.State
		want     supervise.Result
		state    supervise.State // two seconds later
		attempts uint64
		failures int
	}{
		"connected":    {plan{}, nothing, supervise.Connected, supervise.Swapped, supervise.Connected, 2, 0},
		"connecting":   {plan{connect: waits}, nothing, supervise.Connecting, supervise.Adopted, supervise.Connected, 2, 0},
		"initializing": {plan{init: waits}, nothing, supervise.Initializing, supervise.Adopted, supervise.Connected, 2, 0},
		"reconnecting": {plan{connect: fails(refused())}, nothing, supervise.Reconnecting, supervise.Adopted,
			supervise.Connected, 2, 1},
		"failed": {plan{connect: fails(failure.New("", failure.IOInvalid, "no"))}, nothing, supervise.Failed,
			supervise.Adopted, supervise.Connected, 2, 1},
		"stopped by the driver": {plan{connect: fails(&failure.Failure{Kind: failure.Stop, Code: "driver.done"})}, nothing,
			supervise.Stopped, supervise.Adopted, supervise.Stopped, 1, 1},
		"stopped": {plan{}, func(t *testing.T, s *supervise.Supervisor) {
			if err := s.Stop(t.Context()); err != nil {
				t.Error(err)
			}
		}, supervise.Stopped, supervise.Adopted, supervise.Stopped, 1, 0},
		"stopping": {ignores, func(t *testing.T, s *supervise.Supervisor) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			defer cancel()
			if err := s.Stop(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Error(err)
			}
		}, supervise.Connected, supervise.Adopted, supervise.Stopped, 1, 0},
		"ending for a request": {ignores, func(t *testing.T, s *supervise.Supervisor) {
			if !s.RequestReconnect("please") {
				t.Error("request refused")
			}
			settle()
		}, supervise.Connected, supervise.Adopted, supervise.Connected, 2, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStory(t)
				sup := start(t, s, always(c.plan), nil)
				settle()
				c.prepare(t, sup)
				if got := sup.Snapshot().State; got != c.before {
					t.Errorf("state before: %s, want %s", got, c.before)
				}
				v2 := 0
				next := &driver{name: "v2", story: s, plan: func(*supervise.Context) plan { v2++; return plan{} }}
				report, err := sup.Replace(t.Context(), next, 0)
				if err != nil || report.Result != c.want {
					t.Errorf("replace: %+v, %v", report, err)
				}
				after(2 * time.Second)
				n := sup.Snapshot()
				if n.State != c.state || n.Attempt != c.attempts || len(s.failures()) != c.failures {
					t.Errorf("%s, attempt %d, failures %+v", n.State, n.Attempt, s.failures())
				}
				if c.state == supervise.Stopped {
					if err := sup.Restart(t.Context()); err != nil {
						t.Error(err)
					}
					settle()
				}
				if v2 != 1 {
					t.Errorf("the new connector was used %d times", v2)
				}
				stop(t, s, sup)
			})
		})
	}
}

// While a swap or its trial is in progress, another one and a restart are refused.
func TestOneSwapAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup := start(t, s, always(plan{}), nil)
		settle()
		next := &driver{name: "v2", story: s, plan: always(plan{init: func(ctx *supervise.Context) error {
			return pause(ctx, time.Second)
		}})}
		verdict := make(chan supervise.Report, 1)
		go func() {
			report, err := sup.Replace(t.Context(), next, time.Minute)
			if err != nil {
				t.Error(err)
			}
			verdict <- report
		}()
		for _, wait := range []time.Duration{500 * time.Millisecond, 30 * time.Second} { // bringing up, trial
			after(wait)
			if _, err := sup.Replace(t.Context(), next, 0); !errors.Is(err, supervise.ErrReplacing) {
				t.Errorf("second replace: %v", err)
			}
			if err := sup.Restart(t.Context()); !errors.Is(err, supervise.ErrReplacing) {
				t.Errorf("restart: %v", err)
			}
		}
		if r := <-verdict; r.Result != supervise.Swapped {
			t.Errorf("report %+v", r)
		}
		stop(t, s, sup)
	})
}

// A stop ends a swap at whatever point, nothing stays open or kept, and the previous connector is the one in use.
func TestStopDuringSwap(t *testing.T) {
	slow := func(ctx *supervise.Context) error { return pause(ctx, 10*time.Second) }
	old := plan{
		run: func(ctx *supervise.Context) (supervise.Outcome, error) {
			select {
			case <-ctx.Yield():
			case <-ctx.Done():
				return supervise.OutcomeDisconnected(), nil
			}
			if err := pause(ctx, 2*time.Second); err != nil {
				return supervise.OutcomeDisconnected(), err
			}
			return supervise.OutcomeYielded(), nil
		},
		close: func(keep bool) error {
			if keep {
				<-time.After(2 * time.Second)
			}
			return nil
		},
	}
	for name, at := range map[string]time.Duration{
		"yielding":     time.Second,
		"closing":      3 * time.Second,
		"connecting":   10 * time.Second,
		"initializing": 20 * time.Second,
		"trial":        30 * time.Second,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStory(t)
				sup := start(t, s, always(old), nil)
				settle()
				verdict := make(chan error, 1)
				go func() {
					next := &driver{name: "v2", story: s, plan: always(plan{connect: slow, init: slow})}
					report, err := sup.Replace(t.Context(), next, time.Minute)
					if report.Result != supervise.Abandoned {
						t.Errorf("report %+v", report)
					}
					verdict <- err
				}()
				after(at)
				stop(t, s, sup)
				if err := <-verdict; !errors.Is(err, supervise.ErrStopped) {
					t.Errorf("replace: %v", err)
				}
				if r := s.failures(); len(r) != 0 {
					t.Errorf("records %+v", r)
				}
				if err := sup.Restart(t.Context()); err != nil {
					t.Error(err)
				}
				settle()
				s.mu.Lock()
				last := s.lines[len(s.lines)-2]
				s.mu.Unlock()
				if want := " v1"; len(last) < 3 || last[len(last)-3:] != want {
					t.Errorf("after a restart: %q, want a handle of%s", last, want)
				}
				stop(t, s, sup)
			})
		})
	}
}

// A caller that goes away does not end the swap.
func TestReplaceCallerGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup := start(t, s, always(plan{}), nil)
		settle()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := sup.Replace(ctx, &driver{name: "v2", story: s, plan: always(plan{})}, time.Minute)
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("replace: %v", err)
		}
		wantState(t, sup, supervise.Connected, "trial")
		after(time.Minute)
		wantState(t, sup, supervise.Connected, "")
		stop(t, s, sup)
	})
}

// A session that neither yields nor ends holds up the swap, which is given up: two must never hold one port.
func TestSwapFromStuckSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup := start(t, s, first(plan{run: func(*supervise.Context) (supervise.Outcome, error) {
			<-time.After(time.Minute)
			return supervise.OutcomeDisconnected(), nil
		}}), nil)
		settle()
		report, err := sup.Replace(t.Context(), &driver{name: "v2", story: s, plan: always(plan{})}, time.Minute)
		if !errors.Is(err, supervise.ErrStuck) || report.Result != supervise.Abandoned {
			t.Errorf("replace: %+v, %v", report, err)
		}
		settle()
		wantState(t, sup, supervise.Reconnecting, "stuck: run does not return")
		if r := s.failures(); len(r) != 1 || r[0].Code != failure.LimitDeadline || !r[0].NextRetry.IsZero() {
			t.Errorf("records %+v", r)
		}
		after(2 * time.Minute)
		wantState(t, sup, supervise.Connected, "")
		stop(t, s, sup)
	})
}

// A reconnect that next asks for is no failure: the trial goes on.
func TestReconnectDuringTrial(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup := start(t, s, always(plan{}), nil)
		settle()
		next := &driver{name: "v2", story: s, plan: func(ctx *supervise.Context) plan {
			if ctx.Attempt() > 2 {
				return plan{}
			}
			return plan{run: func(ctx *supervise.Context) (supervise.Outcome, error) {
				return supervise.OutcomeReconnect("again"), pause(ctx, time.Second)
			}}
		}}
		report, err := sup.Replace(t.Context(), next, 10*time.Second)
		if err != nil || report.Result != supervise.Swapped || report.Parked != 0 {
			t.Errorf("replace: %+v, %v", report, err)
		}
		if n := sup.Snapshot(); n.Attempt != 3 || n.Generation != 3 || n.State != supervise.Connected {
			t.Errorf("snapshot %+v", n)
		}
		stop(t, s, sup)
	})
}

// A crash of the old session on its way out is a failure with a record, and next starts without its lines.
func TestCrashWhileYielding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup := start(t, s, always(plan{run: func(ctx *supervise.Context) (supervise.Outcome, error) {
			<-ctx.Yield()
			return supervise.OutcomeYielded(), trap()
		}}), nil)
		settle()
		next := &driver{name: "v2", story: s, plan: func(ctx *supervise.Context) plan {
			if ctx.Takeover() {
				t.Error("takes over from a session that crashed")
			}
			return plan{}
		}}
		report, err := sup.Replace(t.Context(), next, time.Second)
		if err != nil || report.Result != supervise.Swapped || report.Yielded {
			t.Errorf("replace: %+v, %v", report, err)
		}
		if r := s.failures(); len(r) != 1 || r[0].Code != failure.TrapUnreachable || r[0].Generation != 1 {
			t.Errorf("records %+v", r)
		}
		stop(t, s, sup)
	})
}

func TestReplaceRefusesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup := start(t, s, always(plan{}), nil)
		settle()
		if _, err := sup.Replace(t.Context(), nil, 0); err == nil {
			t.Error("a nil connector was taken")
		}
		wantState(t, sup, supervise.Connected, "")
		stop(t, s, sup)
	})
}

// judge is a driver that has the last word on a swap to it.
type judge struct {
	*driver
	verdict func() *failure.Failure
}

func (j judge) Judge() *failure.Failure { return j.verdict() }

// A driver that runs, but not well, is taken back at the end of its trial: it yields, and the previous one is brought up
// without its lines, while the handle is parked.
func TestJudgedAtTheEndOfTheTrial(t *testing.T) {
	for name, c := range map[string]struct {
		verdict  *failure.Failure
		run      func(*supervise.Context) (supervise.Outcome, error)
		want     supervise.Result
		failures []failure.Code
	}{
		"good": {nil, nil, supervise.Swapped, nil},
		"bad": {failure.New(failure.PhaseRun, failure.DriverOther, "3 points are bad"), nil, supervise.RolledBack,
			[]failure.Code{failure.DriverOther}},
		"bad, and crashes when asked to yield": {failure.New(failure.PhaseRun, failure.DriverOther, "3 points are bad"),
			func(ctx *supervise.Context) (supervise.Outcome, error) {
				<-ctx.Yield()
				return supervise.OutcomeYielded(), trap()
			}, supervise.RolledBack, []failure.Code{failure.TrapUnreachable, failure.DriverOther}},
		"bad, and does not yield": {failure.New(failure.PhaseRun, failure.DriverOther, "3 points are bad"),
			func(ctx *supervise.Context) (supervise.Outcome, error) {
				<-ctx.Done()
				return supervise.OutcomeDisconnected(), nil
			}, supervise.RolledBack, []failure.Code{failure.DriverOther}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStory(t)
				takeovers := 0
				sup := start(t, s, func(ctx *supervise.Context) plan {
					if ctx.Takeover() {
						takeovers++
					}
					return plan{}
				}, nil)
				settle()
				v2 := &driver{name: "v2", story: s, plan: always(plan{run: c.run})}
				report, err := sup.Replace(t.Context(), judge{v2, func() *failure.Failure { return c.verdict }}, 10*time.Second)
				if err != nil || report.Result != c.want || report.Why != c.verdict {
					t.Errorf("replace: %+v, %v", report, err)
				}
				wantState(t, sup, supervise.Connected, "")
				var codes []failure.Code
				for _, r := range s.failures() {
					codes = append(codes, r.Code)
				}
				if !slices.Equal(codes, c.failures) || takeovers != 0 {
					t.Errorf("failures %v, %d takeovers", codes, takeovers)
				}
				stop(t, s, sup)
			})
		})
	}
}
