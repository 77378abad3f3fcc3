package meter

const (
	// frameCall is what a call takes besides its values, slot what each value does, in bytes.
	frameCall = 64
	slot      = 8
	// mostUncounted is how many bytes may be on the stack at the end of it, in functions that do not count.
	mostUncounted = 64 << 10
	// mostRepeated is how many bytes of such functions may be between two that count.
	mostRepeated = 1 << 10
)

// frameSize estimates how many bytes of stack a call of the scanned function takes.
//
// Its parameters, locals and operands are only the least. A compiler gives a slot to each value that it cannot keep in
// a register, and wazero's never gives one to two: a local that is set a thousand times has a thousand values, and one
// more wherever two ways meet. Of the latter, few are needed; they count half.
func (b *body) frameSize() uint32 {
	slots := b.locals + b.wide + b.greatest + b.values.sets + b.values.kept + b.values.merges/2
	if b.vector {
		slots *= 2
	}
	return uint32(min(slot*slots+frameCall, 1<<28))
}

// chain is the deepest stack of functions that do not count, from one of them on: to its end, and to a call from which
// on it may come back.
type chain struct{ all, repeated uint32 }

// countStack decides which functions count bytes of stack, and how many.
//
// Recursion without end passes for ever through a cycle of direct calls or through call_indirect. In each cycle one
// function counts its own frame, and the frames of functions that do not count between it and what can come back to it;
// where these are large, so do some of them. A call_indirect counts such frames too, of any function that it may reach.
// What is not on a cycle counts only where its frames are large.
func (m *module) countStack() {
	order, heads := m.order()
	chains := make([]chain, len(m.functions))
	for i := range heads {
		m.functions[i].counted = heads[i]
	}
	for _, i := range order {
		fn := &m.functions[i]
		below, back := m.below(fn, chains)
		own := chain{all: fn.frame + below.all}
		if back {
			own.repeated = fn.frame + below.repeated
		}
		if fn.counted = heads[i] || own.all > mostUncounted || own.repeated > mostRepeated; fn.counted {
			fn.stack = fn.frame + below.repeated
			m.stats.StackCounted++
			continue
		}
		chains[i] = own
	}
	m.countIndirect(chains)
}

// below is the deepest chain that a function calls; back says whether a call of it may come back to it.
func (m *module) below(fn *function, chains []chain) (below chain, back bool) {
	back = fn.indirect
	for _, callee := range m.calls[fn.firstCall:fn.lastCall] {
		c := chains[callee]
		below.all, below.repeated = max(below.all, c.all), max(below.repeated, c.repeated)
		back = back || m.functions[callee].counted || c.repeated > 0
	}
	return below, back
}

// countIndirect finds for each type the most that functions of it repeat, those that a reference may be taken of.
func (m *module) countIndirect(chains []chain) {
	most := map[string]uint32{}
	for i, c := range chains {
		if index := len(m.imports) + i; m.taken != nil && m.taken[index] {
			typ := m.types[m.functions[i].typ].bytes
			most[typ] = max(most[typ], c.repeated)
		}
	}
	m.indirect = make([]uint32, len(m.types))
	for i, t := range m.types {
		m.indirect[i] = most[t.bytes]
	}
}
