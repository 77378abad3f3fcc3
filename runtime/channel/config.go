package channel

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
	"github.com/droverhq/drover/runtime/tracing"
)

// Config says what a channel runs and what it serves.
type Config struct {
	// Name is a token ([A-Za-z0-9_-]+).
	Name string
	// Edition is the driver and what it is told, which a swap exchanges.
	Edition
	Policy     supervise.Policy
	Deadlines  supervise.Deadlines
	Quarantine supervise.Quarantine
	// CrashLoop, unless nil, is why the channel was quarantined before the node's start: it begins so.
	CrashLoop *supervise.CrashLoop
	// Sink takes what the channel has to say.
	Sink Sink
	// Backpressure holds publishing up where there is no room. nil: there always is.
	Backpressure Backpressure
	// Tracer makes the spans of attempts and their phases; nil makes none.
	Tracer *tracing.Tracer
	// Logger gets the channel's log, labelled with its name.
	Logger *slog.Logger
}

// Sink takes what a channel has to say. Its methods are called from the session's goroutine or the supervisor's, in
// order, and must not block; Data also from a timer's, while no session serves the points.
type Sink interface {
	// Data takes the readings of one device and one cycle. It keeps nothing of the batch.
	Data(b point.Batch)
	State(s supervise.Snapshot)
	Device(d point.DeviceState)
	Failure(r failure.Record)
	// Crashed tells of a failure whose code counts as a crash what there is besides. It comes after Failure.
	Crashed(c Crash)
	// Quarantined says that the channel has crashed too often. It comes before the state that shows it.
	Quarantined(c supervise.CrashLoop)
	// Backoff says that the channel waits for its next attempt. It comes before the state that shows it.
	Backoff(w supervise.Wait)
	// Handle gives the points of one device that a session serves from now on, and Revoke says that none is any more.
	Handle(device string, generation uint64, points []*point.Point)
	Revoke()
	// Removed says that there is no such device any more.
	Removed(device string)
	// Event tells what happened besides, by its name; the detail is anything that prints as JSON.
	Event(name string, detail any)
}

// Backpressure is asked by channels whose messages must not be dropped for want of room.
type Backpressure interface {
	// Room says whether there is room for one more batch. If there is none, c is poked, without blocking, once there is.
	// It is called by the session's goroutine, with the same c for a whole session.
	Room(c chan<- struct{}) bool
}

func (c *Config) validate() error {
	var errs []error
	need := func(ok bool, what string) {
		if !ok {
			errs = append(errs, fmt.Errorf("channel %q: %s", c.Name, what))
		}
	}
	need(c.Name != "", "has no name")
	need(c.Sink != nil, "has no sink")
	need(c.Logger != nil, "has no logger")
	return errors.Join(errs...)
}
