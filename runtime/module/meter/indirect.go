package meter

import "bytes"

// A call_indirect needs a table of references, and wazero makes each of them anew for each instance: 170 KB for a Go
// program, which has all its functions there. Where a table can be neither changed nor looked at, what it holds is known
// here, so that a function can take its place: it branches by the index to a direct call.

// dispatchers are the functions that stand for call_indirect.
type dispatchers struct {
	// slots are the table's content: a function's index in the input plus 1, or 0.
	slots []uint32
	// places are those of the dispatchers among the helpers, by the type's encoding. nil: call_indirect stays.
	places map[string]uint32
	// left are functions of two types, or of one where there is but one, which are all that the table still holds: for
	// calls that trap because the type is another one.
	left []uint32
}

const (
	// mostDispatched is how many values may live in all blocks of a dispatcher: a compiler's time grows with them.
	mostDispatched = 100_000
	// mostParams is how many parameters are passed on.
	mostParams = 100
	// mostSlots is how large a table may be.
	mostSlots = 65_536
	// dispatcherGrowth is how many times the module's size all dispatchers may have.
	dispatcherGrowth = 4
)

// calledIndirectly notes a type of call_indirect, once each.
func (m *module) calledIndirectly(typ uint32) {
	for _, t := range m.indirectTypes {
		if m.types[t].bytes == m.types[typ].bytes {
			return
		}
	}
	m.indirectTypes = append(m.indirectTypes, typ)
}

// planDispatchers decides whether there are dispatchers. It is called when all functions were scanned once.
func (m *module) planDispatchers() {
	if m.observed || m.tables != 1 || len(m.indirectTypes) == 0 || !m.readSlots() {
		return
	}
	size := 0
	first, last := m.span()
	for _, t := range m.indirectTypes {
		functions := m.ofType(t)
		values := functions * (m.types[t].params + 1)
		size += 5*(last-first) + 16*functions + 4*values + 64
		if values > mostDispatched || m.types[t].params > mostParams || size > dispatcherGrowth*len(m.binary) {
			return
		}
	}
	m.dispatchers.places = map[string]uint32{}
	for _, t := range m.indirectTypes {
		m.dispatchers.places[m.types[t].bytes] = m.helpers.need(helperFunction{helperDispatch, t})
	}
	m.leave()
	for i := range m.functions {
		if fn := &m.functions[i]; m.taken[len(m.imports)+i] {
			fn.frame += m.dispatcherFrame(fn.typ)
		}
	}
}

// dispatcherFrame is what a dispatcher's own call takes of the stack.
func (m *module) dispatcherFrame(typ uint32) uint32 {
	s := &m.types[typ]
	return uint32(frameCall + slot*(s.params+1+s.results))
}

// leave chooses what the table still holds.
func (m *module) leave() {
	d := &m.dispatchers
	for _, s := range d.slots {
		if s != 0 && (len(d.left) == 0 || m.typeOf(d.left[0]).bytes != m.typeOf(s-1).bytes) {
			if d.left = append(d.left, s-1); len(d.left) == 2 {
				return
			}
		}
	}
}

// span is where in the table its first function is, and the place behind its last.
func (m *module) span() (first, last int) {
	for i, s := range m.dispatchers.slots {
		if s != 0 {
			if last == 0 {
				first = i
			}
			last = i + 1
		}
	}
	return first, last
}

// ofType is how many functions of a type the table has.
func (m *module) ofType(typ uint32) int {
	seen := map[uint32]bool{}
	for _, s := range m.dispatchers.slots {
		if s != 0 && m.typeOf(s-1).bytes == m.types[typ].bytes {
			seen[s] = true
		}
	}
	return len(seen)
}

// readSlots reads what the table holds, and says whether that is certain.
func (m *module) readSlots() bool {
	least := -1
	for _, s := range m.sections {
		switch r := m.reader(s); s.id {
		case sectionTable:
			r.u32("")
			element, n, _ := m.readTable(&r)
			if element != typeFuncRef || n > mostSlots {
				return false
			}
			least = int(n)
		case sectionElement:
			if least < 0 {
				return false // the table is imported
			}
			m.dispatchers.slots = make([]uint32, least)
			for range r.u32("") {
				if !m.readSegment(&r) {
					return false
				}
			}
		}
	}
	return m.dispatchers.slots != nil && m.taken != nil
}

