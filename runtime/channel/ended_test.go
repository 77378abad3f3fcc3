package channel_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/supervise"
)

// ended: a driver that computes for ever, and may as far as its limits go, is ended by the deadline of its phase, and by
// a stop. The channel beside it goes on, and each end is one failure, one crash with what the driver had said, and one
// wait for the next attempt.
func (r *rig) ended(t *testing.T) {
	steady := r.start(t, `{}`, channel.Config{})
	seq := steady.nextData(t).Seq
	for _, phase := range []failure.Phase{failure.PhaseConfigure, failure.PhaseConnect, failure.PhaseInit} {
		t.Run(string(phase), func(t *testing.T) {
			c := r.start(t, fmt.Sprintf(`{%q: "loop"}`, phase), channel.Config{
				Edition:   channel.Edition{Limits: compute(time.Hour)},
				Deadlines: supervise.Deadlines{Connect: time.Second, Init: time.Second, Stop: time.Second},
				Policy:    supervise.Policy{Backoff: supervise.Backoff{Initial: time.Hour, Max: time.Hour}},
			})
			f := c.nextFailure(t)
			if f.Code != failure.LimitDeadline || f.Kind != failure.Retryable {
				t.Errorf("got %s %s %q", f.Phase, f.Code, f.Summary)
			}
			crash := c.next(t, "a crash", func(e event) bool { return e.crash != nil }).crash
			if crash.Record != f || crash.PostMortem.Memory == 0 || crash.PostMortem.CPU == 0 || crash.Started.IsZero() {
				t.Errorf("the crash is %+v", crash)
			}
			wait := c.next(t, "a backoff", func(e event) bool { return e.wait != nil }).wait
			if wait.Attempt != 1 || wait.Reason != string(f.Code) || wait.Delay != time.Hour || !wait.Until.Equal(f.NextRetry) {
				t.Errorf("waits as %+v", wait)
			}
			c.nextState(t, supervise.Reconnecting)
			c.once(t)
		})
	}
	t.Run("stop", func(t *testing.T) {
		c := r.start(t, `{"run": "loop", "log": ["warn too hot"]}`, channel.Config{
			Edition: channel.Edition{Limits: compute(time.Hour)}, Deadlines: supervise.Deadlines{Stop: 300 * time.Millisecond},
		})
		c.log.await(t, "too hot")
		if err := c.Stop(t.Context()); err != nil {
			t.Fatal(err)
		}
		if f := c.nextFailure(t); f.Code != failure.LimitDeadline || !f.NextRetry.IsZero() {
			t.Errorf("got %+v", f)
		}
		crash := c.next(t, "a crash", func(e event) bool { return e.crash != nil }).crash
		if len(crash.Lines) != 1 || !strings.HasPrefix(crash.Lines[0].Text, "too hot") || crash.Lines[0].Printed {
			t.Errorf("it had said %+v", crash.Lines)
		}
		c.nextState(t, supervise.Stopped)
		if strings.Contains(c.String(), "backoff") {
			t.Errorf("said\n%s", c)
		}
		c.once(t)
	})
	if now := steady.catchUp(t, seq); now-seq < 10 {
		t.Errorf("the channel beside them had %d cycles", now-seq)
	}
}

// once: there was one failure, and one crash.
func (c *run) once(t *testing.T) {
	t.Helper()
	if n, m := strings.Count(c.String(), "failure "), strings.Count(c.String(), "crash "); n != 1 || m != 1 {
		t.Errorf("%d failures and %d crashes:\n%s", n, m, c)
	}
}
