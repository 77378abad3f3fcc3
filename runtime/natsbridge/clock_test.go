package natsbridge

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestClockAsksTheKernelOnceASecond whatever is published.
func TestClockAsksTheKernelOnceASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		asked, unsynced := 0, true
		c := newClock(func() bool { asked++; return unsynced })
		for range 100 {
			if c.word() != clockUnsynced {
				t.Fatal("the clock is said to be synchronised")
			}
		}
		unsynced = false
		if c.word() == "" || asked != 1 {
			t.Errorf("asked %d times", asked)
		}
		time.Sleep(clockLook)
		if c.word() != "" || asked != 2 {
			t.Errorf("asked %d times, %q", asked, c.word())
		}
	})
}
