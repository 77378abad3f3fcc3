package meter

// refuel calls the host when the counter in a local is used up.
func (m *module) refuel(b []byte, fuel uint32) []byte {
	b = usedUp(b, fuel)
	b = append(b, opIf, typeVoid)
	b = appendI32(b, int32(ReasonFuel))
	b = appendOp(b, opCall, m.yieldIndex())
	b = appendOp(b, opLocalSet, fuel)
	return append(b, opEnd)
}

// usedUp leaves whether the counter in a local is.
func usedUp(b []byte, fuel uint32) []byte {
	b = appendI64(appendOp(b, opLocalGet, fuel), 0)
	return append(b, opI64LeS)
}

// emitter writes one function's code anew.
//
// The counter lives in a global. A function with a tight loop, one without calls, keeps it in a local and brings it
// back before each call and at its end.
type emitter struct {
	m   *module
	b   *body
	fn  *function
	out []byte
	// fuel is the local for the counter.
	fuel uint32
	// cached says that the local is where the counter is, wrapped that there is a block around the code, so that all
	// ways out lead to its end.
	cached, wrapped bool
}

// charge takes a cost from the counter.
func (e *emitter) charge(cost int64) {
	if cost == 0 {
		return
	}
	get, set, index := byte(opGlobalGet), byte(opGlobalSet), e.m.fuelIndex()
	if e.cached {
		get, set, index = opLocalGet, opLocalSet, e.fuel
	}
	e.out = appendI64(appendOp(e.out, get, index), cost)
	e.out = appendOp(append(e.out, opI64Sub), set, index)
}

// chargeChecked calls the host when the counter is used up, and takes a cost from it. It comes where the counter is in
// the global, at the beginning of a function too.
func (e *emitter) chargeChecked(cost int64) {
	e.load()
	e.out = e.m.refuel(e.out, e.fuel)
	e.out = appendI64(appendOp(e.out, opLocalGet, e.fuel), cost)
	e.out = append(e.out, opI64Sub)
	if e.cached {
		e.out = appendOp(e.out, opLocalSet, e.fuel)
		return
	}
	e.out = appendOp(e.out, opGlobalSet, e.m.fuelIndex())
}

// cost is what a pass of the loop with a segment is charged: with what comes before it, where the loop charges for that.
func (e *emitter) cost(index uint32) int64 {
	s := e.b.segments[index]
	if e.b.merged && index == 1 {
		s.cost += e.b.segments[0].cost
	}
	return s.charge()
}

// load brings the counter from the global into the local, store brings it back.
func (e *emitter) load() {
	e.out = appendOp(appendOp(e.out, opGlobalGet, e.m.fuelIndex()), opLocalSet, e.fuel)
}

func (e *emitter) store() {
	e.out = appendOp(appendOp(e.out, opLocalGet, e.fuel), opGlobalSet, e.m.fuelIndex())
}

// loop writes the beginning of a loop, bytes, and its charge.
//
// A tight loop becomes two: the inner one has no call and so keeps its values in registers; when the counter is used up
// it leaves for the outer one, which calls the host and enters it again. Parameters of the loop are below the
// condition: only br_if can take them along.
func (e *emitter) loop(bytes []byte, f *frame, cost int64) {
	e.out = append(e.out, bytes...)
	switch {
	case !f.calls:
		e.out = e.m.refuel(e.out, e.fuel)
		e.out = append(e.out, bytes...)
		e.out = usedUp(e.out, e.fuel)
		if f.params > 0 {
			e.out = append(e.out, opBrIf, 1)
		} else {
			e.out = append(e.out, opIf, typeVoid, opBr, 2, opEnd)
		}
		e.charge(cost)
	case e.cached:
		e.out = e.m.refuel(e.out, e.fuel)
		e.charge(cost)
	default:
		e.chargeChecked(cost)
	}
}

// countStack takes bytes of stack, and ends the guest when there are no more; returnStack gives them back.
func (e *emitter) countStack(bytes uint32) {
	stack := e.m.stackIndex()
	e.out = appendI32(appendOp(e.out, opGlobalGet, stack), int32(bytes))
	e.out = appendOp(append(e.out, opI32Sub), opGlobalSet, stack)
	e.out = appendI32(appendOp(e.out, opGlobalGet, stack), 0)
	e.out = append(e.out, opI32LtS, opIf, typeVoid)
	e.out = appendI32(e.out, int32(ReasonStack))
	e.out = appendOp(e.out, opCall, e.m.yieldIndex())
	e.out = append(e.out, opDrop, opUnreachable, opEnd)
}

func (e *emitter) returnStack(bytes uint32) {
	stack := e.m.stackIndex()
	e.out = appendI32(appendOp(e.out, opGlobalGet, stack), int32(bytes))
	e.out = appendOp(append(e.out, opI32Add), opGlobalSet, stack)
}
