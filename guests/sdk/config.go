package sdk

import (
	"iter"
	"math"
	"time"
	"unsafe"

	"github.com/droverhq/drover/abi/driver"
)

// Connection is a connection that the configuration grants.
type Connection = driver.Connection

// Config is what the configuration gives a channel. It does not change for the life of an instance.
type Config struct {
	// Settings are the channel's, as JSON text: see Decode.
	Settings    string
	Connections []Connection
	Devices     []Device
	Points      []Point

	devices map[DeviceID]int
	points  map[PointID]int
}

// Device is something addressable behind the channel.
type Device struct {
	ID   DeviceID
	Name string
	// Settings are the device's, as JSON text.
	Settings string
}

// Point is one value of a device. Its members are those of the contract's point, in their order; see points.
type Point struct {
	ID     PointID
	Device DeviceID
	Name   string
	Scalar driver.ScalarType
	// Count is 0 for one value. Otherwise the point is a list of that many.
	Count  uint32
	Access driver.Access
	// Address is where the point is, in the driver's own terms, as JSON text.
	Address string
	// Period is how often the point is to be read; 0: only by command. Phase is when, within the period.
	Period, Phase time.Duration
}

// Readable says whether the point may be read.
func (p *Point) Readable() bool { return p.Access != driver.AccessWrite }

// Writable says whether the point may be written.
func (p *Point) Writable() bool { return p.Access != driver.AccessRead }

// Connection returns the connection of that name. The empty name is the only connection there is.
func (c *Config) Connection(name string) (Connection, bool) {
	if name == "" && len(c.Connections) == 1 {
		return c.Connections[0], true
	}
	for _, conn := range c.Connections {
		if conn.Name == name {
			return conn, true
		}
	}
	return Connection{}, false
}

// Device returns the device of that id, or nil.
func (c *Config) Device(id DeviceID) *Device {
	if c.devices == nil {
		c.index()
	}
	if i, ok := c.devices[id]; ok {
		return &c.Devices[i]
	}
	return nil
}

// Point returns the point of that id, or nil.
func (c *Config) Point(id PointID) *Point {
	if c.points == nil {
		c.index()
	}
	if i, ok := c.points[id]; ok {
		return &c.Points[i]
	}
	return nil
}

func (c *Config) index() {
	c.devices, c.points = make(map[DeviceID]int, len(c.Devices)), make(map[PointID]int, len(c.Points))
	for i, d := range c.Devices {
		c.devices[d.ID] = i
	}
	for i, p := range c.Points {
		c.points[p.ID] = i
	}
}

// PointsOf yields the points of a device, in the configuration's order.
func (c *Config) PointsOf(id DeviceID) iter.Seq[*Point] {
	return func(yield func(*Point) bool) {
		for i := range c.Points {
			if c.Points[i].Device == id && !yield(&c.Points[i]) {
				return
			}
		}
	}
}

// Serve returns the handle of a session that serves every point of the configuration, and these actions.
func (c *Config) Serve(actions ...Action) Handle {
	h := Handle{Points: make([]PointID, 0, len(c.Points)), Actions: actions}
	for i := range c.Points {
		h.Points = append(h.Points, c.Points[i].ID)
	}
	return h
}

// lift makes c what the host gave, whose points c then has.
func (c *Config) lift(in driver.Config) {
	*c = Config{
		Settings:    in.Settings,
		Connections: in.Connections,
		Devices:     make([]Device, 0, len(in.Devices)),
		Points:      points(in.Points),
	}
	for _, d := range in.Devices {
		c.Devices = append(c.Devices, Device{ID: d.ID, Name: d.Name, Settings: d.Settings})
	}
}

// points returns the contract's points as the configuration's, in the same memory: a Point is laid out like the contract's,
// but that its durations have a sign. A second list of 100 points would be 8 KB more of each instance.
func points(in []driver.Point) []Point {
	for i := range in {
		p := &in[i]
		p.Period, p.Phase = min(p.Period, math.MaxInt64), min(p.Phase, math.MaxInt64)
	}
	return unsafe.Slice((*Point)(unsafe.Pointer(unsafe.SliceData(in))), len(in))
}
