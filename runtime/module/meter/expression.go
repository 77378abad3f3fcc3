package meter

import "fmt"

// expression reads a constant expression (core specification 2.0, 3.3.10) and appends it to out with the functions that
// it refers to renumbered. Which functions those are is noted.
func (m *module) expression(r *reader, out []byte) []byte {
	for {
		start := r.at
		op := r.byte("a constant expression")
		switch op {
		case opEnd:
			return append(out, op)
		case opI32Const:
			r.signed(32, "a constant")
		case opI64Const:
			r.signed(64, "a constant")
		case 0x43:
			r.skip(4, "a constant")
		case 0x44:
			r.skip(8, "a constant")
		case opGlobalGet:
			r.index("global", len(m.globals))
		case 0xd0:
			r.byte("a reference type")
		case opRefFunc:
			out = appendOp(out, opRefFunc, m.reference(r))
			continue
		case opVector:
			if n := r.u32("a vector instruction"); n != 12 {
				r.fail(start, "a constant expression", fmt.Sprintf("vector instruction %d", n))
			}
			r.skip(16, "a constant")
		case opI32Add, opI32Sub, 0x6c, opI64Add, opI64Sub, 0x7e:
			r.fail(start, "a constant expression of WebAssembly 2.0", "arithmetic (the feature extended constant expressions)")
		default:
			r.fail(start, "a constant expression", fmt.Sprintf("instruction 0x%02x", op))
		}
		if r.err != nil {
			return out
		}
		out = append(out, r.bytes[start:r.at]...)
	}
}

// reference reads the index of a function that a reference is taken of, and returns it renumbered.
func (m *module) reference(r *reader) uint32 {
	index := r.index("function", m.functionCount())
	if r.err == nil {
		m.take(index)
	}
	return m.shifted(index)
}

// take notes that a reference to a function is taken.
func (m *module) take(index uint32) {
	if m.taken == nil {
		m.taken = make([]bool, m.functionCount())
	}
	m.taken[index] = true
}
