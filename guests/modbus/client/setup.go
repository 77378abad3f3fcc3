package client

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/droverhq/drover/guests/modbus/address"
	"github.com/droverhq/drover/guests/modbus/codec"
	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/modbus/plan"
	"github.com/droverhq/drover/guests/sdk"
)

// defaultUnit is that of a device which names none.
const defaultUnit = 1

// defaultConnection is the name of the connection where the settings have none and there are several.
const defaultConnection = "main"

// point is a point as a unit has it.
type point struct {
	id    sdk.PointID
	def   *sdk.Point
	unit  *unit
	codec *codec.Codec
	area  pdu.Area
	start uint16
}

// item is the point as plans know it, by an index of the caller's.
func (p *point) item(index int) plan.Item {
	return plan.Item{Area: p.area, Start: p.start, Size: p.codec.Size(), Index: index}
}

// setup is a configuration that was found good. It serves the one session that an instance has.
type setup struct {
	settings   settings
	connection sdk.Connection
	units      []*unit
	// points are in the order of their ids, once all are read.
	points []point
	// codecs are those that points of the same shape share.
	codecs []*codec.Codec
	// served are the ids of points, in the configuration's order.
	served []sdk.PointID
	// session is that one, here by value: each size of object that an instance takes is a page of the host's.
	session session
}

var _ sdk.Connector = (*setup)(nil)

// newSetup checks a configuration and reports all that is wrong with it.
func newSetup(c *sdk.Config) (*setup, error) {
	s := &setup{
		points: make([]point, 0, len(c.Points)),
		served: make([]sdk.PointID, 0, len(c.Points)),
	}
	found := s.readSettings(c)
	if len(found) == 0 {
		found = s.readDevices(c)
	}
	if len(found) > 0 {
		return nil, sdk.Fatal(codeConfiguration, "%w", errors.Join(found...))
	}
	return s, nil
}

func (s *setup) readSettings(c *sdk.Config) problems {
	var err error
	if s.settings, err = sdk.Decode(c.Settings, defaultSettings()); err != nil {
		return problems{fmt.Errorf("settings: %w", err)}
	}
	var ok bool
	if s.connection, ok = connection(c, s.settings.Connection); !ok {
		return problems{fmt.Errorf("settings: no connection %q", s.settings.Connection)}
	}
	return under("settings", s.settings.check(s.connection.Kind))
}

// connection returns the one of that name; without a name main, or the only one there is.
func connection(c *sdk.Config, name string) (sdk.Connection, bool) {
	if name == "" {
		if found, ok := c.Connection(defaultConnection); ok {
			return found, true
		}
	}
	return c.Connection(name)
}

// under puts the place in front of problems.
func under(place string, list problems) problems {
	for i, err := range list {
		list[i] = fmt.Errorf("%s: %w", place, err)
	}
	return list
}

func (s *setup) readDevices(c *sdk.Config) (found problems) {
	for i := range c.Devices {
		d := &c.Devices[i]
		u, err := s.readDevice(d)
		if err != nil {
			found = append(found, fmt.Errorf("device %s: %w", d.Name, err))
			continue
		}
		s.units = append(s.units, u)
		for p := range c.PointsOf(d.ID) {
			if err := s.readPoint(u, p); err != nil {
				found = append(found, fmt.Errorf("point %s.%s: %w", d.Name, p.Name, err))
			}
		}
	}
	slices.SortFunc(s.points, func(a, b point) int { return cmp.Compare(a.id, b.id) })
	for i := range c.Points {
		if _, ok := s.point(c.Points[i].ID); ok {
			s.served = append(s.served, c.Points[i].ID)
		}
	}
	return found
}

func (s *setup) readDevice(d *sdk.Device) (*unit, error) {
	own := deviceSettings{unitSettings: s.settings.unitSettings, Unit: defaultUnit}
	own, err := sdk.Decode(d.Settings, own)
	if err != nil {
		return nil, err
	}
	if found := own.check(); len(found) > 0 {
		return nil, errors.Join(found...)
	}
	return newUnit(d, &own, &s.settings), nil
}

func (s *setup) readPoint(u *unit, in *sdk.Point) error {
	a, err := address.Parse(in.Address, s.settings.Base)
	if err != nil {
		return err
	}
	if a.Order == 0 {
		a.Order = u.order
	}
	c, err := s.codec(codec.Shape{
		Scalar: in.Scalar, Count: in.Count, Area: a.Area, Bit: a.Bit, Length: a.Length, Order: a.Order,
	})
	if err != nil {
		return err
	}
	p := point{id: in.ID, def: in, unit: u, codec: c, area: a.Area, start: a.Offset}
	s.points = append(s.points, p)
	return p.check()
}

// find returns the place of the point of that id, when the configuration is read.
func (s *setup) find(id sdk.PointID) (int, bool) {
	return slices.BinarySearchFunc(s.points, id, func(p point, id sdk.PointID) int { return cmp.Compare(p.id, id) })
}

// point returns the point of that id, when the configuration is read.
func (s *setup) point(id sdk.PointID) (*point, bool) {
	i, ok := s.find(id)
	if !ok {
		return nil, false
	}
	return &s.points[i], true
}

// codec returns the codec of a shape: its own for a list, a text or bytes, whose values share memory with the next one.
func (s *setup) codec(shape codec.Shape) (*codec.Codec, error) {
	if shape.Count > 0 || shape.Length > 0 {
		return codec.New(shape)
	}
	for _, c := range s.codecs {
		if c.Of(shape) {
			return c, nil
		}
	}
	c, err := codec.New(shape)
	if err == nil {
		s.codecs = append(s.codecs, c)
	}
	return c, err
}

// check says why the point cannot be served.
func (p *point) check() error {
	size := p.codec.Size()
	if end := int(p.start) + size; end > pdu.AreaSize {
		return fmt.Errorf("it takes %d from offset %d and reaches beyond the area", size, p.start)
	}
	if limit := p.unit.limits.Max(p.area); size > limit {
		return fmt.Errorf("it takes %d and one request may carry %d", size, limit)
	}
	if p.unit.broadcast && p.def.Readable() {
		return errors.New("unit 0 is the broadcast address, which no unit answers, expected access: w")
	}
	if p.def.Writable() {
		return p.checkWrites()
	}
	return nil
}