// readSegment reads a segment that is active, in the table from a constant place on, and made of functions.
func (m *module) readSegment(r *reader) bool {
	kind := r.u32("")
	if kind != 0 && kind != elementExplicit || kind == elementExplicit && r.u32("") != 0 {
		return false
	}
	offset, constant := constantOffset(r)
	if !constant || kind == elementExplicit && r.byte("") != 0 {
		return false
	}
	n := r.u32("")
	if uint64(offset)+uint64(n) > uint64(len(m.dispatchers.slots)) {
		return false
	}
	for i := range n {
		m.dispatchers.slots[offset+i] = r.u32("") + 1
	}
	return r.err == nil
}

// writeLeft writes the element section with what the table still holds.
func (m *module) writeLeft() []byte {
	b := appendI32([]byte{1, 0}, 0)
	b = appendU32(append(b, opEnd), uint32(len(m.dispatchers.left)))
	for _, f := range m.dispatchers.left {
		b = appendU32(b, m.shifted(f))
	}
	return b
}

// dispatcherSignature is that of the functions of a type, with the index in the table behind the parameters.
func (m *module) dispatcherSignature(typ uint32) []byte {
	s := &m.types[typ]
	params := s.bytes[:len(s.bytes)-len(s.resultBytes)]
	r := reader{bytes: []byte(params), end: len(params)}
	r.u32("")
	out := appendU32([]byte{typeFunc}, uint32(s.params+1))
	out = append(append(out, params[r.at:]...), typeI32)
	return append(out, s.resultBytes...)
}

// dispatcherCode calls the function at the index in the last parameter:
//
//	block                                       no function
//	  block                                     a function of another type
//	    block .. block block                    one for each function
//	      br_table (index - first) ..
//	    end
//	    the parameters; call; return            the first function
//	    end
//	    ..
//	  end
//	  the parameters; call_indirect what is left of another type
//	end
//	the parameters; call_indirect beyond the table
func (m *module) dispatcherCode(typ uint32) []byte {
	functions, table := m.dispatcherTable(typ)
	b := append([]byte{0}, bytes.Repeat([]byte{opBlock, typeVoid}, len(functions)+2)...)
	b = append(b, table...)
	for _, f := range functions {
		b = append(b, opEnd)
		b = m.passOn(b, typ)
		b = append(appendOp(b, opCall, m.shifted(f)), opReturn)
	}
	for _, index := range []int32{m.otherType(typ), -1} {
		b = append(b, opEnd)
		b = appendI32(m.passOn(b, typ), index)
		b = append(appendOp(b, opCallIndirect, typ), 0, opReturn)
	}
	return append(b, opUnreachable, opEnd)
}

// dispatcherTable is the br_table, with its operand, and the functions of the type in the order of their blocks.
func (m *module) dispatcherTable(typ uint32) (functions []uint32, b []byte) {
	first, last := m.span()
	b = appendI32(appendOp(nil, opLocalGet, uint32(m.types[typ].params)), int32(first))
	b = appendU32(append(b, opI32Sub, opBrTable), uint32(last-first))
	n := uint32(m.ofType(typ))
	labels := map[uint32]uint32{0: n + 1}
	for _, s := range m.dispatchers.slots[first:last] {
		label, known := labels[s]
		if !known {
			if label = n; m.typeOf(s-1).bytes == m.types[typ].bytes {
				label = uint32(len(functions))
				functions = append(functions, s-1)
			}
			labels[s] = label
		}
		b = appendU32(b, label)
	}
	return functions, appendU32(b, n+1)
}

// passOn leaves the parameters of a function of the type, which are the dispatcher's first.
func (m *module) passOn(b []byte, typ uint32) []byte {
	for i := range m.types[typ].params {
		b = appendOp(b, opLocalGet, uint32(i))
	}
	return b
}

// otherType is where in the table a function of another type is left; -1 where there is none.
func (m *module) otherType(typ uint32) int32 {
	for i, f := range m.dispatchers.left {
		if m.typeOf(f).bytes != m.types[typ].bytes {
			return int32(i)
		}
	}
	return -1
}
