package meter

// A dispatch is a loop that begins by choosing one of the places behind the blocks in it, by a local:
//
//	loop block ... block local.get x br_table ... end ... end ... end
//
// Go's compiler makes one of every function that has a jump, and a jump is i32.const n, local.set x, br loop. So each
// passes the loop's beginning and the branch table. Where the place lies behind the jump, within a block that is still
// open, leaving that block does the same: then only jumps back are passes of the loop. See RATIONALE.md ("Why metering
// by rewriting?").
type dispatch struct {
	// local chooses one of count targets, the blocks in targets from first on. No targets: the loop is not a dispatch.
	local, first, count uint32
}

// header follows the instructions that make a dispatch, while there is nothing else between them.
type header struct {
	loop  int32
	local uint32
	// at is where the next of them must be.
	at     int
	chosen bool
}

// assignment follows the two instructions that give a local a constant.
type assignment struct {
	value, local uint32
	// constant and end are where the two end.
	constant, end int
}

// begin is the beginning of a block at start, which takes and leaves nothing.
func (b *body) begin(start int, op byte) {
	switch {
	case op == opLoop:
		b.header = header{loop: int32(len(b.frames)) - 1, at: b.r.at}
	case op == opBlock && start == b.header.at && !b.header.chosen:
		b.header.at = b.r.at
	}
}

// fetched is a local.get at start.
func (b *body) fetched(start int, local uint32) {
	if start == b.header.at && !b.header.chosen {
		b.header.local, b.header.at, b.header.chosen = local, b.r.at, true
	}
}

// assigned is a local.set at start.
func (b *body) assigned(start int, local uint32) {
	if start == b.assignment.constant {
		b.assignment.local, b.assignment.end = local, b.r.at
	}
}

// chosen is a br_table at start with targets from first on.
func (b *body) chosen(start int, first, count uint32) {
	if start == b.header.at && b.header.chosen {
		b.frames[b.header.loop].dispatch = dispatch{b.header.local, first, count}
	}
}

// direct returns the label of the place that a br at start to a loop is for, where that is a block that is still open.
func (b *body) direct(start int, label uint32) (uint32, bool) {
	loop := b.nest[len(b.nest)-1-int(label)]
	d := b.frames[loop].dispatch
	if d.count == 0 || start != b.assignment.end || d.local != b.assignment.local {
		return 0, false
	}
	target := b.targets[d.first+min(b.assignment.value, d.count-1)]
	inside := target - loop // the blocks of a dispatch are numbered from the loop on
	if inside <= 0 || int64(inside) > int64(label) || b.nest[len(b.nest)-1-int(label)+int(inside)] != target {
		return 0, false
	}
	return label - uint32(inside), true
}
