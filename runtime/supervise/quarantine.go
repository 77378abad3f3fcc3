package supervise

import (
	"fmt"
	"slices"
	"time"

	"github.com/droverhq/drover/runtime/failure"
)

// Quarantine ends a channel that crashes often: Crashes failures within Window whose code counts as a crash.
type Quarantine struct {
	// Crashes is how many; default 5, below 0 never.
	Crashes int
	// Window is how close together. Default 10 min.
	Window time.Duration
}

// CrashLoop is why a channel is quarantined.
type CrashLoop struct {
	// Reason says it in one line.
	Reason string
	// Crashes is how many there were within Window.
	Crashes int
	Window  time.Duration
	// Since is when the channel was quarantined.
	Since time.Time
	// LastFailure is the record of the last crash.
	LastFailure failure.Record
}

// countCrash says whether the crash that happens now is one too many.
func (l *loop) countCrash() bool {
	now, q := time.Now(), l.config.Quarantine
	l.crashes = slices.DeleteFunc(l.crashes, func(t time.Time) bool { return now.Sub(t) >= q.Window })
	l.crashes = append(l.crashes, now)
	return q.Crashes > 0 && len(l.crashes) >= q.Crashes
}

// quarantine ends the channel for the crashes that were counted, of which f is the last.
func (l *loop) quarantine(f *failure.Failure) {
	l.record(f, time.Time{})
	c := CrashLoop{
		Crashes: len(l.crashes), Window: l.config.Quarantine.Window, Since: time.Now(), LastFailure: *l.lastFailure,
	}
	c.Reason = fmt.Sprintf("%d crashes within %s, the last %s", c.Crashes, c.Window, f.Code)
	l.config.Observer.Quarantined(c)
	l.show(Quarantined, c.Reason)
}

// restore shows the quarantine of an earlier life, if there is one.
func (l *loop) restore() {
	c := l.crashLoop
	l.crashLoop = nil
	if c == nil || l.intent != intentNone {
		return
	}
	l.due = false
	l.lastFailure = &c.LastFailure
	n := l.snapshot
	n.State, n.Since, n.Reason, n.LastFailure = Quarantined, c.Since, c.Reason, l.lastFailure
	l.tell(n)
}
