package meter

// order visits the functions depth first and returns them in an order in which each comes after those that it calls,
// but for calls back to one that is being visited. Every cycle of direct calls has such a call; heads are the functions
// that they go to, so without them there is no cycle (Tarjan, "Depth-first search and linear graph algorithms", 1972).
func (m *module) order() (order []uint32, heads []bool) {
	n := len(m.functions)
	v := visit{m: m, found: make([]bool, n), open: make([]bool, n), heads: make([]bool, n)}
	for i := range n {
		if !v.found[i] {
			v.from(uint32(i))
		}
	}
	return v.order, v.heads
}

type visit struct {
	m *module
	// found are the functions that were come across, open those of them whose calls are being followed.
	found, open, heads []bool
	order              []uint32
	steps              []step
}

// step is a function that is open, and its next call.
type step struct {
	function uint32
	next     int
}

// from visits a function and all that it reaches, with a stack of its own.
func (v *visit) from(root uint32) {
	v.enter(root)
	for len(v.steps) > 0 {
		s := &v.steps[len(v.steps)-1]
		if s.next == v.m.functions[s.function].lastCall {
			v.open[s.function] = false
			v.order = append(v.order, s.function)
			v.steps = v.steps[:len(v.steps)-1]
			continue
		}
		callee := v.m.calls[s.next]
		s.next++
		if v.open[callee] {
			v.heads[callee] = true
		} else if !v.found[callee] {
			v.enter(callee)
		}
	}
}

func (v *visit) enter(f uint32) {
	v.found[f], v.open[f] = true, true
	v.steps = append(v.steps, step{function: f, next: v.m.functions[f].firstCall})
}
