package client

import (
	"time"

	"github.com/droverhq/drover/guests/modbus/plan"
	"github.com/droverhq/drover/guests/sdk"
)

// schedule is what one group of points reads, unit by unit.
type schedule []*part

// part is what a group reads of one unit. The items of its blocks have places in points as their indices.
type part struct {
	unit   *unit
	points []*point
	blocks []block
	// bad is how many blocks could not be read last.
	bad int
	// cycle is the one in which the part was read last.
	cycle uint64
}

// block is one request of a part.
type block struct {
	plan.Block
	// keep is until when the block stays whole though it is refused, because its pieces were refused as well.
	keep time.Time
}

// plan makes the plans of all groups.
func (s *session) plan(groups []*sdk.Group) {
	s.plans = make([]schedule, len(groups))
	for _, g := range groups {
		parts := map[*unit]*part{}
		for _, id := range g.Points {
			pt, ok := s.point(id)
			if !ok {
				continue
			}
			p := parts[pt.unit]
			if p == nil {
				p = &part{unit: pt.unit, points: make([]*point, 0, len(g.Points))}
				parts[pt.unit] = p
				pt.unit.parts = append(pt.unit.parts, p)
				s.plans[g.Index] = append(s.plans[g.Index], p)
			}
			p.points = append(p.points, pt)
		}
	}
	for _, u := range s.units {
		for _, p := range u.parts {
			p.blocks = blocks(plan.Blocks(items(p.points), u.limits, u.cuts))
		}
	}
}

func items(points []*point) []plan.Item {
	list := make([]plan.Item, 0, len(points))
	for i, p := range points {
		list = append(list, p.item(i))
	}
	return list
}

func blocks(planned []plan.Block) []block {
	list := make([]block, 0, len(planned))
	for _, b := range planned {
		list = append(list, block{Block: b})
	}
	return list
}
