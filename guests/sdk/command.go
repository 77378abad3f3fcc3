package sdk

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// Command is something that somebody wants of the driver: to read points, to write points, or to do an action. It is
// answered once, by one of Answer..., ServeWrites or Fail; further answers are ignored. It may be answered after the
// call that brought it has returned. What is open when run ends is answered for the driver.
type Command struct {
	ctx       *Context
	id        uint64
	request   driver.Request
	deadline  time.Time
	begun     bool
	answered  bool
	cancelled bool
}

func (c *Context) newCommand(in driver.Command) *Command {
	cmd := &Command{ctx: c, id: in.ID, request: in.Request, deadline: c.deadline(duration(in.Deadline))}
	c.commands[in.ID] = cmd
	return cmd
}

// Request returns what is wanted.
func (c *Command) Request() driver.Request { return c.request }

// Remaining returns how long the caller still waits; never below 0. What was not sent by then must not be sent.
func (c *Command) Remaining() time.Duration { return duration(c.ctx.until(c.deadline)) }

// Expired says whether the caller waits no more.
func (c *Command) Expired() bool { return c.Remaining() == 0 }

// Cancelled says whether the caller does not want it any more. An answer is still due.
func (c *Command) Cancelled() bool {
	if !c.cancelled && !c.answered {
		c.ctx.look()
	}
	return c.cancelled
}

// Answered says whether the command was answered.
func (c *Command) Answered() bool { return c.answered }

// Progress says how far an action is, fraction from 0 to 1.
func (c *Command) Progress(text string, fraction float64) {
	if !c.answered {
		c.ctx.host.Progress(c.id, line(text), fraction)
	}
}

// AnswerRead answers a read with a sample each, in the order asked.
func (c *Command) AnswerRead(samples []Sample) {
	c.answer(component.OK[driver.CommandError](driver.ResponseRead(samples)))
}

// AnswerWrite answers a write with an error each, nil for done, in the order asked.
func (c *Command) AnswerWrite(errs []error) {
	results := make([]component.Result[component.Unit, driver.CommandError], len(errs))
	for i, err := range errs {
		if err != nil {
			results[i] = component.Err[component.Unit](commandErrorOf(err))
		}
	}
	c.answer(component.OK[driver.CommandError](driver.ResponseWrite(results)))
}

// AnswerInvoke answers an action with its result, JSON text.
func (c *Command) AnswerInvoke(result string) {
	c.answer(component.OK[driver.CommandError](driver.ResponseInvoke(clean(result))))
}

// ServeWrites does a write request in order by write, and answers it. Once the caller waits no more, or a stop came,
// what is left is not sent.
func (c *Command) ServeWrites(write func(PointID, Value) error) {
	requests := c.request.Write()
	errs := make([]error, len(requests))
	for i, r := range requests {
		switch {
		case c.Expired():
			errs[i] = NotSent(ErrTimeout)
		case c.Cancelled() || c.ctx.stopping:
			errs[i] = NotSent(ErrCancelled)
		default:
			errs[i] = write(r.Point, r.Value)
		}
	}
	c.AnswerWrite(errs)
}

// Fail answers with an error: one of Refused, Invalid, NotSent, Unknown, Unsupported. Of other errors, one with a code
// is a refusal, one of Decode is invalid, and anything else leaves the outcome unknown.
func (c *Command) Fail(err error) { c.answer(component.Err[driver.Response](commandErrorOf(err))) }

func (c *Command) answer(a component.Result[driver.Response, driver.CommandError]) {
	if c.answered {
		return
	}
	c.answered = true
	delete(c.ctx.commands, c.id)
	c.ctx.host.Reply(c.id, a)
}

// abandon answers the commands that are open at the end of run.
func (c *Context) abandon() {
	for _, id := range slices.Sorted(maps.Keys(c.commands)) {
		if cmd := c.commands[id]; cmd.begun {
			cmd.Fail(Unknown(ErrCancelled))
		} else {
			cmd.Fail(NotSent(ErrCancelled))
		}
	}
}

// commandError is an error that says why a command was not done.
type commandError struct {
	lowered driver.CommandError
	err     error
}

func (e *commandError) Error() string { return e.err.Error() }
func (e *commandError) Unwrap() error { return e.err }

// Refused says that the device refused it. The code is one of the driver's own.
func Refused(code string, err error) error {
	lowered := driver.CommandErrorRefused(component.Tuple2[string, string]{F0: clean(code), F1: line(err.Error())})
	return &commandError{lowered, err}
}

// Invalid says that the point cannot be written, or the value or the arguments do not fit.
func Invalid(err error) error {
	return &commandError{driver.CommandErrorInvalid(line(err.Error())), err}
}

// NotSent says that the deadline was over, or the device could not be reached; nothing was sent.
func NotSent(err error) error { return &commandError{driver.CommandErrorNotSent(ioCause(err)), err} }

// Unknown says that it was sent, and the outcome is not known.
func Unknown(err error) error { return &commandError{driver.CommandErrorUnknown(ioCause(err)), err} }

// Unsupported says that the driver has no such action.
func Unsupported() error {
	return &commandError{driver.CommandErrorUnsupported(), errors.New("not supported by this driver")}
}

func ioCause(err error) driver.IOError {
	if e, ok := errors.AsType[IOError](err); ok {
		return driver.IOError(e)
	}
	return driver.IOErrorOther
}

func commandErrorOf(err error) driver.CommandError {
	if e, ok := errors.AsType[*commandError](err); ok {
		return e.lowered
	}
	if _, ok := errors.AsType[*settingsError](err); ok {
		return driver.CommandErrorInvalid(line(err.Error()))
	}
	if code := codeOf(err); code != "" {
		return driver.CommandErrorRefused(component.Tuple2[string, string]{F0: clean(code), F1: line(err.Error())})
	}
	return driver.CommandErrorUnknown(ioCause(err))
}
