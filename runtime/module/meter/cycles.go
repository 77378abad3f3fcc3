package meter

// components orders the functions so that each comes after those that it calls, cycles apart, and says which are on a
// cycle of direct calls (Tarjan, "Depth-first search and linear graph algorithms", 1972, with a stack of its own).
func (m *module) components() (order []uint32, cyclic []bool) {
	n := len(m.functions)
	t := tarjan{m: m, index: make([]int32, n), low: make([]int32, n), on: make([]bool, n), cyclic: make([]bool, n)}
	for i := range n {
		if t.index[i] == 0 {
			t.visit(uint32(i))
		}
	}
	return t.order, t.cyclic
}

type tarjan struct {
	m *module
	// index numbers the functions as they are found, from 1; low is the least that is reached from one.
	index, low []int32
	on, cyclic []bool
	pending    []uint32
	order      []uint32
	found      int32
}

// step is a function that is being visited, and its next call.
type step struct {
	function uint32
	next     int
}

func (t *tarjan) visit(root uint32) {
	steps := []step{t.enter(root)}
	for len(steps) > 0 {
		s := &steps[len(steps)-1]
		f := s.function
		if s.next < t.m.functions[f].lastCall {
			callee := t.m.calls[s.next]
			s.next++
			switch {
			case t.index[callee] == 0:
				steps = append(steps, t.enter(callee))
			case t.on[callee]:
				t.low[f] = min(t.low[f], t.index[callee])
				t.cyclic[f] = t.cyclic[f] || callee == f
			}
			continue
		}
		steps = steps[:len(steps)-1]
		if len(steps) > 0 {
			caller := steps[len(steps)-1].function
			t.low[caller] = min(t.low[caller], t.low[f])
		}
		t.leave(f)
	}
}

func (t *tarjan) enter(f uint32) step {
	t.found++
	t.index[f], t.low[f], t.on[f] = t.found, t.found, true
	t.pending = append(t.pending, f)
	return step{function: f, next: t.m.functions[f].firstCall}
}

// leave closes the component that f is the first of, if it is.
func (t *tarjan) leave(f uint32) {
	if t.low[f] != t.index[f] {
		return
	}
	several := t.pending[len(t.pending)-1] != f
	for {
		g := t.pending[len(t.pending)-1]
		t.pending = t.pending[:len(t.pending)-1]
		t.on[g] = false
		t.cyclic[g] = t.cyclic[g] || several
		t.order = append(t.order, g)
		if g == f {
			return
		}
	}
}
