package channel

import (
	"slices"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/point"
)

// PointRef is a configured point and the number by which the driver knows it.
type PointRef struct {
	ID driver.PointID
	*point.Point
}

// Device returns the number and the points of a device, as configured; false where there is no such device. They are not
// changed any more.
func (c *Channel) Device(name string) (driver.DeviceID, []PointRef, bool) {
	m, ok := c.edition().member(name)
	return m.id, m.points, ok
}

// DeviceName returns the name of a device by its number; empty where there is none.
func (c *Channel) DeviceName(id driver.DeviceID) string {
	if d := c.edition().device(id); d != nil {
		return d.name
	}
	return ""
}

// Action returns an action that is served at present, as the driver describes it. device is none for one of the channel
// itself. While a swap is between two sessions, it is that of the one before.
func (c *Channel) Action(r driver.ActionRequest) (driver.Action, bool) {
	for _, a := range c.Actions() {
		if a.Name == r.Action && a.Device == r.Device {
			return a, true
		}
	}
	return driver.Action{}, false
}

// Actions returns the actions that are served at present. They are not changed any more.
func (c *Channel) Actions() []driver.Action {
	c.queue.mu.Lock()
	defer c.queue.mu.Unlock()
	if c.queue.served == nil {
		return nil
	}
	return c.queue.served.actions
}

// Serves says whether a point is served at present.
func (c *Channel) Serves(id driver.PointID) bool {
	c.queue.mu.Lock()
	defer c.queue.mu.Unlock()
	return c.queue.served != nil && slices.Contains(c.queue.served.points, id)
}
