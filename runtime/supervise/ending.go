package supervise

import (
	"errors"
	"fmt"
	"time"

	"github.com/droverhq/drover/runtime/failure"
)

// apply takes what a call returned. advance then closes the session if no further call was started here.
func (m resultMessage) apply(l *loop) {
	c := l.call
	l.call = nil
	l.overdue.Stop()
	c.cancel(nil)
	l.swap.mark(c.step)
	if c.stage == stageStuck {
		c.ctx.log.Warn("a call has returned at last", "call", c.step.String(), "after", time.Since(c.started))
	}
	switch c.step {
	case stepConnect:
		l.connected(c, m.result)
	case stepInit:
		l.initialized(c, m.result)
	case stepRun:
		l.ended(c, m.result)
	case stepClose:
		l.closed(c, m.err)
	}
}

func (l *loop) connected(c *call, r result) {
	if r.err == nil {
		l.session = r.session
	}
	if l.unwanted(c, r.err) {
		return
	}
	l.show(Initializing, "")
	l.startInit()
}

func (l *loop) initialized(c *call, r result) {
	if l.unwanted(c, r.err) {
		return
	}
	l.ready(r.handle)
	l.startRun()
}

// unwanted handles the result of connect or init if it does not lead to the next phase.
func (l *loop) unwanted(c *call, err error) bool {
	f := verdict(c, err)
	switch {
	case c.stage == stageStuck: // recorded when it was given up
	case l.intent != intentNone:
		l.interrupted(c, err)
	case f != nil:
		l.fail(f)
	default:
		return false
	}
	return true
}

func (l *loop) ended(c *call, r result) {
	l.current.Load().gate.shut()
	if time.Since(l.readyAt) >= l.config.Policy.StableAfter {
		l.budget.reset()
	}
	switch {
	case c.stage == stageStuck: // revoked and recorded when it was given up
	case l.intent != intentNone:
		l.interrupted(c, r.err)
	case l.swap.yielding():
		l.yielded(c, r)
	case l.swap.condemned():
		l.condemned(c, r)
	case r.err == nil && r.outcome.kind == outcomeReconnect:
		l.reason = r.outcome.reason
		l.again()
	default:
		l.fail(loss(c, r))
	}
}

// loss returns the failure that a run ended with.
func loss(c *call, r result) *failure.Failure {
	switch {
	case r.err != nil:
		return classify(c, r.err)
	case r.outcome.kind == outcomeFatal && r.outcome.failure != nil:
		f := failure.From(failure.PhaseRun, r.outcome.failure)
		f.Kind = failure.Fatal
		return f
	case r.outcome.kind == outcomeFatal:
		return &failure.Failure{
			Phase: failure.PhaseRun, Kind: failure.Fatal, Code: failure.DriverOther, Summary: "fatal, without a report",
		}
	case r.outcome.kind == outcomeYielded:
		return failure.New(failure.PhaseRun, failure.DriverOther, "the session yielded without being asked")
	default:
		return failure.New(failure.PhaseRun, failure.IOClosed, "the session lost its device")
	}
}

// interrupted handles the end of a call that we asked to end: what it returned matters only if it is a crash. One that
// asks for a reconnect and then crashes has no more attempts than others.
func (l *loop) interrupted(c *call, err error) {
	f := crash(c, err)
	if f != nil && l.intent == intentReconnect {
		l.intent, l.reason = intentNone, ""
		l.fail(f)
		return
	}
	visible := l.handle != handleNone
	l.revoke()
	if f != nil {
		l.countCrash()
		l.record(f, time.Time{})
	}
	switch {
	case l.intent == intentReconnect:
		l.again()
	case l.intent == intentRestart && visible:
		l.show(Reconnecting, "restart")
	case visible:
		l.show(Disconnected, "stopping")
	}
}

// crash returns the failure that err holds if its code counts as a crash.
func crash(c *call, err error) *failure.Failure {
	f, ok := errors.AsType[*failure.Failure](err)
	if !ok || !f.Code.Crash() {
		return nil
	}
	return classify(c, err)
}

