package sdk

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Group is the points that are read together: those of one period and phase.
type Group struct {
	// Index is the group's place in Scheduler.Groups, for plans kept beside it.
	Index         int
	Period, Phase time.Duration
	// Points are in the configuration's order, Devices in the order of their first point.
	Points  []PointID
	Devices []DeviceID

	size     int           // how many points there will be
	due      time.Duration // since the scheduler's start
	overruns uint64
}

// Overruns returns how many cycles of the group were skipped because their time had passed.
func (g *Group) Overruns() uint64 { return g.overruns }

// Scheduler says which groups of points are due. The first cycle of a group is at its phase after the start, the next
// ones at that plus whole periods: a late cycle does not shift those after it, and cycles whose time has passed
// altogether are skipped and counted, never queued.
type Scheduler struct {
	start  time.Time
	groups []*Group
	due    []*Group
}

// NewScheduler returns the schedule of these points, from start on. Points that are not readable or have no period are
// left out. A phase counts modulo its period.
func NewScheduler(points []Point, start time.Time) *Scheduler {
	s := &Scheduler{start: start}
	type key struct{ period, phase time.Duration }
	byKey := map[key]*Group{}
	group := func(p *Point) *Group {
		if p.Period <= 0 || !p.Readable() {
			return nil
		}
		k := key{p.Period, max(p.Phase, 0) % p.Period}
		g := byKey[k]
		if g == nil {
			g = &Group{Index: len(s.groups), Period: k.period, Phase: k.phase, due: k.phase}
			byKey[k] = g
			s.groups = append(s.groups, g)
		}
		return g
	}
	for i := range points {
		if g := group(&points[i]); g != nil {
			g.size++
		}
	}
	for i := range points {
		p := &points[i]
		g := group(p)
		if g == nil {
			continue
		}
		if g.Points == nil {
			g.Points = make([]PointID, 0, g.size)
		}
		g.Points = append(g.Points, p.ID)
		if !slices.Contains(g.Devices, p.Device) {
			g.Devices = append(g.Devices, p.Device)
		}
	}
	s.due = make([]*Group, 0, len(s.groups))
	return s
}

// Groups returns all groups. Neither the slice nor the groups may be changed.
func (s *Scheduler) Groups() []*Group { return s.groups }

// largest is how many points the largest group has.
func (s *Scheduler) largest() (n int) {
	for _, g := range s.groups {
		n = max(n, g.size)
	}
	return n
}

// Next returns the groups that are due at now, the longest due first, and moves each to its next cycle; and how long
// after now the next one is due, Forever without groups. The slice is valid until the next call.
func (s *Scheduler) Next(now time.Time) (due []*Group, wait time.Duration) {
	at, next := now.Sub(s.start), Forever
	s.due = s.due[:0]
	for _, g := range s.groups {
		if g.due <= at {
			s.due = append(s.due, g)
		}
	}
	slices.SortStableFunc(s.due, func(a, b *Group) int { return cmp.Compare(a.due, b.due) })
	for _, g := range s.due {
		g.advance(at)
	}
	for _, g := range s.groups {
		next = min(next, g.due)
	}
	if next == Forever {
		return s.due, Forever
	}
	return s.due, until(at, next)
}

// advance moves a group that is due to the first of its cycles after at, and counts those between.
func (g *Group) advance(at time.Duration) {
	missed := (at - g.due) / g.Period
	g.overruns += uint64(missed)
	last := g.due + missed*g.Period // not above at
	if last > math.MaxInt64-g.Period {
		g.due = Forever
		return
	}
	g.due = last + g.Period
}

// until returns next - at, or Forever where that is too long for a Duration, which takes a clock before the start.
func until(at, next time.Duration) time.Duration {
	if at < 0 && next > Forever+at {
		return Forever
	}
	return next - at
}
