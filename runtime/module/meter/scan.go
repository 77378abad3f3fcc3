package meter

import "fmt"

// body is what a scan finds in one function's code. It is used again for the next function.
type body struct {
	m   *module
	fn  *function
	sig *signature
	r   reader

	// code is where the instructions begin. groups counts the groups of locals, locals all with the parameters, wide
	// those of them that have 16 bytes; vector says that operands may have, too.
	code, groups, locals, wide int
	vector                     bool

	// frames are all blocks of the function, itself the first; nest are those that are open, the innermost last.
	frames []frame
	nest   []int32

	segments []segment
	segment  int32
	edits    []edit
	targets  []int32

	header     header
	assignment assignment

	// height is how many operands there are, greatest how many there ever were.
	height, greatest int
	values           values
	cost, loops      int
	// busy says that the function calls, loops or works on memory in bulk.
	busy bool
	// straight says that there is only one way to here; merged that a loop to which there was, checks and charges for the
	// function's beginning, too.
	straight, merged bool
}

// frame is a block: the function, or one that block, loop or if opens.
type frame struct {
	parent int32
	// entry is the longest way to the block's beginning that nothing was charged for, way that to a branch to its end.
	entry, way int64
	// base is the operands' height below the block's parameters.
	base            int
	params, results int
	op              byte
	// dead says that the rest of the block cannot be reached, targeted that something branches to it.
	dead, targeted bool
	// passes says that something branches to a loop. Other loops are like blocks.
	passes bool
	// calls says that a loop has calls, which ends hope of keeping its counter in a register.
	calls bool
	// tight is the number of loops without calls that the block is in, itself counted.
	tight    int32
	sets     int
	dispatch dispatch
}

func (b *body) top() *frame { return &b.frames[b.nest[len(b.nest)-1]] }

// scan reads the code of a function. With what earlier scans found of all functions it plans the edits.
func (b *body) scan(fn *function) error {
	*b = body{
		m: b.m, fn: fn, sig: &b.m.types[fn.typ], r: reader{bytes: b.m.binary, at: fn.at, end: fn.end},
		frames: b.frames[:0], nest: b.nest[:0], segments: b.segments[:0], edits: b.edits[:0], targets: b.targets[:0],
		straight: true,
	}
	b.readLocals()
	b.code = b.r.at
	b.open(0, true)
	b.push(opBlock, 0, b.sig.results)
	for len(b.nest) > 0 && b.r.err == nil {
		b.instruction()
	}
	if !b.r.done() {
		b.r.fail(b.r.at, "the end of the function", fmt.Sprintf("%d more bytes", b.r.end-b.r.at))
	}
	if b.r.err != nil {
		return b.r.err
	}
	return nil
}

func (b *body) readLocals() {
	b.locals, b.wide = b.sig.params, b.sig.wide
	b.groups = b.r.count("groups of locals", b.m.limits.FunctionSize)
	for range b.groups {
		start := b.r.at
		n := int(b.r.u32("the number of locals"))
		if n > b.m.limits.Locals-b.locals {
			b.r.fail(start, fmt.Sprintf("at most %d locals and parameters", b.m.limits.Locals), fmt.Sprint(b.locals+n))
			return
		}
		b.locals += n
		if readValueType(&b.r) == typeV128 {
			b.wide += n
		}
	}
	b.vector = b.wide > 0
}

// push opens a block with its parameters on the stack.
func (b *body) push(op byte, params, results int) {
	f := frame{parent: -1, entry: b.way(), base: b.height - params, params: params, results: results, op: op}
	if n := len(b.nest); n > 0 {
		f.parent = b.nest[n-1]
		if n > b.m.limits.Nesting {
			b.r.fail(b.r.at, fmt.Sprintf("blocks nested at most %d deep", b.m.limits.Nesting), fmt.Sprint(n))
		}
	}
	b.nest = append(b.nest, int32(len(b.frames)))
	b.frames = append(b.frames, f)
}

// operands takes and leaves operands.
func (b *body) operands(pops, push int) {
	if f := b.top(); b.height-pops < f.base {
		if !f.dead {
			b.r.fail(b.r.at, fmt.Sprintf("%d operands before here", pops), fmt.Sprint(b.height-f.base))
		}
		b.height = f.base
	} else {
		b.height -= pops
	}
	b.values.popped(b.height)
	b.height += push
	b.values.pushed(b.height)
	b.greatest = max(b.greatest, b.height)
}

// spend adds to the cost of the current segment, unless it can never be executed.
func (b *body) spend(cost int) {
	if !b.top().dead {
		b.segments[b.segment].cost += int64(cost)
		b.cost += cost
	}
}

// die says that the rest of the block cannot be reached.
func (b *body) die() {
	f := b.top()
	f.dead, b.height = true, f.base
	b.values.popped(b.height)
}

// called says that the function calls something that is not free, in the loops that it is in.
func (b *body) called() {
	b.busy = true
	for i := b.nest[len(b.nest)-1]; i >= 0 && !b.frames[i].calls; i = b.frames[i].parent {
		b.frames[i].calls = true
	}
}