// again makes a requested reconnect: at once, or after the floor delay when the last one is not long ago.
func (l *loop) again() {
	l.revoke()
	l.config.Observer.ReconnectRequested(l.attempts, l.reason)
	now, policy := time.Now(), l.config.Policy
	delay := time.Duration(0)
	if !l.requestedAt.IsZero() && now.Sub(l.requestedAt) < policy.StableAfter {
		delay = policy.ReconnectFloor
	}
	l.requestedAt = now
	l.retry.Reset(delay)
	l.wait(l.reason, delay, now.Add(delay))
}

// closed takes note of a session that is closed.
func (l *loop) closed(c *call, err error) {
	if err != nil {
		c.ctx.log.Warn("closing a session failed", "error", err)
	}
	switch {
	case c.held:
		l.held = nil
	default:
		if l.keep {
			l.held = l.session
		}
		l.session, l.keep = nil, false
	}
}

// fail makes the one record of a failure and decides what follows.
func (l *loop) fail(f *failure.Failure) {
	if l.rollBack(f) {
		return
	}
	l.revoke()
	if s := l.swap; s != nil { // the previous connector failed, too
		l.swap = nil
		defer s.answer(RolledBack, nil)
	}
	quarantined := f.Code.Crash() && l.countCrash()
	switch {
	case f.Kind == failure.Stop:
		l.giveUp(f, Disconnected, string(f.Code))
		l.reason = string(f.Code)
		l.end(intentStop, ErrStop)
	case f.Kind == failure.Fatal:
		l.giveUp(f, Failed, string(f.Code))
	case quarantined:
		l.quarantine(f)
	default:
		l.tryAgain(f)
	}
}

func (l *loop) giveUp(f *failure.Failure, s State, reason string) {
	l.record(f, time.Time{})
	l.show(s, reason)
}

// tryAgain schedules the next attempt if the budgets allow one.
func (l *loop) tryAgain(f *failure.Failure) {
	now := time.Now()
	delay, exhausted := l.budget.take(now)
	if exhausted != "" {
		l.giveUp(f, Failed, exhausted)
		return
	}
	l.retry.Reset(delay)
	next, reason := now.Add(delay), string(f.Code)
	if l.call != nil { // stuck
		next, reason = time.Time{}, stuckReason(l.call)
	}
	l.record(f, next)
	l.wait(reason, delay, next)
}

// wait tells that the next attempt starts after the delay: at next, which is zero where it is not known.
func (l *loop) wait(reason string, delay time.Duration, next time.Time) {
	if delay > 0 && !next.IsZero() {
		l.config.Observer.Backoff(Wait{Attempt: l.attempts, Reason: reason, Delay: delay, Until: next})
	}
	l.showRetry(Reconnecting, reason, delay, next)
}

func stuckReason(c *call) string { return "stuck: " + c.step.String() + " does not return" }

// stuck gives up a call that has not returned even after it was ended by force. It stays in the way of all that
// follows until it returns, because it may still hold the port.
func (l *loop) stuck(c *call) {
	f := failure.New(c.step.phase(), failure.LimitDeadline,
		fmt.Sprintf("%s has not returned after %s", c.step, time.Since(c.started)))
	l.abandonSwap(ErrStuck)
	l.revoke()
	switch {
	case l.intent == intentStop:
		l.giveUp(f, Disconnected, stuckReason(c))
		for _, reply := range l.stoppers {
			reply <- ErrStuck
		}
		l.stoppers = nil
	case l.intent == intentNone && c.step != stepClose:
		l.fail(f)
	case l.intent == intentNone: // what follows was decided before the close
		l.countCrash()
		l.giveUp(f, l.afterwards(), stuckReason(c))
	default:
		l.countCrash()
		l.due = true
		l.giveUp(f, Reconnecting, stuckReason(c))
	}
}

// afterwards returns the state while a close is stuck: what was decided before it, and never connected.
func (l *loop) afterwards() State {
	if l.snapshot.State == Failed || l.snapshot.State == Quarantined {
		return l.snapshot.State
	}
	return Reconnecting
}
