package meter

import "fmt"

// control reads the instructions that branch, call, or take a reference.
func (b *body) control(start int, op byte) {
	b.straight = b.straight && (op == opBlock || op == opLoop)
	switch op {
	case opUnreachable:
		b.die()
	case opBlock, opLoop, opIf:
		b.enter(start, op)
	case opElse:
		b.otherwise(start)
	case opEnd:
		b.leave(start)
	case opBr, opBrIf:
		b.branch(start, op)
	case opBrTable:
		b.branchTable(start)
	case opReturn:
		b.operands(b.sig.results, 0)
		b.edit(edit{at: start, kind: editReturn, frame: b.nest[len(b.nest)-1], arg: uint32(len(b.nest) - 1)})
		b.die()
	case opCall:
		b.call(start)
	case opCallIndirect:
		b.callIndirect(start)
	case opSelectTyped:
		for range b.r.count("types", b.m.limits.Locals) {
			readValueType(&b.r)
		}
		b.operands(3, 1)
	case opMemoryGrow:
		b.r.byte("a memory's index")
		b.bulk(start, helperGrow)
		b.operands(1, 1)
	case opRefFunc:
		at := b.r.at
		b.m.observed = true
		index := b.r.index("function", b.m.functionCount())
		if b.r.err == nil {
			b.m.take(index)
		}
		b.edit(edit{at: at, kind: editIndex, arg: b.m.shifted(index)})
		b.operands(0, 1)
	}
}

// blockType reads a block's type: how many parameters and results it has.
func (b *body) blockType() (params, results int) {
	start := b.r.at
	t := b.r.signed(33, "a block's type")
	switch {
	case b.r.err != nil:
	case t >= 0 && t < int64(len(b.m.types)):
		s := &b.m.types[t]
		b.vector = b.vector || s.vector
		return s.params, s.results
	case t == -64: // 0x40
	case t < 0 && t >= -64 && isValueType(byte(t&0x7f)):
		b.vector = b.vector || byte(t&0x7f) == typeV128
		return 0, 1
	default:
		b.r.fail(start, fmt.Sprintf("a block's type: a value type or one of %d types", len(b.m.types)), fmt.Sprint(t))
	}
	return 0, 0
}

// enter opens a block.
func (b *body) enter(start int, op byte) {
	if op == opIf {
		b.spend(costSimple)
		b.operands(1, 0)
	}
	params, results := b.blockType()
	b.operands(params, params)
	b.push(op, params, results)
	if params == 0 && results == 0 {
		b.begin(start, op)
	}
	switch op {
	case opLoop:
		b.loop(start)
	case opIf:
		b.charge(b.way())
	}
}

// loop begins a loop. When nothing branches to it, it is none.
func (b *body) loop(start int) {
	b.loops++
	if loop := b.fn.firstLoop + b.loops - 1; loop < len(b.m.passing) && !b.m.passing[loop] {
		return
	}
	b.top().passes = true
	b.merged = b.merged || b.straight
	b.straight = false
	b.open(0, true)
	b.edit(edit{at: start, kind: editLoop, frame: int32(len(b.frames) - 1), arg: uint32(b.segment)})
}

// charge opens a segment here, behind a way.
func (b *body) charge(way int64) {
	b.open(way, false)
	b.edit(edit{at: b.r.at, kind: editCharge, arg: uint32(b.segment)})
}

// otherwise is the else of an if.
func (b *body) otherwise(start int) {
	f := b.top()
	if f.op != opIf {
		b.r.fail(start, "an else within an if", "an else outside of one")
		return
	}
	b.finish(f)
	b.arrive(f)
	f.op, f.dead = opElse, false
	b.height = f.base
	b.operands(0, f.params)
	b.charge(f.entry)
}

// finish checks that a block's results are there.
func (b *body) finish(f *frame) {
	b.operands(f.results, 0)
	if b.height != f.base {
		b.r.fail(b.r.at, fmt.Sprintf("%d operands at the end of a block", f.results), fmt.Sprint(f.results+b.height-f.base))
	}
}

