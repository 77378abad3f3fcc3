package supervise_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/runtime/supervise"
)

// What is adjusted holds from the next wait on, whatever the state, and the observer's goroutine says so.
func TestAdjust(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStory(t)
		sup := start(t, s, always(plan{connect: fails(refused())}), nil)
		after(time.Minute)
		told := 0
		few := 1
		policy := supervise.Policy{Backoff: supervise.Backoff{Initial: time.Second, Max: time.Second}, MaxRetries: &few}
		err := sup.Adjust(t.Context(), policy, supervise.Deadlines{}, supervise.Quarantine{}, func() { told++ })
		if err != nil || told != 1 {
			t.Fatalf("adjust: %v, told %d times", err, told)
		}
		after(5 * time.Minute)
		wantState(t, sup, supervise.Failed, "retries exhausted")
		stop(t, s, sup)
		if err := sup.Adjust(t.Context(), policy, supervise.Deadlines{}, supervise.Quarantine{}, func() { told++ }); err != nil || told != 2 {
			t.Errorf("of a channel that is stopped: %v, told %d times", err, told)
		}
		if err := sup.Adjust(t.Context(), policy, supervise.Deadlines{Stop: -1}, supervise.Quarantine{}, func() { told++ }); err == nil || told != 2 {
			t.Errorf("a negative deadline: %v, told %d times", err, told)
		}
	})
}
