package meter

// segment is a piece of straight-line code: what is executed when its first instruction is.
//
// Functions and loops begin with a segment that is always charged and checks the counter. Any other one is charged by
// itself or, where it is small, by its holder, a segment that is executed before it: a jump saves little of what was
// charged then. All charges together are at most twice the cost of what is executed, and freeCharge for each charge.
type segment struct {
	// charge is what it costs; 0 once another segment holds it.
	charge int64
	// slack is how much more it may take over from segments behind it.
	slack int64
	// dominator is the segment that is executed before this one; holder the one that charges for it.
	dominator, holder int32
	// start says that a function or a loop begins here.
	start bool
}

// freeCharge is how much may be charged that is not executed; also the cost up to which a function is free.
const freeCharge = 32

// open ends the current segment and begins one behind dominator; with start, that of a function or a loop.
func (b *body) open(dominator int32, start bool) int32 {
	if len(b.segments) > 0 {
		b.settle(b.segment)
	}
	b.segment = int32(len(b.segments))
	b.segments = append(b.segments, segment{dominator: dominator, start: start})
	return b.segment
}

// settle decides who charges for a segment, now that its cost is known.
func (b *body) settle(index int32) {
	s := &b.segments[index]
	if !s.start {
		holder := &b.segments[b.segments[s.dominator].holder]
		if s.charge <= holder.slack {
			holder.slack -= s.charge
			holder.charge += s.charge
			s.charge, s.holder = 0, b.segments[s.dominator].holder
			return
		}
	}
	s.holder, s.slack = index, max(freeCharge, s.charge)
}
