package natsbridge

import (
	"maps"
	"sync"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
)

// memory keeps what was said last, for those who come late.
type memory struct {
	mu       sync.Mutex
	channels map[string]*known
}

// known is what is kept of a channel.
type known struct {
	state   *message.State
	devices map[string]message.Device
	handles map[string]message.Handle // without Points, which are described when somebody asks
	points  map[string][]*point.Point
}

func newMemory() *memory { return &memory{channels: make(map[string]*known)} }

// of returns what is kept of a channel. The lock is held.
func (m *memory) of(channel string) *known {
	k := m.channels[channel]
	if k == nil {
		k = &known{
			devices: make(map[string]message.Device),
			handles: make(map[string]message.Handle),
			points:  make(map[string][]*point.Point),
		}
		m.channels[channel] = k
	}
	return k
}

func (m *memory) state(channel string, s message.State) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(channel).state = &s
}

func (m *memory) device(channel, device string, d message.Device) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(channel).devices[device] = d
}

func (m *memory) handle(channel, device string, h message.Handle, points []*point.Point) {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.of(channel)
	h.Points = nil
	k.handles[device], k.points[device] = h, points
}

// whole returns a handle that is kept, with its points, as it was said.
func whole(h message.Handle, points []*point.Point) message.Handle {
	if !h.Revoked {
		h.Points = describe(points)
	}
	return h
}

// revoke marks the handles of a channel and returns those that were not marked yet.
func (m *memory) revoke(channel string, header message.Header) map[string]message.Handle {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.channels[channel]
	if k == nil {
		return nil
	}
	revoked := make(map[string]message.Handle)
	for device, h := range k.handles {
		if !h.Revoked {
			revoked[device] = message.Handle{
				Header: header, Generation: h.Generation, Revoked: true, Points: map[string]message.Descriptor{},
			}
		}
	}
	maps.Copy(k.handles, revoked)
	return revoked
}

// forget drops a channel, and returns the keys of what was kept of it.
func (m *memory) forget(channel string) []routeKey {
	m.mu.Lock()
	defer m.mu.Unlock()
	keys := m.channels[channel].keys(channel)
	delete(m.channels, channel)
	return keys
}

// forgetDevice drops a device, and returns the keys of what was kept of it.
func (m *memory) forgetDevice(channel, device string) []routeKey {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.channels[channel]
	if k == nil {
		return nil
	}
	var keys []routeKey
	if _, known := k.devices[device]; known {
		keys = append(keys, routeKey{message.KindDevice, channel, device})
	}
	if _, known := k.handles[device]; known {
		keys = append(keys, routeKey{message.KindHandle, channel, device})
	}
	delete(k.devices, device)
	delete(k.handles, device)
	delete(k.points, device)
	return keys
}

// keys returns the keys of everything there is.
func (m *memory) keys() []routeKey {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []routeKey
	for channel, k := range m.channels {
		all = append(all, k.keys(channel)...)
	}
	return all
}

func (k *known) keys(channel string) []routeKey {
	if k == nil {
		return nil
	}
	var keys []routeKey
	if k.state != nil {
		keys = append(keys, routeKey{message.KindState, channel, ""})
	}
	for device := range k.devices {
		keys = append(keys, routeKey{message.KindDevice, channel, device})
	}
	for device := range k.handles {
		keys = append(keys, routeKey{message.KindHandle, channel, device})
	}
	return keys
}

// value returns the message of a key; nil where there is none any more.
func (m *memory) value(key routeKey) any {
	m.mu.Lock()
	defer m.mu.Unlock()
	k := m.channels[key.channel]
	if k == nil {
		return nil
	}
	switch key.kind {
	case message.KindState:
		if k.state != nil {
			return k.state
		}
	case message.KindDevice:
		if d, ok := k.devices[key.name]; ok {
			return d
		}
	case message.KindHandle:
		if h, ok := k.handles[key.name]; ok {
			return whole(h, k.points[key.name])
		}
	}
	return nil
}

// snapshot is the truth of get.state. What it returns is not changed any more.
func (m *memory) snapshot() map[string]message.Channel {
	points := m.points()
	all := m.said()
	for name, c := range all {
		for device, h := range c.Handles {
			c.Handles[device] = whole(h, points[name][device])
		}
	}
	return all
}

// said is a snapshot whose handles are without points.
func (m *memory) said() map[string]message.Channel {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[string]message.Channel, len(m.channels))
	for name, k := range m.channels {
		all[name] = message.Channel{State: k.state, Devices: maps.Clone(k.devices), Handles: maps.Clone(k.handles)}
	}
	return all
}

// values is the truth of get.last.
func (m *memory) values() map[string]map[string]map[string]message.Value {
	all := make(map[string]map[string]map[string]message.Value)
	for channel, devices := range m.points() {
		all[channel] = make(map[string]map[string]message.Value, len(devices))
		for device, points := range devices {
			all[channel][device] = valuesOf(points)
		}
	}
	return all
}

func (m *memory) points() map[string]map[string][]*point.Point {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make(map[string]map[string][]*point.Point, len(m.channels))
	for channel, k := range m.channels {
		all[channel] = maps.Clone(k.points)
	}
	return all
}

func valuesOf(points []*point.Point) map[string]message.Value {
	values := make(map[string]message.Value, len(points))
	for _, p := range points {
		if v, known := ValueOf(p); known {
			values[p.Name()] = v
		}
	}
	return values
}

// ValueOf is what is known of a point, as it travels; false before its first reading.
func ValueOf(p *point.Point) (message.Value, bool) {
	last, known := p.Last()
	if !known {
		return message.Value{}, false
	}
	v := message.Value{Code: last.Code, TS: message.Time{Time: last.Time}}
	if last.Quality != driver.QualityGood {
		v.Q = last.Quality.String()
	}
	if !last.Known.None() {
		v.V = last.Known.AppendJSON(nil)
		if !last.KnownTime.Equal(last.Time) {
			v.ValueTS = message.Time{Time: last.KnownTime}
		}
	}
	return v, true
}

// describe describes points to those who read and write them.
func describe(points []*point.Point) map[string]message.Descriptor {
	all := make(map[string]message.Descriptor, len(points))
	for _, p := range points {
		d := p.Definition()
		all[d.Name] = DescriptorOf(d)
	}
	return all
}

// DescriptorOf describes a point to those who read and write it.
func DescriptorOf(d point.Definition) message.Descriptor {
	m := message.Descriptor{
		Type: d.Scalar.String(), Count: d.Count, Access: accessOf(d.Access), Unit: d.Unit, Offset: d.Offset,
	}
	if d.Scale != 1 {
		m.Scale = d.Scale
	}
	if d.Range != nil {
		m.Range = &message.Range{Min: d.Range.Min, Max: d.Range.Max}
	}
	return m
}

func accessOf(a driver.Access) string {
	switch a {
	case driver.AccessRead:
		return "r"
	case driver.AccessWrite:
		return "w"
	default:
		return "rw"
	}
}
