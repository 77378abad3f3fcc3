package client

import (
	"iter"
	"time"

	"github.com/droverhq/drover/guests/modbus/plan"
	"github.com/droverhq/drover/guests/sdk"
)

// schedule is what one group of points reads, unit by unit.
type schedule []*part

// part is what a group reads of one unit. The indices of items are the points' places in the setup.
type part struct {
	unit *unit
	// size is how many items there will be; the blocks have them, piece by piece.
	size   int
	items  []plan.Item
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
		for pt := range s.pointsOf(g) {
			p := parts[pt.unit]
			if p == nil {
				p = &part{unit: pt.unit}
				parts[pt.unit] = p
				pt.unit.parts = append(pt.unit.parts, p)
				s.plans[g.Index] = append(s.plans[g.Index], p)
			}
			p.size++
		}
		for pt, i := range s.pointsOf(g) {
			p := parts[pt.unit]
			if p.items == nil {
				p.items = make([]plan.Item, 0, p.size)
			}
			p.items = append(p.items, pt.item(i))
		}
	}
	for _, u := range s.units {
		for _, p := range u.parts {
			p.blocks = blocks(plan.Blocks(p.items, u.limits, u.cuts))
		}
	}
}

// pointsOf yields the points of a group, and their places in the setup.
func (s *setup) pointsOf(g *sdk.Group) iter.Seq2[*point, int] {
	return func(yield func(*point, int) bool) {
		for _, id := range g.Points {
			if i, ok := s.find(id); ok && !yield(&s.points[i], i) {
				return
			}
		}
	}
}

func blocks(planned []plan.Block) []block {
	list := make([]block, 0, len(planned))
	for _, b := range planned {
		list = append(list, block{Block: b})
	}
	return list
}
