package module

import (
	"testing"
	"time"
)

// TestThrottle has a guest that always computes: it gets its burst, and then its share.
func TestThrottle(t *testing.T) {
	for _, share := range []float64{0.1, 0.5, 0.9} {
		l := Limits{Share: share, ShareWindow: 10 * time.Second}.withDefaults()
		th := newThrottle(l, 0)
		var now, spent time.Duration
		run := func(until time.Duration) {
			for now < until {
				now += 100 * time.Microsecond
				spent += 100 * time.Microsecond
				now += th.wait(int64(now), spent)
			}
		}
		run(time.Second)
		if spent < time.Second-2*throttleStep {
			t.Errorf("share %v: %v in the first second", share, spent)
		}
		run(100 * time.Second)
		burst := time.Duration(share * float64(10*time.Second))
		if most := burst + time.Duration(share*float64(now)) + 2*throttleStep; spent > most || spent < most-4*throttleStep {
			t.Errorf("share %v: %v in %v, want %v", share, spent, now, most)
		}
		idle := now + time.Hour
		now = idle
		before := spent
		run(idle + burst/2)
		if spent-before < burst/2-2*throttleStep {
			t.Errorf("share %v: after an idle hour %v in %v", share, spent-before, burst/2)
		}
	}
}

// TestNoThrottle sees that a whole core is never waited for.
func TestNoThrottle(t *testing.T) {
	th := newThrottle(Limits{}.withDefaults(), 0)
	for now := range int64(1000) {
		if d := th.wait(now*1000, time.Duration(now)*time.Second); d != 0 {
			t.Fatalf("waits %v", d)
		}
	}
}

// TestAccount sees that computing adds up from call to call, and that a call of the host begins a new stretch.
func TestAccount(t *testing.T) {
	var a account
	a.run(100)
	a.rest(130)
	a.rest(200)
	if a.spent() != 30 || a.stretch != 30 {
		t.Errorf("after a call: %d, a stretch of %d", a.spent(), a.stretch)
	}
	a.run(1000)
	a.pause(1100)
	a.since = 2000 // as after a yield
	a.thread = noThread
	a.pause(2200)
	if a.spent() != 330 || a.stretch != 300 {
		t.Errorf("after two yields: %d, a stretch of %d", a.spent(), a.stretch)
	}
	a.slept(250)
	if a.stretch != 50 {
		t.Errorf("a sleep leaves a stretch of %d", a.stretch)
	}
	a.thread = threadTime() - 7 // the thread had the processor for hardly longer
	a.since = 5000
	a.pause(1 << 40)
	if d := a.spent() - 330; threadTime() != noThread && d > time.Second || d < 7 {
		t.Errorf("a thread that waited is charged %v", d)
	}
}
