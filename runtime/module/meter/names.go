package meter

// Subsections of the name section (core specification 2.0, 7.4.1, and the extended name section proposal).
const (
	namesModule    = 0
	namesFunctions = 1
	namesLocals    = 2
	namesLabels    = 3
	namesGlobals   = 7
	namesData      = 9
)

// names returns the name section's content for the rewritten module, or nil where the section is malformed. Labels are
// left out: there are more blocks now.
func (m *module) names(r *reader) []byte {
	out := []byte{}
	for !r.done() {
		start := r.at
		id := r.byte("a kind of names")
		p := r.part(r.u32("a size"), "names")
		switch {
		case id == namesModule:
			p.name("the module's name")
			out = append(out, r.bytes[start:r.at]...)
		case id == namesFunctions:
			out = appendSection(out, id, m.functionNames(&p))
		case id == namesLocals:
			out = appendSection(out, id, m.localNames(&p))
		case id == namesLabels || id > namesData:
			p.at = p.end
		default:
			out = append(out, r.bytes[start:r.at]...)
			p.at = p.end
		}
		if r.err != nil || p.err != nil || !p.done() {
			return nil
		}
	}
	return out
}

// functionNames adds the functions that are new: the last import, and those behind all others.
func (m *module) functionNames(r *reader) []byte {
	n := r.count("names", 1<<30)
	out := appendU32(nil, uint32(n+1+len(m.helpers.list)))
	named := false
	yield := func() {
		if !named {
			out = appendName(appendU32(out, m.yieldIndex()), ImportModule+"."+ImportName)
			named = true
		}
	}
	for range n {
		index := r.u32("a function's index")
		if index >= m.yieldIndex() {
			yield()
		}
		out = appendName(appendU32(out, m.shifted(index)), r.name("a function's name"))
		if r.err != nil {
			return nil
		}
	}
	yield()
	for i, h := range m.helpers.list {
		out = appendName(appendU32(out, m.helperIndex(uint32(i))), h.name())
	}
	return out
}

// localNames renumbers the functions; the locals stay, because new ones come behind them.
func (m *module) localNames(r *reader) []byte {
	n := r.count("functions", 1<<30)
	out := appendU32(nil, uint32(n))
	for range n {
		out = appendU32(out, m.shifted(r.u32("a function's index")))
		start := r.at
		for range r.count("names", 1<<30) {
			r.u32("a local's index")
			r.name("a local's name")
			if r.err != nil {
				return nil
			}
		}
		out = append(out, r.bytes[start:r.at]...)
	}
	return out
}
