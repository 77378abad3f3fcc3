package channel

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
	"github.com/droverhq/drover/runtime/tracing"
)

// Config says what a channel runs and what it serves.
type Config struct {
	// Name is a token ([A-Za-z0-9_-]+).
	Name string
	// Module is the driver. The channel does not release it.
	Module *module.Module
	// Host is the channel's share of the outside world. The channel closes it when it is closed.
	Host module.ChannelHost
	// Connections are the names that the driver may open.
	Connections []module.Connection
	// Settings are the driver's own, as JSON text.
	Settings string
	// Secrets are the values in Settings that nobody is to read. They are redacted in all that the driver logs, prints and
	// reports, and in the calls of a post-mortem.
	Secrets [][]byte
	Devices []Device
	// PointBatches has a batch a point in place of one a device and cycle.
	PointBatches bool
	// Limits bound each instance.
	Limits     Limits
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

// Device is a device as the configuration has it.
type Device struct {
	Name     string
	Settings string
	Points   []Point
}

// Point is a point as the configuration has it: the host's side and the driver's.
type Point struct {
	point.Definition
	// Address is JSON text in the driver's own terms.
	Address string
	// Period is how often the point is read, 0 only by command; Phase is when within the period.
	Period, Phase time.Duration
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
	need(c.Module != nil, "has no module")
	need(c.Host != nil, "has no host")
	need(c.Sink != nil, "has no sink")
	need(c.Logger != nil, "has no logger")
	return errors.Join(errs...)
}

// guestConfig is the configuration as the driver sees it: names, units, scaling and filters stay in the host.
func (c *Config) guestConfig() driver.Config {
	out := driver.Config{Settings: c.Settings}
	for _, conn := range c.Connections {
		out.Connections = append(out.Connections, driver.Connection{Name: conn.Name, Kind: conn.Kind()})
	}
	for i, d := range c.Devices {
		out.Devices = append(out.Devices, driver.Device{ID: driver.DeviceID(i), Name: d.Name, Settings: d.Settings})
		for _, p := range d.Points {
			out.Points = append(out.Points, driver.Point{
				ID: driver.PointID(len(out.Points)), Device: driver.DeviceID(i), Name: p.Name,
				Scalar: p.Scalar, Count: p.Count, Access: p.Access, Address: p.Address,
				Period: uint64(p.Period), Phase: uint64(p.Phase),
			})
		}
	}
	return out
}
