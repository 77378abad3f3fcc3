package sdktest

import (
	"fmt"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
)

// Error is how a phase failed.
type Error struct {
	// Phase is "configure", "connect", "init" or "run".
	Phase   string
	Failure driver.Failure
}

// Error implements error.
func (e *Error) Error() string { return fmt.Sprintf("%s: %s", e.Phase, e.Failure.Summary) }

// Phases are what the host calls of a driver after describe: a *sdk.Lifecycle, or the same driver as a guest.
type Phases interface {
	Configure(driver.Config) component.Result[component.Unit, driver.Failure]
	Connect(driver.Session) component.Result[component.Unit, driver.Failure]
	Init(driver.Session) component.Result[driver.Handle, driver.Failure]
	Run(driver.Session) component.Result[driver.Outcome, driver.Failure]
}

var _ Phases = (*sdk.Lifecycle)(nil)

// Run takes a driver through its phases, as the host does with one attempt, until run returns. An error is an *Error.
func (h *Host) Run(d sdk.Driver, config sdk.Config) (driver.Outcome, error) {
	return h.Drive(sdk.NewLifecycle(d, h), config)
}

// Configure takes a driver through configure alone, where it has no I/O. An error is an *Error.
func (h *Host) Configure(d sdk.Driver, config sdk.Config) error {
	return h.configure(sdk.NewLifecycle(d, h), config)
}

func (h *Host) configure(p Phases, config sdk.Config) error {
	h.config, h.phase = &config, "configure"
	if r := p.Configure(Lower(config)); r.Failed {
		return &Error{h.phase, r.Err}
	}
	return nil
}

// Drive is Run for phases that are bound to this host already.
func (h *Host) Drive(p Phases, config sdk.Config) (driver.Outcome, error) {
	if err := h.configure(p, config); err != nil {
		return driver.Outcome{}, err
	}
	h.phase = "connect"
	if r := p.Connect(h.Session); r.Failed {
		return driver.Outcome{}, &Error{h.phase, r.Err}
	}
	h.phase = "init"
	handle := p.Init(h.Session)
	if handle.Failed {
		return driver.Outcome{}, &Error{h.phase, handle.Err}
	}
	h.checkHandle(handle.Value)
	h.phase = "run"
	r := p.Run(h.Session)
	if r.Failed {
		return driver.Outcome{}, &Error{h.phase, r.Err}
	}
	return r.Value, nil
}

// checkHandle reports what the real host refuses.
func (h *Host) checkHandle(handle driver.Handle) {
	h.tb.Helper()
	for _, id := range handle.Points {
		if h.config.Point(id) == nil {
			h.tb.Errorf("sdktest: the handle serves point %d, which is not configured", id)
		}
	}
}

// Lower returns a configuration as the host passes it.
func Lower(c sdk.Config) driver.Config {
	out := driver.Config{Settings: c.Settings, Connections: c.Connections}
	for _, d := range c.Devices {
		out.Devices = append(out.Devices, driver.Device{ID: d.ID, Name: d.Name, Settings: d.Settings})
	}
	for _, p := range c.Points {
		out.Points = append(out.Points, driver.Point{
			ID: p.ID, Device: p.Device, Name: p.Name, Scalar: p.Scalar, Count: p.Count, Access: p.Access,
			Address: p.Address, Period: uint64(p.Period), Phase: uint64(p.Phase),
		})
	}
	return out
}
