package natsbridge

import (
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
)

// Commands finds the channels that commands are for.
type Commands interface {
	// Channel returns a configured channel. The error is a *message.Error: ErrNotFound, or ErrNotReady where the channel
	// cannot take anything yet.
	Channel(name string) (CommandChannel, error)
}

// CommandChannel takes the commands of one channel. Nothing in here blocks.
type CommandChannel interface {
	Snapshot() supervise.Snapshot
	// Device returns a device's number and points; false where the channel has no such device.
	Device(name string) (driver.DeviceID, []CommandPoint, bool)
	// CheckArguments says whether an action is served and takes these arguments. The error is a *message.Error.
	CheckArguments(r driver.ActionRequest) error
	// Submit queues a command. The errors are those of Pending.Result.
	Submit(c Command) (Pending, error)
}

// CommandPoint is a configured point and the number by which the driver knows it.
type CommandPoint struct {
	ID driver.PointID
	*point.Point
}

// Command is what is wanted of a driver.
type Command struct {
	Request driver.Request
	// Deadline is when it is not sent any more.
	Deadline time.Time
	// Generation, unless 0, is the only one that may do it.
	Generation uint64
	// Report hears how far an action is, on the session's goroutine: it must not block. It may be nil.
	Report func(text string, fraction float64)
}

// CommandAnswer is what a driver answers to a command.
type CommandAnswer = component.Result[driver.Response, driver.CommandError]

// Pending is a command that was submitted.
type Pending interface {
	// Done is closed when there is a result: the driver answered, or never will.
	Done() <-chan struct{}
	// Result is the driver's answer, once done. The errors are *message.Error: ErrNotReady, ErrBusy, ErrGeneration,
	// ErrNotFound, ErrCancelled and ErrNeverSent say that nothing was sent, ErrUnknown that it may have been.
	Result() (CommandAnswer, error)
	// Taken is when the driver took it; zero before that.
	Taken() time.Time
	// Cancel takes it back, with ErrCancelled, unless the driver has it: then the driver is told and still answers.
	Cancel()
	// Abandon ends the wait: it is done when this returns.
	Abandon()
}

// CommandPolicy says which calls a node takes.
type CommandPolicy string

// The policies. Looks (get.*) are always answered.
const (
	// CommandsAll takes everything: read, write, invoke, cancel and ctl.
	CommandsAll CommandPolicy = "all"
	// CommandsRead takes read.
	CommandsRead CommandPolicy = "read"
	// CommandsNone takes no command.
	CommandsNone CommandPolicy = "none"
)

// permits says whether calls of a verb are taken: read, write, invoke, cancel, ctl or get.
func (p CommandPolicy) permits(verb string) bool {
	switch verb {
	case "get":
		return true
	case "read":
		return p != CommandsNone
	default:
		return p == CommandsAll
	}
}
