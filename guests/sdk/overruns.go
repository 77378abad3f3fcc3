package sdk

import (
	"cmp"
	"slices"
	"time"
)

// tellOverruns is how often the gauges of skipped cycles are told, at most: a channel that reads as fast as it can skips
// cycles all the time.
const tellOverruns = time.Second

// overruns are the poll cycles that were skipped, by device.
type overruns struct {
	counted []uint64  // by group
	devices []overrun // in the order of their ids
	untold  bool
	told    time.Time
}

type overrun struct {
	device      DeviceID
	count, told uint64
}

func newOverruns(s *Scheduler) *overruns {
	o := &overruns{counted: make([]uint64, len(s.groups))}
	for _, g := range s.groups {
		for _, id := range g.Devices {
			if i, ok := o.find(id); !ok {
				o.devices = slices.Insert(o.devices, i, overrun{device: id})
			}
		}
	}
	return o
}

// find returns where a device is, or belongs.
func (o *overruns) find(id DeviceID) (int, bool) {
	return slices.BinarySearchFunc(o.devices, id, func(of overrun, id DeviceID) int { return cmp.Compare(of.device, id) })
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
			i, _ := o.find(id)
			o.devices[i].count += more
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
	for i := range o.devices {
		of := &o.devices[i]
		if of.count != of.told {
			of.told = of.count
			ctx.SetGauges(of.device, Gauge{F0: "overruns", F1: float64(of.count)})
		}
	}
}
