package channel

import (
	"context"
	"errors"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// What a command ends with when the driver gave no answer. Only ErrUnknown leaves open whether the device did it: with
// all others, nothing was sent.
var (
	// ErrNotReady: no session serves the channel.
	ErrNotReady = errors.New("the channel is not ready")
	// ErrQueueFull: too many commands wait.
	ErrQueueFull = errors.New("the channel's queue is full")
	// ErrExpired: the deadline was over before the driver took the command.
	ErrExpired = errors.New("the command expired before it was sent")
	// ErrCancelled: it was cancelled before the driver took it.
	ErrCancelled = errors.New("the command was cancelled before it was sent")
	// ErrGeneration: another generation of the handle serves the channel than the one that was to do it.
	ErrGeneration = errors.New("another generation serves the channel")
	// ErrNotServed: the handle has no such point or action.
	ErrNotServed = errors.New("the driver does not serve it")
	// ErrUnknown: the driver took the command, and its session or the deadline ended before it answered.
	ErrUnknown = errors.New("the command was sent, its outcome is unknown")
)

// Command is what a caller wants of the driver.
type Command struct {
	Request driver.Request
	// Deadline is when the driver is not given the command any more; it is told. Zero: in a minute.
	Deadline time.Time
	// Generation, unless 0, is the only one of the channel's handle that may do the command.
	Generation uint64
	// Report hears how far an action is, on the session's goroutine: it must not block. It may be nil.
	Report func(text string, fraction float64)
}

// Answer is what a driver answers to a command.
type Answer = component.Result[driver.Response, driver.CommandError]

// Submit queues a command: writes and actions as they came, then reads. It never blocks. The error is ErrNotReady,
// ErrQueueFull, ErrGeneration or ErrNotServed; later, Pending.Result has them too. While a swap is between two sessions,
// commands wait for the next one.
func (c *Channel) Submit(command Command) (*Pending, error) { return c.queue.push(command) }

// Call submits a command and waits for the driver's answer, or for the end of ctx, whose deadline takes the place of an
// empty one. Its errors are those of Submit and of Pending.Result.
func (c *Channel) Call(ctx context.Context, command Command) (Answer, error) {
	if deadline, ok := ctx.Deadline(); ok && command.Deadline.IsZero() {
		command.Deadline = deadline
	}
	p, err := c.Submit(command)
	if err != nil {
		return Answer{}, err
	}
	select {
	case <-p.Done():
	case <-ctx.Done():
		p.Abandon()
	}
	return p.Result()
}
