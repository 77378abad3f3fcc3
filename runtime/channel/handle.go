package channel

import (
	"fmt"
	"strings"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/failure"
)

const (
	// maxActions is how many actions a handle may have: a few for each device of a line with 247 Modbus units.
	maxActions = 1024
	// maxActionName is how long the name of an action may be.
	maxActionName = 64
	// maxSchema is how long the JSON Schema of an action's arguments, or of its result, may be.
	maxSchema = 64 << 10
)

// handle is what a session serves: the points by id, and the actions.
type handle struct {
	by       *connector
	points   []driver.PointID
	actions  []driver.Action
	commands *commands
}

// checkHandle holds what init returned to what was configured, and to what can be a subject.
func (e *edition) checkHandle(h driver.Handle) error {
	served := make([]bool, len(e.points))
	for _, id := range h.Points {
		switch {
		case e.point(id) == nil:
			return wrongHandle("the handle has point %d, which was not configured", id)
		case served[id]:
			return wrongHandle("the handle has point %d twice", id)
		}
		served[id] = true
	}
	if len(h.Actions) > maxActions {
		return wrongHandle("the handle has %d actions, more than %d", len(h.Actions), maxActions)
	}
	return e.checkActions(h.Actions)
}

func (e *edition) checkActions(actions []driver.Action) error {
	type key struct {
		device component.Option[driver.DeviceID]
		name   string
	}
	seen := make(map[key]bool, len(actions))
	for i := range actions {
		a := &actions[i]
		switch k := (key{a.Device, a.Name}); {
		case !isActionName(a.Name):
			return wrongHandle("the action %q is not of the form [A-Za-z0-9_-]+, at most %d characters",
				oneLine(a.Name, maxName), maxActionName)
		case a.Device.Some && e.device(a.Device.Value) == nil:
			return wrongHandle("the action %q is of device %d, which was not configured", a.Name, a.Device.Value)
		case len(a.Arguments) > maxSchema || len(a.Result) > maxSchema:
			return wrongHandle("a schema of the action %q has more than %d bytes", a.Name, maxSchema)
		case seen[k]:
			return wrongHandle("the handle has the action %q twice", a.Name)
		default:
			seen[k] = true
		}
	}
	return nil
}

func wrongHandle(format string, args ...any) error {
	return failure.New(failure.PhaseInit, failure.ABIEncoding, fmt.Sprintf(format, args...))
}

// isActionName says whether s can be part of a subject.
func isActionName(s string) bool {
	return s != "" && len(s) <= maxActionName && strings.Trim(s,
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == ""
}
