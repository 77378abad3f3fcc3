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
	swapCondemned                  // next was judged at the end of its trial, and was asked to yield
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
	last     time.Time        // when the last step ended
	verdict  *failure.Failure // of next's Judge
	parkedAt time.Time
}

// startSwap asks the running session to yield.
func (l *loop) startSwap(m replaceMessage) {
	l.swap = &swap{next: m.next, previous: l.connector, trial: m.trial, reply: m.reply, last: time.Now()}
	l.askToYield()
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

// trialOver keeps next, unless it has been judged not to do.
func (l *loop) trialOver() {
	s := l.swap
	if j, ok := s.next.(Judge); ok {
		s.verdict = j.Judge()
	}
	switch {
	case s.verdict == nil:
		s.step("trial")
		l.forget()
		l.endSwap(Swapped)
	case l.call != nil && l.call.step == stepRun && l.call.stage == stageRunning:
		s.stage = swapCondemned
		l.askToYield()
	default: // it is between two of its sessions
		l.trial.Reset(judgeAgain)
	}
}

// condemned rolls back when the run of a session that did not stand its trial has ended.
func (l *loop) condemned(c *call, r result) {
	if f := crash(c, r.err); f != nil {
		l.record(f, time.Now())
	}
	l.fail(l.swap.verdict)
}

// judgeAgain is when a trial that ended between two sessions is looked at again.
const judgeAgain = 100 * time.Millisecond

// askToYield asks the running session to yield. It has the yield's deadline for that.
func (l *loop) askToYield() {
	a := l.current.Load()
	a.gate.shut()
	close(a.yield)
	l.call.stage = stageYielding
	l.overdue.Reset(l.config.Deadlines.Yield)
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

func (s *swap) condemned() bool { return s != nil && s.stage == swapCondemned }

// reason is what the connected snapshot says of the swap.
func (s *swap) reason() string {
	if s == nil {
		return ""
	}
	switch s.stage {
	case swapTrial, swapCondemned:
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
