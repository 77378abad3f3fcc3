package natsbridge

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/tracing"
)

// longestBody is how long the body of a command may be.
const longestBody = 64 << 10

// plan is what one verb makes of a command and of the driver's answer.
type plan interface {
	// request is what the driver is given.
	request(j *job) driver.Request
	// finish makes the answer to the caller. An answer and an error both: it was done in part.
	finish(j *job, a driver.Response) (any, error)
	// ended is told what the caller is.
	ended(j *job, result any, err *message.Error)
}

// job is one command on its way from the caller to the driver and back.
type job struct {
	calls    *calls
	endpoint *endpoint
	route
	commandHeader
	body []byte
	asker
	arrived time.Time
	served  CommandChannel
	plan    plan
	keyed   *keyed // nil without a key
	pending Pending
	taken   time.Time
	action  *action // nil for others
	span    tracing.Span
}

// command starts one command and never blocks: it is in the channel's queue, or answered, when it returns. So the writes
// of a caller are queued in the order in which they were sent.
func (c *calls) command(e *endpoint, r micro.Request) {
	j := &job{calls: c, endpoint: e, body: r.Data(), asker: c.askerOf(r), arrived: time.Now()}
	if !c.enter(e) {
		j.end(nil, message.ErrBusy)
		return
	}
	err := errAnswered
	j.guard(func() { err = j.start(r) })
	switch {
	case err == nil:
		go func() {
			defer c.leave(e)
			j.guard(j.wait)
		}()
		return
	case !errors.Is(err, errAnswered):
		j.end(nil, err)
	}
	c.leave(e)
}

// errAnswered says that a command needs no more: it is answered, or is with the first of its key.
var errAnswered = errors.New("answered")

// guard runs f. A panic in it is our bug: this command fails, the node lives.
func (j *job) guard(f func()) {
	defer func() {
		if p := recover(); p != nil {
			j.calls.bridge.config.Logger.Error("a command panicked", "channel", j.channel, "verb", j.verb,
				"panic", p, "stack", string(debug.Stack()))
			if j.pending != nil {
				j.pending.Abandon()
			}
			if j.action != nil {
				j.calls.actions.remove(j.action)
			}
			j.plan = nil
			j.end(nil, message.ErrInternal)
		}
	}()
	f()
}

// start reads the command and hands it to the channel.
func (j *job) start(r micro.Request) error {
	if err := j.read(r); err != nil {
		return err
	}
	if err := j.claim(r); err != nil {
		return err
	}
	j.trace(r.Headers())
	made, err := j.planned()
	j.plan = made
	if err != nil {
		return err
	}
	command := Command{Request: made.request(j), Deadline: j.deadline, Generation: j.generation}
	if j.action != nil {
		command.Report = j.action.report
	}
	if j.pending, err = j.served.Submit(command); err != nil {
		return j.explain(err)
	}
	if j.action != nil {
		j.calls.actions.add(j.action, j.pending)
	}
	return nil
}

// planned is what the verb makes of a command that was read.
func (j *job) planned() (plan, error) {
	switch j.verb {
	case "read":
		return planRead(j)
	case "write":
		return planWrite(j)
	default:
		return planInvoke(j)
	}
}

// read reads subject and headers, and finds the channel.
func (j *job) read(r micro.Request) error {
	config := &j.calls.bridge.config
	if !config.CommandPolicy.permits(j.endpoint.name) {
		return notPermitted(j.endpoint.name, config.CommandPolicy)
	}
	var err error
	if j.route, err = routeOf(r.Subject()[len(config.CallPrefix)+len(config.Node)+2:]); err != nil {
		return err
	}
	if j.commandHeader, err = readHeader(r.Headers(), j.arrived); err != nil {
		return err
	}
	if len(j.body) > longestBody {
		return message.ErrBody.With(fmt.Sprintf("the body has %d bytes, more than %d", len(j.body), longestBody))
	}
	if config.Commands == nil || !message.ValidChannel(j.channel) {
		return message.ErrNotFound.With(fmt.Sprintf("no channel %q", j.channel))
	}
	j.served, err = config.Commands.Channel(j.channel)
	return err
}

func (j *job) noDevice() *message.Error {
	return message.ErrNotFound.With(fmt.Sprintf("channel %q has no device %q", j.channel, j.device))
}

func (j *job) noPoint(name string) *message.Error {
	return message.ErrNotFound.With(fmt.Sprintf("device %q of channel %q has no point %q", j.device, j.channel, name))
}
