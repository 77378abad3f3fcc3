package supervise

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/droverhq/drover/runtime/failure"
)

// forceMargin is how long a call has to return after it was ended by force.
const forceMargin = time.Second

// step is a call into a connector or a session.
type step uint8

const (
	stepConnect step = iota
	stepInit
	stepRun
	stepClose
)

func (s step) String() string { return [...]string{"connect", "init", "run", "close"}[s] }

// phase is where a failure of this step belongs. Closing belongs to the run.
func (s step) phase() failure.Phase {
	return [...]failure.Phase{failure.PhaseConnect, failure.PhaseInit, failure.PhaseRun, failure.PhaseRun}[s]
}

// stage is how urgently a call is wanted to return. The overdue timer leads from one to the next.
type stage uint8

const (
	stageRunning  stage = iota
	stageYielding       // asked to yield
	stageAsked          // its context is done
	stageForced         // whatever can be ended by force is being ended
	stageStuck          // given up: recorded as a failure, and in the way of all that follows
)

// call is a call in progress, on a goroutine of its own.
type call struct {
	step    step
	stage   stage
	held    bool // a close of the held session
	started time.Time
	ctx     *Context
	cancel  context.CancelCauseFunc
	force   context.CancelFunc // ends ctx.Forced
}

// waiting says whether nobody has cancelled the call yet.
func (c *call) waiting() bool { return c.stage == stageRunning || c.stage == stageYielding }

// expired says whether the phase's own deadline has ended the call.
func (c *call) expired() bool {
	return c.ctx.Err() != nil && errors.Is(context.Cause(c.ctx), context.DeadlineExceeded)
}

// result is what a call returned.
type result struct {
	session Session
	handle  Handle
	outcome Outcome
	err     error
}

func (l *loop) startConnect(a *attempt) {
	connector := a.connector
	l.start(stepConnect, a, l.config.Deadlines.Connect, func(ctx *Context) (r result) {
		r.session, r.err = connector.Connect(ctx)
		if r.err == nil && r.session == nil {
			r.err = errors.New("the connector returned neither a session nor an error")
		}
		return r
	})
}

func (l *loop) startInit() {
	session := l.session
	l.start(stepInit, l.current.Load(), l.config.Deadlines.Init, func(ctx *Context) (r result) {
		r.handle, r.err = session.Init(ctx)
		return r
	})
}

func (l *loop) startRun() {
	session := l.session
	l.start(stepRun, l.current.Load(), 0, func(ctx *Context) (r result) {
		r.outcome, r.err = session.Run(ctx)
		return r
	})
}

func (l *loop) startClose(session Session, keep, held bool) {
	l.start(stepClose, l.current.Load(), 0, func(*Context) result { return result{err: session.Close(keep)} })
	l.call.held = held
	l.call.stage = stageAsked
	l.overdue.Reset(l.config.Deadlines.Stop)
}

// start makes a call with a deadline; 0 is none. Its result comes back as a message.
func (l *loop) start(s step, a *attempt, limit time.Duration, f func(*Context) result) {
	ctx, cancel := context.WithCancelCause(context.Background())
	release := context.CancelFunc(func() {})
	if limit > 0 {
		ctx, release = context.WithTimeout(ctx, limit)
		l.overdue.Reset(limit)
	}
	log := l.config.Logger.With("channel", l.config.Name, "attempt", a.number, "phase", string(s.phase()))
	forced, force := context.WithCancel(context.Background())
	c := &call{step: s, started: time.Now(), cancel: cancel, force: force}
	c.ctx = &Context{Context: ctx, attempt: a, phase: s.phase(), log: log, forced: forced}
	l.call = c
	l.calls.Go(func() {
		defer release()
		l.guard(c.ctx, f)
	})
}

// guard reports what f returned. A panic becomes a failure, and so does a goroutine that is ended from within.
func (l *loop) guard(ctx *Context, f func(*Context) result) {
	r := result{err: failure.New(ctx.phase, failure.HostPanic, "the session ended its goroutine")}
	defer func() {
		if v := recover(); v != nil {
			p := failure.New(ctx.phase, failure.HostPanic, fmt.Sprint("panic: ", v))
			p.Detail = string(debug.Stack())
			r = result{err: p}
		}
		l.messages <- resultMessage{r}
	}()
	r = f(ctx)
}

// ask cancels the call; it has the stop deadline to return.
func (l *loop) ask(cause error) {
	l.call.cancel(cause)
	l.call.stage = stageAsked
	l.overdue.Reset(l.config.Deadlines.Stop)
}

// escalate is called when the call has used up what its stage allows.
func (l *loop) escalate() {
	switch c := l.call; c.stage {
	case stageRunning: // the phase's own deadline, at which its context is done by itself
		l.force(l.config.Deadlines.Stop)
	case stageYielding:
		l.ask(ErrYield)
	case stageAsked:
		l.force(forceMargin)
	case stageForced:
		c.stage = stageStuck
		l.stuck(c)
	case stageStuck:
	}
}

func (l *loop) force(grace time.Duration) {
	l.call.stage = stageForced
	l.call.force()
	l.overdue.Reset(grace)
}

// verdict returns the failure that a call ended with, or nil.
func verdict(c *call, err error) *failure.Failure {
	switch {
	case err == nil && !c.expired():
		return nil
	case err == nil:
		return failure.New(c.step.phase(), failure.LimitDeadline, fmt.Sprintf("%s returned after its deadline", c.step))
	default:
		return classify(c, err)
	}
}

// classify finds the failure in err: its own, the connector's opinion, our deadline, or host.panic.
func classify(c *call, err error) *failure.Failure {
	phase := c.step.phase()
	if _, ok := errors.AsType[*failure.Failure](err); ok {
		return failure.From(phase, err)
	}
	if cl, ok := c.ctx.attempt.connector.(Classifier); ok {
		if f := cl.Classify(phase, err); f != nil {
			return failure.From(phase, f)
		}
	}
	if c.expired() && errors.Is(err, context.DeadlineExceeded) {
		f := failure.New(phase, failure.LimitDeadline, fmt.Sprintf("%s did not end within its deadline", c.step))
		f.Cause = err
		return f
	}
	return failure.From(phase, err)
}
