package meter

// emit appends the planned function's code, its size in front, to out. scratch is reused.
func (b *body) emit(out, scratch []byte) (all, used []byte) {
	e := emitter{m: b.m, b: b, fn: b.fn, out: scratch[:0], fuel: uint32(b.locals)}
	e.locals()
	e.cached = b.tighten()
	e.wrapped = e.cached || b.fn.counted
	if b.fn.counted {
		e.countStack(b.fn.stack)
	}
	switch {
	case b.fn.free:
	case !b.merged:
		e.chargeChecked(b.segments[0].charge())
	case e.cached:
		e.load()
	}
	if e.wrapped {
		e.out = e.m.appendBlock(e.out, b.fn.typ)
	}
	e.code()
	if e.wrapped {
		e.exit()
	}
	return append(appendU32(out, uint32(len(e.out))), e.out...), e.out
}

// tighten counts for each block the tight loops that it is in, and says whether there are any.
func (b *body) tighten() bool {
	any := false
	for i := range b.frames {
		f := &b.frames[i]
		if f.parent >= 0 {
			f.tight = b.frames[f.parent].tight
		}
		if f.passes && !f.calls {
			f.tight++
			any = true
		}
	}
	return any
}

// locals writes the function's locals, and one more for the counter.
func (e *emitter) locals() {
	start := reader{bytes: e.m.binary, at: e.fn.at, end: e.fn.end}
	start.u32("")
	groups := e.b.groups
	if !e.fn.free {
		groups++
	}
	e.out = append(appendU32(e.out, uint32(groups)), e.m.binary[start.at:e.b.code]...)
	if !e.fn.free {
		e.out = append(e.out, 1, typeI64)
	}
}

// code writes the instructions with their edits.
func (e *emitter) code() {
	at := e.b.code
	for i := range e.b.edits {
		d := &e.b.edits[i]
		e.out = append(e.out, e.m.binary[at:d.at]...)
		e.write(d)
		at = d.end
	}
	e.out = append(e.out, e.m.binary[at:e.fn.end]...)
}

// exit is what all ways out of a wrapped function lead to. The results are on the stack.
func (e *emitter) exit() {
	if e.fn.counted {
		e.returnStack(e.fn.stack)
	}
	if e.cached {
		e.store()
	}
	e.out = append(e.out, opEnd)
}

func (e *emitter) write(d *edit) {
	original := e.m.binary[d.at:d.end]
	switch d.kind {
	case editCharge:
		e.charge(e.b.segments[d.arg].charge())
	case editLoop:
		e.loop(original, &e.b.frames[d.frame], e.cost(d.arg))
	case editLoopEnd:
		e.out = append(e.out, original...)
		if !e.b.frames[d.frame].calls {
			e.out = append(e.out, opEnd)
		}
	case editIndex:
		e.out = appendU32(e.out, d.arg)
	case editBranch:
		e.branch(d, original)
	case editBranchTable:
		e.branchTable(d)
	case editReturn:
		e.leave(d, original)
	case editCall:
		e.around(d.free, func() { e.out = appendOp(e.out, opCall, d.arg) })
	case editCallIndirect:
		e.callIndirect(d, original)
	case editHelper:
		e.around(false, func() { e.out = appendOp(e.out, opCall, e.m.helperIndex(d.arg)) })
	case editTick:
		e.around(false, func() { e.out = appendOp(e.out, opCall, e.m.helperIndex(d.arg)) })
		e.out = append(e.out, original...)
	}
}

// around brings the counter to the global before a call and back after it.
func (e *emitter) around(free bool, call func()) {
	if !e.cached || free {
		call()
		return
	}
	e.store()
	call()
	e.load()
}

// callIndirect counts the stack that the callee may take without counting it.
func (e *emitter) callIndirect(d *edit, original []byte) {
	e.around(false, func() {
		bytes := e.m.indirect[d.arg]
		if bytes > 0 {
			e.countStack(bytes)
		}
		if place, ok := e.m.dispatchers.places[e.m.types[d.arg].bytes]; ok {
			e.out = appendOp(e.out, opCall, e.m.helperIndex(place))
		} else {
			e.out = append(e.out, original...)
		}
		if bytes > 0 {
			e.returnStack(bytes)
		}
	})
}

// label is the label, seen from within a block, of one that it is in: tight loops have two.
func (e *emitter) label(from, to int32, label uint32) uint32 {
	return label + uint32(e.b.frames[from].tight-e.b.frames[to].tight)
}

func (e *emitter) branch(d *edit, original []byte) {
	e.out = appendOp(e.out, original[0], e.label(d.frame, int32(d.arg), d.arg2))
}

func (e *emitter) branchTable(d *edit) {
	r := reader{bytes: e.m.binary, at: d.at + 1, end: d.end}
	e.out = appendOp(e.out, opBrTable, r.u32("the number of labels"))
	for _, target := range e.b.targets[d.arg : d.arg+d.arg2] {
		e.out = appendU32(e.out, e.label(d.frame, target, r.u32("a label")))
	}
}

// leave is a return: in a wrapped function, a branch to the end of the wrapping block.
func (e *emitter) leave(d *edit, original []byte) {
	if !e.wrapped {
		e.out = append(e.out, original...)
		return
	}
	e.out = appendOp(e.out, opBr, e.label(d.frame, 0, d.arg))
}
