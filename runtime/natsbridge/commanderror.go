package natsbridge

import (
	"errors"
	"fmt"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/supervise"
)

// deviceError is what the caller is told of what a driver could not do.
func deviceError(e driver.CommandError, verb string) *message.Error {
	switch e.Tag() {
	case driver.CommandErrorTagRefused:
		refused := e.Refused()
		return &message.Error{Status: 502, Code: message.DevicePrefix + refused.F0, Message: oneLine(refused.F1)}
	case driver.CommandErrorTagInvalid:
		return message.ErrInvalid.With(oneLine(e.Invalid()))
	case driver.CommandErrorTagNotSent:
		return notSent(e.NotSent())
	case driver.CommandErrorTagUnknown:
		return message.ErrUnknown.With(fmt.Sprintf("%s (io.%s)", message.ErrUnknown.Message, e.Unknown()))
	}
	switch verb {
	case "read":
		return message.ErrWriteOnly.With("the driver does not read on demand")
	case "write":
		return message.ErrReadOnly.With("the driver does not write")
	default:
		return message.ErrNotFound.With("the driver has no such action")
	}
}

// notSent is what the driver did not send, because of an I/O error or because the time was over.
func notSent(cause driver.IOError) *message.Error {
	switch cause {
	case driver.IOErrorTimeout:
		return message.ErrNeverSent
	case driver.IOErrorCancelled:
		return message.ErrNotReady.With("never sent: the session or the command was ended")
	default:
		return message.ErrNotReady.With(fmt.Sprintf("never sent: the device cannot be reached (io.%s)", cause))
	}
}

// notPermitted says that the node does not take such calls, and what would change that.
func notPermitted(verb string, policy CommandPolicy) *message.Error {
	return message.ErrNotPermitted.With(fmt.Sprintf("this node takes no %s: nats.commands is %q", verb, policy))
}

// mayBeSent says whether an error leaves it possible that something reached the device.
func mayBeSent(e *message.Error) bool {
	return e == nil || e.Status == 500 || e.Status == 502
}

// notReady says how the channel is, and when it is tried again.
func notReady(channel string, s supervise.Snapshot) *message.Error {
	text := fmt.Sprintf("channel %q is %s", channel, s.State)
	switch s.State {
	case supervise.Disconnected, supervise.Connecting, supervise.Initializing:
		text = fmt.Sprintf("channel %q is starting (%s)", channel, s.State)
	case supervise.Connected:
		text = fmt.Sprintf("channel %q is between two sessions", channel)
	}
	if s.LastFailure != nil && s.State != supervise.Stopped {
		text += fmt.Sprintf(": %s: %s", s.LastFailure.Code, s.LastFailure.Summary)
	}
	if left := time.Until(s.NextRetry); !s.NextRetry.IsZero() && left > 0 {
		text += fmt.Sprintf(", again in %s", left.Round(100*time.Millisecond))
	}
	e := message.ErrNotReady.With(oneLine(text))
	e.State, e.NextRetry = s.State.String(), message.Time{Time: s.NextRetry}
	return e
}

// explain says how the channel is where that is why the queue did not take, or keep, a command.
func (j *job) explain(err error) error {
	switch {
	case errors.Is(err, message.ErrNotReady):
		return notReady(j.channel, j.served.Snapshot())
	case errors.Is(err, message.ErrNeverSent) && j.calls.ctx.Err() != nil:
		return message.ErrNotReady.With("never sent: the node is stopping")
	}
	return err
}
