package supervise_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/supervise"
)

// The stories: what an observer and the sessions see, in order and in time. Read testdata/*.golden.

func TestStoryStartStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup := start(t, s, always(plan{
			connect: func(ctx *supervise.Context) error { return pause(ctx, 300*time.Millisecond) },
			init:    func(ctx *supervise.Context) error { return pause(ctx, 200*time.Millisecond) },
			run: func(ctx *supervise.Context) (supervise.Outcome, error) {
				<-ctx.Done()
				<-time.After(time.Second) // finish what is on the wire
				return supervise.OutcomeDisconnected(), ctx.Err()
			},
		}), nil)
		after(10 * time.Second)
		stop(t, s, sup)
		s.golden("start-stop")
	})
}

func TestStoryCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup := start(t, s, first(
			plan{run: runFor(3*time.Second, trap())},
			plan{connect: fails(refused())},
			plan{init: fails(failure.New("", failure.IOTimeout, "no answer"))},
			plan{run: func(*supervise.Context) (supervise.Outcome, error) { panic("index out of range") }},
		), nil)
		after(time.Minute)
		stop(t, s, sup)
		s.golden("crash")
	})
}

func TestStoryReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		asks := plan{run: func(ctx *supervise.Context) (supervise.Outcome, error) {
			if err := pause(ctx, time.Second); err != nil {
				return supervise.OutcomeDisconnected(), err
			}
			return supervise.OutcomeReconnect("the device has new firmware"), nil
		}}
		sup := start(t, s, first(asks, asks, plan{run: runFor(2*time.Second, nil)}), nil)
		after(30 * time.Second)
		if !sup.RequestReconnect("by hand") {
			t.Error("request refused")
		}
		after(time.Second)
		stop(t, s, sup)
		s.golden("reconnect")
	})
}

func TestStorySwap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup := start(t, s, always(plan{run: func(ctx *supervise.Context) (supervise.Outcome, error) {
			<-ctx.Yield()
			return supervise.OutcomeYielded(), pause(ctx, 50*time.Millisecond)
		}}), nil)
		after(5 * time.Second)
		next := &driver{name: "v2", story: s, plan: always(plan{
			connect: func(ctx *supervise.Context) error { return pause(ctx, 10*time.Millisecond) },
			init:    func(ctx *supervise.Context) error { return pause(ctx, 20*time.Millisecond) },
		})}
		report, err := sup.Replace(t.Context(), next, supervise.DefaultTrial)
		settle()
		s.say("report %s, yielded %t, restored %t, why %v, parked %s, steps %v, error %v", report.Result, report.Yielded,
			report.Restored, report.Why, report.Parked, report.Steps, err)
		stop(t, s, sup)
		s.golden("swap")
	})
}

func TestStoryRollBack(t *testing.T) {
	for _, c := range []struct {
		golden string
		v1, v2 func(*supervise.Context) plan
	}{
		{"rollback-connect", always(plan{}), always(plan{connect: fails(refused())})},
		{"rollback-init", always(plan{}), always(plan{init: fails(trap())})},
		{"rollback-trial", always(plan{}), always(plan{run: runFor(7*time.Second, trap())})},
		{"rollback-lost", first(plan{}, plan{}, plan{connect: fails(refused())}), always(plan{init: fails(trap())})},
		{"rollback-forced", first(plan{run: func(ctx *supervise.Context) (supervise.Outcome, error) {
			<-ctx.Done() // knows nothing of yielding
			return supervise.OutcomeDisconnected(), ctx.Err()
		}}), always(plan{connect: fails(refused())})},
	} {
		t.Run(c.golden, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStory(t)
				sup := start(t, s, c.v1, nil)
				after(5 * time.Second)
				report, err := sup.Replace(t.Context(), &driver{name: "v2", story: s, plan: c.v2}, supervise.DefaultTrial)
				settle()
				s.say("report %s, yielded %t, restored %t, why %v, parked %s, steps %v, error %v", report.Result,
					report.Yielded, report.Restored, report.Why, report.Parked, report.Steps, err)
				after(time.Minute)
				stop(t, s, sup)
				s.golden(c.golden)
			})
		})
	}
}

func TestStoryQuarantine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		crash := plan{run: runFor(time.Minute, trap())}
		sup := start(t, s, first(crash, crash, crash), func(c *supervise.Config) {
			c.Quarantine = supervise.Quarantine{Crashes: 3, Window: 5 * time.Minute}
		})
		after(time.Hour)
		if err := sup.Clear(t.Context()); err != nil {
			t.Error(err)
		}
		after(time.Minute)
		stop(t, s, sup)
		s.golden("quarantine")
	})
}

func TestStoryStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup := start(t, s, first(plan{connect: func(ctx *supervise.Context) error {
			<-time.After(2 * time.Minute) // deaf to its context
			return nil
		}}), nil)
		after(5 * time.Minute)
		stop(t, s, sup)
		s.golden("stuck")
	})
}
