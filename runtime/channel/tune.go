package channel

import (
	"context"
	"errors"

	"github.com/droverhq/drover/runtime/supervise"
)

// Tuning is what of a channel changes in place: nothing that the driver is told.
type Tuning struct {
	// Devices are those of the edition at hand, with other scales, filters, ranges or units.
	Devices []Device
	// Limits differ in other things than memory and stack, which an instance has from its beginning.
	Limits       Limits
	PointBatches bool
	Policy       supervise.Policy
	Deadlines    supervise.Deadlines
	Quarantine   supervise.Quarantine
}

// ErrTold refuses a Tuning that the driver would have to be told of.
var ErrTold = errors.New("the driver would have to be told: that takes a swap")

// Tune changes a channel in place, whatever its state. Of a point that was changed the next reading is reported. The
// error is ErrSwapping, ErrTold, or what is wrong; nothing is changed then.
func (c *Channel) Tune(ctx context.Context, t Tuning) error {
	if !c.swapping.TryLock() {
		return ErrSwapping
	}
	defer c.swapping.Unlock()
	by := c.current.Load()
	was := by.edition.Load()
	next := was.Edition
	next.Devices, next.Limits, next.PointBatches = t.Devices, t.Limits, t.PointBatches
	e, err := c.newEdition(next, was)
	if err != nil {
		return err
	}
	if !e.sameDriver(was) {
		return ErrTold
	}
	return c.supervisor.Adjust(ctx, t.Policy, t.Deadlines, t.Quarantine, func() {
		by.edition.Store(e)
		(*observer)(c).retell(e)
	})
}

// retell tells the handles again of which something has changed that their readers are told.
func (o *observer) retell(e *edition) {
	if !o.live {
		return
	}
	h, generation := o.queue.serving()
	if h == nil || h.by.edition.Load() != e {
		return
	}
	o.tellHandle(h, generation)
}
