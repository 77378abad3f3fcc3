package meter

// segment is a piece of straight-line code: what is executed when its first instruction is.
//
// Functions and loops begin with a segment that checks the counter and is always charged, leastCharge at least. Any
// other is charged only when the longest way to its end for which nothing was charged costs more than mostUncharged;
// then all of that way is. So a call of a function and a pass of a loop leave at most mostUncharged behind: all that is
// executed costs at most 1 + mostUncharged/leastCharge times what is charged.
type segment struct {
	// cost is its own static cost, way that of the longest way to its beginning that nothing was charged for.
	cost, way int64
	// start says that a function or a loop begins here.
	start bool
}

const (
	leastCharge   = 16
	mostUncharged = 64
	// freeCost is the cost up to which a function's callers pay for it.
	freeCost = 32
)

// charge is what to take from the counter at the segment's beginning.
func (s segment) charge() int64 {
	switch all := s.way + s.cost; {
	case s.start:
		return max(s.cost, leastCharge)
	case all > mostUncharged:
		return all
	}
	return 0
}

// open begins a segment behind a way; with start, that of a function or a loop.
func (b *body) open(way int64, start bool) {
	b.segment = int32(len(b.segments))
	b.segments = append(b.segments, segment{way: way, start: start})
}

// way is the cost of the longest way to here that nothing was charged for.
func (b *body) way() int64 {
	s := b.segments[b.segment]
	if s.charge() > 0 {
		return 0
	}
	return s.way + s.cost
}
