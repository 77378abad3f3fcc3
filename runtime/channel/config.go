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
	Devices  []Device
	// Memory limits each instance, in bytes; 0 is module.DefaultMemory.
	Memory     uint64
	Policy     supervise.Policy
	Deadlines  supervise.Deadlines
	Quarantine supervise.Quarantine
	// Sink takes what the channel has to say.
	Sink Sink
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
// order, and must not block.
type Sink interface {
	// Data takes the readings of one device and one cycle. It keeps nothing of the batch.
	Data(b point.Batch)
	State(s supervise.Snapshot)
	Device(d point.DeviceState)
	Failure(r failure.Record)
	// Handle gives the points of one device that a session serves from now on, and Revoke says that none is any more.
	Handle(device string, generation uint64, points []*point.Point)
	Revoke()
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
