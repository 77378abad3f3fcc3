package supervise_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/runtime/supervise"
)

// askAndTrap asks for a reconnect, and traps when it is ended for it.
func askAndTrap(ctx *supervise.Context) (supervise.Outcome, error) {
	ctx.RequestReconnect("please")
	<-ctx.Done()
	return supervise.OutcomeDisconnected(), trap()
}

// A driver that asks for a reconnect before it crashes escapes neither the budget nor the quarantine.
func TestCrashAfterARequest(t *testing.T) {
	none := 0
	for name, c := range map[string]struct {
		change func(*supervise.Config)
		state  supervise.State
		crash  int
	}{
		"quarantine": {nil, supervise.Quarantined, 5},
		"no retries": {func(c *supervise.Config) { c.Policy.MaxRetries = &none }, supervise.Failed, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newStory(t)
				sup := start(t, s, always(plan{run: askAndTrap}), c.change)
				after(5 * time.Minute)
				if n := sup.Snapshot(); n.State != c.state {
					t.Errorf("state %s, want %s", n.State, c.state)
				}
				if n := len(s.failures()); n != c.crash {
					t.Errorf("%d failures, want %d", n, c.crash)
				}
				stop(t, s, sup)
			})
		})
	}
}
