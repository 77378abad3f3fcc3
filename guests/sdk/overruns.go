package sdk

import "time"

// tellOverruns is how often the gauges of skipped cycles are told, at most: a channel that reads as fast as it can skips
// cycles all the time.
const tellOverruns = time.Second

// overruns are the poll cycles that were skipped, by device.
type overruns struct {
	counted []uint64 // by group
	devices map[DeviceID]*overrun
	untold  bool
	told    time.Time
}

type overrun struct{ count, told uint64 }

func newOverruns(s *Scheduler) *overruns {
	o := &overruns{counted: make([]uint64, len(s.groups)), devices: map[DeviceID]*overrun{}}
	for _, g := range s.groups {
		for _, id := range g.Devices {
			o.devices[id] = new(overrun)
		}
	}
	return o
}

// count adds what the groups that are due skipped, and tells it when it is time to.
func (o *overruns) count(ctx *Context, due []*Group, now time.Time) {
	for _, g := range due {
		more := g.overruns - o.counted[g.Index]
		if more == 0 {
			continue
		}
		o.counted[g.Index], o.untold = g.overruns, true
		for _, id := range g.Devices {
			o.devices[id].count += more
		}
	}
	if o.untold && (o.told.IsZero() || now.Sub(o.told) >= tellOverruns) {
		o.told = now
		o.tell(ctx)
	}
}

// tell brings the gauges up to date.
func (o *overruns) tell(ctx *Context) {
	if !o.untold {
		return
	}
	o.untold = false
	for id, of := range o.devices {
		if of.count != of.told {
			of.told = of.count
			ctx.SetGauges(id, Gauge{F0: "overruns", F1: float64(of.count)})
		}
	}
}
