package supervise_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/supervise"
)

// earlier is a quarantine of an earlier life.
func earlier() *supervise.CrashLoop {
	return &supervise.CrashLoop{
		Reason: "5 crashes within 10m0s, the last exit", Crashes: 5, Window: 10 * time.Minute, Since: time.Now().Add(-time.Hour),
		LastFailure: failure.Record{Phase: failure.PhaseRun, Kind: failure.Retryable, Code: failure.Exit, Attempt: 7},
	}
}

// A quarantine of an earlier life is shown with its reason, and no session starts until somebody clears it.
func TestQuarantineOfAnEarlierLife(t *testing.T) {
	for name, clear := range map[string]func(*testing.T, *story, *supervise.Supervisor) error{
		"restart": func(t *testing.T, _ *story, s *supervise.Supervisor) error { return s.Restart(t.Context()) },
		"clear":   func(t *testing.T, _ *story, s *supervise.Supervisor) error { return s.Clear(t.Context()) },
		"replace": func(t *testing.T, st *story, s *supervise.Supervisor) error {
			report, err := s.Replace(t.Context(), &driver{name: "v2", story: st, plan: always(plan{})}, 0)
			if report.Result != supervise.Adopted {
				t.Errorf("replace: %s", report.Result)
			}
			return err
		},
		"stop and start": func(t *testing.T, _ *story, s *supervise.Supervisor) error {
			err := s.Stop(t.Context())
			s.Start()
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, held := newStory(t), earlier()
				sup := start(t, s, always(plan{}), func(c *supervise.Config) { c.CrashLoop = held })
				after(24 * time.Hour)
				got := sup.Snapshot()
				wantState(t, sup, supervise.Quarantined, held.Reason)
				if got.Attempt != 0 || !got.Since.Equal(held.Since) || got.LastFailure == nil || *got.LastFailure != held.LastFailure {
					t.Errorf("shown as %+v", got)
				}
				if len(s.failures()) != 0 {
					t.Errorf("told again:\n%s", s.text())
				}
				if err := clear(t, s, sup); err != nil {
					t.Fatal(err)
				}
				settle()
				wantState(t, sup, supervise.Connected, "")
				if got := sup.Snapshot().Attempt; got != 1 {
					t.Errorf("attempt %d", got)
				}
				stop(t, s, sup)
			})
		})
	}
}

// What clears it before the first Start counts as well.
func TestQuarantineClearedBeforeTheStart(t *testing.T) {
	for name, clear := range map[string]func(*testing.T, *story, *supervise.Supervisor) error{
		"restart": func(t *testing.T, _ *story, s *supervise.Supervisor) error { return s.Restart(t.Context()) },
		"clear":   func(t *testing.T, _ *story, s *supervise.Supervisor) error { return s.Clear(t.Context()) },
		"replace": func(t *testing.T, st *story, s *supervise.Supervisor) error {
			_, err := s.Replace(t.Context(), &driver{name: "v2", story: st, plan: always(plan{})}, 0)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStory(t)
				sup, err := supervise.New(supervise.Config{
					Name: "boiler", Connector: &driver{name: "v1", story: s, plan: always(plan{})}, Observer: s, CrashLoop: earlier(),
				})
				if err != nil {
					t.Fatal(err)
				}
				if err := clear(t, s, sup); err != nil {
					t.Fatal(err)
				}
				sup.Start()
				settle()
				wantState(t, sup, supervise.Connected, "")
				stop(t, s, sup)
			})
		})
	}
}

// Crashes with a code that does not count, and crashes too far apart, quarantine nobody; with Crashes below 0 none does.
func TestQuarantineEdges(t *testing.T) {
	crashes := func(every time.Duration, err error) func(*supervise.Context) plan {
		return always(plan{run: runFor(every, err)})
	}
	for name, c := range map[string]struct {
		plan       func(*supervise.Context) plan
		quarantine supervise.Quarantine
		want       bool
	}{
		"close together": {crashes(time.Minute, trap()), supervise.Quarantine{Crashes: 3, Window: 5 * time.Minute}, true},
		"far apart":      {crashes(3*time.Minute, trap()), supervise.Quarantine{Crashes: 3, Window: 5 * time.Minute}, false},
		"no crashes":     {crashes(time.Minute, refused()), supervise.Quarantine{Crashes: 3, Window: 5 * time.Minute}, false},
		"never":          {crashes(time.Minute, trap()), supervise.Quarantine{Crashes: -1}, false},
		"the first":      {crashes(time.Minute, trap()), supervise.Quarantine{Crashes: 1}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStory(t)
				sup := start(t, s, c.plan, func(config *supervise.Config) { config.Quarantine = c.quarantine })
				after(time.Hour)
				if got := sup.Snapshot().State == supervise.Quarantined; got != c.want {
					t.Errorf("quarantined %t", got)
				}
				stop(t, s, sup)
			})
		})
	}
}
