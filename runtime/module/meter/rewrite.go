package meter

import "fmt"

// Rewrite returns the module with metering. A module that cannot be rewritten, or that has more than its limits say, is
// refused with an *Error. The memory that this takes is a small multiple of the module's size.
func Rewrite(binary []byte, l Limits) (*Module, error) {
	l = l.withDefaults()
	if len(binary) > l.Size {
		return nil, &Error{0, fmt.Sprintf("a module of at most %d bytes", l.Size), fmt.Sprint(len(binary))}
	}
	m, err := readModule(binary, l)
	if err != nil {
		return nil, err
	}
	if err := m.survey(); err != nil {
		return nil, err
	}
	m.planDispatchers()
	m.countStack()
	out, err := m.write()
	if err != nil {
		return nil, err
	}
	m.stats.Before, m.stats.After = len(binary), len(out)
	if m.counted >= 0 && m.counted != int64(len(m.data)) {
		m.forbid("it says that it has %d data segments and has %d", m.counted, len(m.data))
	}
	return &Module{
		Binary: out, Pages: m.pages, Statistics: m.stats, memory: m.memory, changing: m.changing, obstacle: m.obstacle,
	}, nil
}

// survey scans all functions for what must be known before the first is rewritten.
func (m *module) survey() error {
	b := &body{m: m}
	free := make([]bool, len(m.functions))
	merges := 0
	for i := range m.functions {
		fn := &m.functions[i]
		fn.firstLoop = len(m.passing)
		if err := b.scan(fn); err != nil {
			return err
		}
		merges += b.values.merges
		if err := m.boundMerges(fn, b.values.merges, merges); err != nil {
			return err
		}
		m.addLoops(b.frames)
		fn.firstCall = len(m.calls)
		m.addCalls(b.edits)
		fn.lastCall = len(m.calls)
		fn.cost, fn.frame = b.cost, b.frameSize()
		free[i] = !b.busy && b.cost <= freeCost
		m.stats.Loops += b.loops
	}
	for i := range free {
		m.functions[i].free = free[i]
		if !free[i] {
			m.stats.Metered++
		}
	}
	m.stats.Functions = len(m.functions)
	return nil
}

// boundMerges refuses what would take a compiler minutes.
func (m *module) boundMerges(fn *function, own, all int) error {
	const values = "values that come from two places"
	switch {
	case own > m.limits.Merges:
		return &Error{fn.at, fmt.Sprintf("a function with at most %d %s", m.limits.Merges, values), fmt.Sprint(own)}
	case all > m.limits.ModuleMerges:
		most := fmt.Sprintf("a module with at most %d %s", m.limits.ModuleMerges, values)
		return &Error{fn.at, most, fmt.Sprintf("%d up to here", all)}
	}
	return nil
}

// addLoops notes which loops something branches to.
func (m *module) addLoops(frames []frame) {
	for i := range frames {
		if f := &frames[i]; f.op == opLoop {
			m.passing = append(m.passing, f.targeted)
		}
	}
}

// addCalls notes which of the module's own functions are called, the same in a row once.
func (m *module) addCalls(edits []edit) {
	first, begin := uint32(len(m.imports))+1, len(m.calls) // what another function calls is none of this one's
	for _, e := range edits {
		if e.kind != editCall || e.arg < first {
			continue
		}
		if callee, n := e.arg-first, len(m.calls); n == begin || m.calls[n-1] != callee {
			m.calls = append(m.calls, callee)
		}
	}
}