// leave is the end of a block.
func (b *body) leave(start int) {
	index := b.nest[len(b.nest)-1]
	f := &b.frames[index]
	b.finish(f)
	b.nest = b.nest[:len(b.nest)-1]
	if len(b.nest) == 0 {
		return
	}
	b.top().sets += f.sets
	if f.op == opIf {
		f.way = max(f.way, f.entry)
	}
	if f.dead {
		b.open(0, false)
	}
	b.busy = b.busy || f.op == opLoop && f.targeted
	if f.passes {
		b.edit(edit{at: start, kind: editLoopEnd, frame: index})
	}
	b.operands(0, f.results)
	if f.op != opBlock || f.targeted {
		b.values.merged(min(f.sets, b.locals) + f.results)
		b.charge(max(f.way, b.way()))
	}
}

// arrive is a way to the end of a block.
func (b *body) arrive(f *frame) {
	if f.op != opLoop && !b.top().dead {
		f.way = max(f.way, b.way())
	}
}

// target returns the block that a label means, and how many operands a branch to it takes.
func (b *body) target(label uint32) (index int32, arity int) {
	index = b.nest[len(b.nest)-1-int(label)]
	f := &b.frames[index]
	f.targeted = true
	b.arrive(f)
	if f.op == opLoop {
		return index, f.params
	}
	return index, f.results
}

func (b *body) branch(start int, op byte) {
	label := b.r.index("label", len(b.nest))
	if b.r.err != nil {
		return
	}
	if nearer, ok := b.direct(start, label); ok && op == opBr {
		label = nearer
	}
	index, arity := b.target(label)
	if op == opBrIf {
		b.operands(1, 0)
	}
	b.operands(arity, arity)
	if b.loops > 0 {
		b.edit(edit{at: start, kind: editBranch, frame: b.nest[len(b.nest)-1], arg: uint32(index), arg2: label})
	}
	if op == opBrIf {
		b.charge(b.way())
		return
	}
	b.die()
}

func (b *body) branchTable(start int) {
	n := b.r.count("labels", b.m.limits.FunctionSize) + 1
	b.spend(costSimple)
	first := len(b.targets)
	for range n {
		label := b.r.index("label", len(b.nest))
		if b.r.err != nil {
			return
		}
		index, _ := b.target(label)
		b.targets = append(b.targets, index)
	}
	b.operands(1, 0)
	b.chosen(start, uint32(first), uint32(n))
	if b.loops > 0 {
		b.edit(edit{at: start, kind: editBranchTable, frame: b.nest[len(b.nest)-1], arg: uint32(first), arg2: uint32(n)})
	}
	b.die()
}

func (b *body) call(start int) {
	index := b.r.index("function", b.m.functionCount())
	if b.r.err != nil {
		return
	}
	b.busy = true
	s := b.m.typeOf(index)
	b.vector = b.vector || s.vector
	e := edit{at: start, kind: editCall, arg: b.m.shifted(index)}
	if own := int(index) - len(b.m.imports); own < 0 {
		b.spend(costHostCall)
		b.called()
	} else if b.m.functions[own].free {
		b.spend(b.m.functions[own].cost)
		e.free = true
	} else {
		b.called()
	}
	b.edit(e)
	b.operands(s.params, 0)
	b.values.crossed(b.height)
	b.operands(0, s.results)
}

func (b *body) callIndirect(start int) {
	index := b.r.index("type", len(b.m.types))
	b.r.index("table", b.m.tables)
	if b.r.err != nil {
		return
	}
	s := &b.m.types[index]
	b.m.calledIndirectly(index)
	b.vector = b.vector || s.vector
	b.spend(freeCost)
	b.fn.indirect = true
	b.called()
	b.edit(edit{at: start, kind: editCallIndirect, arg: index})
	b.operands(s.params+1, 0)
	b.values.crossed(b.height)
	b.operands(0, s.results)
}
