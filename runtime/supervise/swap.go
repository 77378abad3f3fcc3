package supervise

import (
	"time"

	"github.com/droverhq/drover/runtime/failure"
)

// swapStage is how far a swap has come.
type swapStage uint8

const (
	swapYielding  swapStage = iota // the old session was asked to yield
	swapBringing                   // next is being brought up
	swapTrial                      // next runs
	swapRestoring                  // next has failed, and the previous one is being brought up again
)

// swap is a Replace in progress. A nil swap is none.
type swap struct {
	next     Connector
	previous Connector
	trial    time.Duration
	stage    swapStage
	report   Report
	reply    chan<- replaced
	last     time.Time // when the last step ended
	parkedAt time.Time
}

// startSwap asks the running session to yield.
func (l *loop) startSwap(m replaceMessage) {
	l.swap = &swap{next: m.next, previous: l.connector, trial: m.trial, reply: m.reply, last: time.Now()}
	a := l.current.Load()
	a.gate.shut()
	close(a.yield)
	l.call.stage = stageYielding
	l.overdue.Reset(l.config.Deadlines.Yield)
	l.show(Connected, l.swap.reason())
}

// yielded brings next up when the old run has ended, whether it yielded or had to be ended.
func (l *loop) yielded(c *call, r result) {
	s := l.swap
	s.report.Yielded = r.err == nil && r.outcome.kind == outcomeYielded && c.stage != stageForced
	l.keep = s.report.Yielded
	s.stage = swapBringing
	l.parkForSwap()
	if f := crash(c, r.err); f != nil {
		l.record(f, time.Now())
	}
	l.connector, l.due = s.next, true
	l.show(Connected, s.reason())
}

func (l *loop) parkForSwap() {
	if l.handle == handlePublished {
		l.swap.parkedAt = time.Now()
		l.park()
	}
}

// ready publishes the handle, which may be the end of a swap.
func (l *loop) ready(h Handle) {
	s := l.swap
	if s != nil && l.handle == handleParked {
		s.report.Parked += time.Since(s.parkedAt)
	}
	l.publish(h)
	switch {
	case s == nil:
		l.show(Connected, "")
	case s.stage == swapRestoring:
		s.report.Restored = true
		l.endSwap(RolledBack)
	case s.stage == swapBringing && s.trial == 0:
		l.forget()
		l.endSwap(Swapped)
	case s.stage == swapBringing:
		s.stage = swapTrial
		l.trial.Reset(s.trial)
		l.show(Connected, s.reason())
	default: // reconnected by request during the trial
		l.show(Connected, s.reason())
	}
}

// trialOver keeps next.
func (l *loop) trialOver() {
	l.swap.step("trial")
	l.forget()
	l.endSwap(Swapped)
}

// endSwap ends the swap with a verdict, and shows that a running session is an ordinary one now.
func (l *loop) endSwap(r Result) {
	s := l.swap
	l.swap = nil
	l.trial.Stop()
	if l.handle == handlePublished {
		l.show(Connected, "")
	}
	s.answer(r, nil)
}

// abandonSwap ends the swap without a verdict and keeps the previous connector.
func (l *loop) abandonSwap(why error) {
	s := l.swap
	if s == nil {
		return
	}
	l.swap = nil
	l.trial.Stop()
	l.connector = s.previous
	if l.handle == handleParked {
		l.revoke()
	}
	s.answer(Abandoned, why)
}

// rollBack takes a failure of next as the reason to bring the previous connector back, and says whether it did.
func (l *loop) rollBack(f *failure.Failure) bool {
	s := l.swap
	if s == nil || s.stage == swapRestoring {
		return false
	}
	s.stage, s.report.Why = swapRestoring, f
	l.trial.Stop()
	l.parkForSwap()
	l.record(f, time.Now())
	l.connector, l.due = s.previous, true
	l.show(Reconnecting, s.reason())
	return true
}

func (s *swap) answer(r Result, err error) {
	s.report.Result = r
	s.reply <- replaced{s.report, err}
}

func (s *swap) yielding() bool { return s != nil && s.stage == swapYielding }

// takeover says whether the attempt that begins now takes over from the session that yielded.
func (s *swap) takeover() bool { return s != nil && s.report.Yielded && s.stage != swapTrial }

// reason is what the connected snapshot says of the swap.
func (s *swap) reason() string {
	if s == nil {
		return ""
	}
	switch s.stage {
	case swapTrial:
		return "trial"
	case swapRestoring:
		return "roll-back"
	default:
		return "swap"
	}
}

// mark notes a call that has returned as a step.
func (s *swap) mark(c step) {
	switch {
	case s == nil:
	case c != stepRun:
		s.step(c.String())
	case s.stage == swapYielding:
		s.step("yield")
	default:
		s.step("trial")
	}
}

func (s *swap) step(name string) {
	now := time.Now()
	s.report.Steps = append(s.report.Steps, Step{Name: name, Duration: now.Sub(s.last)})
	s.last = now
}
