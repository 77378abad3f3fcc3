package sdk

import (
	"errors"
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// Loop is the run of a session that polls, serves commands, or listens on streams: it waits for whichever is first and
// calls the function for it. Commands go ahead of polls, and, by Context.ServeCommands, between the requests of one.
// Functions that are nil are not called. Each is called within Context.Hold, so that a yield lets a request and its
// answer finish; long ones look at Context.Yielding in between.
//
// An error of a function ends the run with it, unless a stop or a yield is why: then the outcome is that. What a
// function adds to its batch is published when it returns, also with an error.
type Loop struct {
	// Scheduler says when to poll; nil polls nothing.
	Scheduler *Scheduler
	// Poll reads the points of one group. Points and devices that cannot be read are not errors but bad samples.
	Poll func(ctx *Context, g *Group, out *Batch) error
	// Command does what somebody wants. A command may be answered later; one that is open when Command returns an error
	// is answered with it. Without Command, all are answered as unsupported.
	Command func(ctx *Context, cmd *Command) error
	// Cancel hears that the caller of an open command does not want it any more.
	Cancel func(ctx *Context, cmd *Command) error
	// Streams are waited for, Readable is called when one has something to read, and must read it.
	Streams  []*Stream
	Readable func(ctx *Context, s *Stream, out *Batch) error
	// Yield is called when the host wants the session to yield and nothing is on the wire: it saves the state.
	Yield func(ctx *Context) error
}

// maxCommands is how many commands in a row go ahead of a poll that is due.
const maxCommands = 16

// Run drives the session until its end. The gauge `overruns` of a device counts the poll cycles that were skipped.
func (l *Loop) Run(ctx *Context) (Outcome, error) {
	r := &loopRun{Loop: l, ctx: ctx, batch: NewBatch(ctx)}
	if r.Scheduler == nil {
		r.Scheduler = NewScheduler(nil, ctx.Now())
	}
	r.overruns = newOverruns(r.Scheduler)
	r.batch.reserve(r.Scheduler.largest())
	ctx.serve = r.command
	defer func() { ctx.serve = nil }()
	for {
		if outcome, done, err := r.step(); done || err != nil {
			outcome, err = r.end(outcome, err)
			r.overruns.tell(ctx)
			return outcome, err
		}
	}
}

// loopRun is the state of one Run.
type loopRun struct {
	*Loop
	ctx      *Context
	batch    *Batch
	due      []*Group // still to be polled in this round
	commands int      // in a row
	dropped  uint64
	overruns *overruns
}

// step waits for one thing and does it.
func (r *loopRun) step() (Outcome, bool, error) {
	timeout := time.Duration(0)
	if len(r.due) == 0 {
		timeout = r.schedule()
	}
	e := r.ctx.Wait(timeout, r.Streams...)
	if e.Kind == driver.EventTagTimeout && timeout > 0 {
		r.schedule()
	}
	switch e.Kind {
	case driver.EventTagStop:
		return Disconnected(), true, nil
	case driver.EventTagYield:
		return r.yield()
	}
	err := r.serve(e)
	if err == nil && r.pollNow(e) {
		err = r.poll()
	}
	return Outcome{}, false, err
}

// schedule finds out what is due now, or in how long something is.
func (r *loopRun) schedule() (wait time.Duration) {
	now := r.ctx.Now()
	r.due, wait = r.Scheduler.Next(now)
	r.overruns.count(r.ctx, r.due, now)
	if len(r.due) > 0 {
		return 0
	}
	return wait
}

// pollNow says whether a poll is due and its turn has come after this event.
func (r *loopRun) pollNow(e Event) bool {
	if e.Kind == driver.EventTagCommand {
		r.commands++
	} else {
		r.commands = 0
	}
	return len(r.due) > 0 && (e.Kind != driver.EventTagCommand || r.commands%maxCommands == 0)
}

func (r *loopRun) serve(e Event) error {
	switch e.Kind {
	case driver.EventTagWritable:
		return r.publish()
	case driver.EventTagCommand:
		return r.command(e.Command)
	case driver.EventTagCancel:
		if r.Cancel != nil {
			return r.Cancel(r.ctx, e.Command)
		}
	case driver.EventTagReadable:
		if r.Readable != nil {
			r.ctx.Hold()
			err := r.Readable(r.ctx, e.Stream, r.batch)
			r.ctx.Release()
			return r.published(err)
		}
	}
	return nil
}

func (r *loopRun) poll() error {
	g := r.due[0]
	r.due = r.due[1:]
	if r.Poll == nil {
		return nil
	}
	r.ctx.Hold()
	err := r.Poll(r.ctx, g, r.batch)
	r.ctx.Release()
	return r.published(err)
}

func (r *loopRun) command(cmd *Command) error {
	if cmd.Answered() {
		return nil
	}
	r.ctx.serving = true
	defer func() { r.ctx.serving = false }()
	if r.Command == nil {
		cmd.Fail(Unsupported())
		return nil
	}
	r.ctx.Hold()
	err := r.Command(r.ctx, cmd)
	r.ctx.Release()
	if err != nil {
		cmd.Fail(err)
	}
	return err
}

// published publishes the batch after a function ended with err, which goes first. While the host has no room, the batch
// waits for `writable`: asking again and again is what the host ends a driver for.
func (r *loopRun) published(err error) error {
	if r.batch.Backlog() > 0 {
		r.batch.shelve()
		r.tellDropped()
		return err
	}
	if e := r.publish(); err == nil {
		return e
	}
	return err
}

func (r *loopRun) publish() error {
	defer r.tellDropped()
	return r.batch.Publish()
}

// tellDropped logs the first samples that were dropped.
func (r *loopRun) tellDropped() {
	if r.dropped == 0 && r.batch.Dropped() > 0 {
		r.ctx.Log().Warn("samples dropped: the host has no room", "backlog", r.batch.Backlog())
	}
	r.dropped = r.batch.Dropped()
}

func (r *loopRun) yield() (Outcome, bool, error) {
	if err := r.publish(); err != nil {
		return Outcome{}, true, err
	}
	if r.Yield != nil {
		if err := r.Yield(r.ctx); err != nil {
			return Outcome{}, true, err
		}
	}
	return Yielded(), true, nil
}

// end decides what an error means while the host wants the session to end.
func (r *loopRun) end(outcome Outcome, err error) (Outcome, error) {
	if !errors.Is(err, ErrCancelled) {
		return outcome, err
	}
	if r.ctx.Stopping() {
		return Disconnected(), nil
	}
	if r.ctx.Yielding() {
		outcome, _, err = r.yield()
	}
	return outcome, err
}
