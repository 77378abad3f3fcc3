package client

import (
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/modbus/codec"
	"github.com/droverhq/drover/guests/modbus/plan"
	"github.com/droverhq/drover/guests/sdk"
)

// unit is a device of the channel: its settings, what was learned of it, and how it does.
type unit struct {
	device  sdk.DeviceID
	name    string
	address uint8
	timeout time.Duration
	retries int
	order   codec.Order
	limits  plan.Limits
	// broadcast says that the unit is all of them, which do not answer.
	broadcast      bool
	registerWrites writes
	coilWrites     writes
	maskWrite, raw bool
	// cuts are where requests were refused as too large.
	cuts    plan.Cuts
	circuit circuit
	health  health
	figures figures
	// parts are the unit's places in the plans.
	parts []*part
	// gaveUp is the cycle in which the unit did not answer and is asked no more.
	gaveUp uint64
	// turn counts the readings that began while the unit was suspect.
	turn int
}

func newUnit(d *sdk.Device, own *deviceSettings, channel *settings) *unit {
	return &unit{
		device:  d.ID,
		name:    d.Name,
		address: uint8(own.Unit),
		timeout: time.Duration(own.Timeout),
		retries: own.Retries,
		order:   own.Order,
		limits:  own.limits(),

		broadcast:      own.broadcast(channel.Mode),
		registerWrites: own.RegisterWrites,
		coilWrites:     own.CoilWrites,
		maskWrite:      own.MaskWrite,
		raw:            own.Raw,
		circuit: circuit{
			after: channel.OfflineAfter,
			first: time.Duration(channel.OfflineRetry),
			most:  time.Duration(channel.OfflineRetryMax),
		},
		figures: newFigures(),
	}
}

// circuit keeps a unit that does not answer from taking the time of those that do.
type circuit struct {
	// after so many failures in a row the unit is asked only at times, first apart, then twice that, up to most.
	after       int
	first, most time.Duration

	failures int
	wait     time.Duration
	next     time.Time
}

// failed notes a request without a valid answer.
func (c *circuit) failed(now time.Time) {
	if c.failures++; !c.open() {
		return
	}
	c.wait = min(max(2*c.wait, c.first), c.most)
	c.next = now.Add(c.wait)
}

// answered notes a valid answer, be it an exception.
func (c *circuit) answered() { c.failures, c.wait = 0, 0 }

// open says that the unit is to be asked only at times.
func (c *circuit) open() bool { return c.failures >= c.after }

// suspect says that the unit did not answer the last request.
func (c *circuit) suspect() bool { return c.failures > 0 }

// lets says whether the unit may be asked now.
func (c *circuit) lets(now time.Time) bool { return !c.open() || !now.Before(c.next) }

// start returns at which of its blocks a reading of the unit begins: at another one each time while it is suspect, so
// that a block that is never answered does not hide those that are.
func (u *unit) start(blocks int) int {
	if !u.circuit.suspect() || blocks == 0 {
		return 0
	}
	u.turn++
	return u.turn % blocks
}

// health is what the host was told of a unit, and what was wrong last.
type health struct {
	told   bool
	status driver.Status
	// trouble is the last error since the unit was online, and its reason.
	trouble error
	reason  string
}

// status returns how the unit is.
func (u *unit) status() driver.Status {
	switch {
	case u.circuit.open():
		return driver.StatusOffline
	case u.circuit.suspect() || u.failing():
		return driver.StatusDegraded
	}
	return driver.StatusOnline
}

// failing says whether some of the unit's points cannot be read.
func (u *unit) failing() bool {
	for _, p := range u.parts {
		if p.bad > 0 {
			return true
		}
	}
	return false
}

// report tells the host how the unit is, where that changed.
func (s *session) report(u *unit) {
	status := u.status()
	if u.health.told && status == u.health.status {
		return
	}
	u.health.told, u.health.status = true, status
	if status == driver.StatusOnline {
		u.health.trouble, u.health.reason = nil, ""
	}
	reason := ""
	if u.health.trouble != nil {
		reason = u.health.trouble.Error()
		s.ctx.Log().Warn("device "+status.String(), "device", u.name, "unit", u.address, "error", reason)
	}
	s.ctx.SetDeviceStatus(u.device, status, reason)
}
