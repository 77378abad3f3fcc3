package channel

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/point"
)

// Edition is what of a channel a swap exchanges: the driver and all that it is told or lent.
type Edition struct {
	// Module is the driver. The channel does not release it: who loaded it does, once no edition has it any more.
	Module *module.Module
	// Host is the channel's share of the outside world. The channel closes it when it is closed itself, or when a swap has
	// put an edition with another one in its place.
	Host module.ChannelHost
	// Connections are the names that the driver may open.
	Connections []module.Connection
	// Settings are the driver's own, as JSON text.
	Settings string
	// Secrets are the values in Settings that nobody is to read. They are redacted in all that the driver logs, prints and
	// reports, and in the calls of a post-mortem.
	Secrets [][]byte
	Devices []Device
	// Limits bound each instance.
	Limits Limits
	// PointBatches has a batch a point in place of one a device and cycle.
	PointBatches bool
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

func (e *Edition) validate() error {
	var errs []error
	need := func(ok bool, what string) {
		if !ok {
			errs = append(errs, errors.New(what))
		}
	}
	need(e.Module != nil, "has no module")
	need(e.Host != nil, "has no host")
	return errors.Join(errs...)
}

// edition is an Edition at work: what the driver is told, and the devices and points by the numbers that it is given.
// Nothing of it changes but what devices and points keep of themselves.
//
// Devices go on from one edition to the next, by name, so that their sequence numbers do; so do points that are defined
// alike. They keep their numbers, and no other ever gets them: a command that waits while editions change means the same
// point afterwards, or none.
//
// A node has very many points: what the driver is told of them is made when it is told.
type edition struct {
	Edition // without Devices, which are members
	members []member
	devices []*device      // by driver.DeviceID; nil where this edition has none of that number
	points  []*servedPoint // by driver.PointID, likewise
	codes   map[string]string
	// heartbeat is the shortest one of a point that is read; 0 where there is none.
	heartbeat time.Duration
}

// member is a device of an edition, what the driver is told of it, and its points in the order of the configuration.
type member struct {
	id       driver.DeviceID
	device   *device
	settings string
	points   []PointRef
}

// servedPoint is a point, the device that it belongs to, and what the driver is told of it besides its definition.
type servedPoint struct {
	*point.Point
	device        *device
	id            driver.PointID
	address       string
	period, phase time.Duration
}

// maker makes the parts of an edition.
type maker struct {
	*edition
	before *edition // nil for the first
	points point.Maker
}

// newEdition makes an edition of a channel that goes on from before, which is nil for the first. The caller holds
// c.swapping, or has the channel for itself.
func (c *Channel) newEdition(in Edition, before *edition) (*edition, error) {
	if err := in.validate(); err != nil {
		return nil, fmt.Errorf("channel %q: %w", c.config.Name, err)
	}
	e := &edition{Edition: in, codes: make(map[string]string)}
	for _, own := range in.Module.Metadata().Codes {
		e.codes[own.Code] = failure.DriverPrefix + own.Code
	}
	e.Devices = nil
	if err := c.number(&maker{edition: e, before: before}, in.Devices); err != nil {
		return nil, fmt.Errorf("channel %q: %w", c.config.Name, err)
	}
	return e, nil
}

// number gives all devices and points their numbers.
func (c *Channel) number(e *maker, devices []Device) error {
	for _, d := range devices {
		if err := c.addDevice(e, d); err != nil {
			return fmt.Errorf("device %q: %w", d.Name, err)
		}
	}
	e.edition.points = slices.Clip(e.edition.points)
	return nil
}

func (c *Channel) addDevice(e *maker, cfg Device) error {
	before := e.before
	m := member{settings: cfg.Settings, points: make([]PointRef, 0, len(cfg.Points))}
	old, known := before.member(cfg.Name)
	steady := known && old.settings == cfg.Settings && before.Settings == e.Settings
	if known {
		m.id, m.device = old.id, old.device
	} else {
		m.id, m.device = c.nextDevice, newDevice(cfg.Name)
		c.nextDevice++
	}
	e.devices = at(e.devices, int(m.id), m.device)
	for _, p := range cfg.Points {
		served, err := e.newPoint(m, p)
		if err != nil {
			return err
		}
		if was := before.served(old, p.Name); was != nil && alike(was, served) {
			served.follow(was, steady)
		}
		if served.id == noPoint {
			served.id = c.nextPoint
			c.nextPoint++
		}
		e.edition.points = at(e.edition.points, int(served.id), served)
		e.beat(served.Definition())
		m.points = append(m.points, PointRef{served.id, served.Point})
	}
	e.members = append(e.members, m)
	return nil
}

// noPoint stands for a number that is not given yet.
const noPoint = ^driver.PointID(0)

func (e *maker) newPoint(m member, cfg Point) (*servedPoint, error) {
	def := cfg.Definition
	def.Device = m.device.name
	made, err := e.points.New(def)
	if err != nil {
		return nil, err
	}
	return &servedPoint{
		Point: made, device: m.device, id: noPoint, address: cfg.Address, period: cfg.Period, phase: cfg.Phase,
	}, nil
}

// told is what the driver is told.
func (e *edition) told() driver.Config {
	c := driver.Config{Settings: e.Settings}
	for _, conn := range e.Connections {
		c.Connections = append(c.Connections, driver.Connection{Name: conn.Name, Kind: conn.Kind()})
	}
	for _, m := range e.members {
		c.Devices = append(c.Devices, driver.Device{ID: m.id, Name: m.device.name, Settings: m.settings})
		c.Points = slices.Grow(c.Points, len(m.points))
		for _, ref := range m.points {
			p, def := e.points[ref.ID], ref.Definition()
			c.Points = append(c.Points, driver.Point{
				ID: ref.ID, Device: m.id, Name: def.Name, Scalar: def.Scalar, Count: def.Count, Access: def.Access,
				Address: p.address, Period: uint64(p.period), Phase: uint64(p.phase),
			})
		}
	}
	return c
}

// follow makes p go on from the point before it: the same one, if the host defines it alike; under the same number, if
// a command for one does the same as one for the other.
func (p *servedPoint) follow(was *servedPoint, steady bool) {
	if reflect.DeepEqual(was.Definition(), p.Definition()) {
		p.Point = was.Point
	} else {
		p.Follow(was.Point)
	}
	if steady {
		p.id = was.id
	}
}

// alike says whether the driver is told the same of two points of the same name, but for when they are read.
func alike(a, b *servedPoint) bool {
	one, other := a.Definition(), b.Definition()
	return a.device == b.device && one.Scalar == other.Scalar && one.Count == other.Count && one.Access == other.Access &&
		a.address == b.address
}

// at returns s with v at i, grown as need be.
func at[T any](s []T, i int, v T) []T {
	if i >= len(s) {
		s = append(s, make([]T, i+1-len(s))...)
	}
	s[i] = v
	return s
}

// beat notes the heartbeat of a point that is read.
func (e *edition) beat(d point.Definition) {
	if d.Access != driver.AccessWrite && d.Heartbeat > 0 && (e.heartbeat == 0 || d.Heartbeat < e.heartbeat) {
		e.heartbeat = d.Heartbeat
	}
}

// member returns the device of that name. A nil edition has none.
func (e *edition) member(name string) (member, bool) {
	if e != nil {
		for _, m := range e.members {
			if m.device.name == name {
				return m, true
			}
		}
	}
	return member{}, false
}

// served returns the point of that name of a device of e, nil where there is none.
func (e *edition) served(m member, name string) *servedPoint {
	i := slices.IndexFunc(m.points, func(r PointRef) bool { return r.Name() == name })
	if i < 0 {
		return nil
	}
	return e.points[m.points[i].ID]
}

// point returns the point of that number, nil where there is none.
func (e *edition) point(id driver.PointID) *servedPoint {
	if int64(id) >= int64(len(e.points)) {
		return nil
	}
	return e.points[id]
}

// device returns the device of that number, nil where there is none.
func (e *edition) device(id driver.DeviceID) *device {
	if int64(id) >= int64(len(e.devices)) {
		return nil
	}
	return e.devices[id]
}

// same says whether the driver would notice no difference, and the host would not either.
func (e *edition) same(other *edition) bool {
	return e.sameDriver(other) && e.Limits == other.Limits && e.PointBatches == other.PointBatches &&
		slices.EqualFunc(e.points, other.points, func(a, b *servedPoint) bool {
			return a == nil && b == nil || a != nil && b != nil && a.Point == b.Point
		})
}

// sameDriver says whether the driver, and what it is told and lent, are the same.
func (e *edition) sameDriver(other *edition) bool {
	return e.Module == other.Module && e.Host == other.Host && reflect.DeepEqual(e.told(), other.told()) &&
		e.Limits.Memory == other.Limits.Memory && e.Limits.Stack == other.Limits.Stack
}

// code is the code that leaves the node for a driver's reason: an io.* of the table, or one of the driver's own.
func (e *edition) code(reason string) string {
	if own, declared := e.codes[reason]; declared {
		return own
	}
	if strings.HasPrefix(reason, "io.") && failure.Code(reason).Known() {
		return reason
	}
	return string(failure.DriverOther)
}
