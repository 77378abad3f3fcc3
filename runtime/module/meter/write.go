package meter

import "slices"

// write writes the module. Sections that it lacks and that are needed come in their places.
func (m *module) write() ([]byte, error) {
	code, err := m.code()
	if err != nil {
		return nil, err
	}
	yield := m.addType([]byte{typeFunc, 1, typeI32, 1, typeI64})
	var helperTypes []uint32
	for _, h := range m.helpers.list {
		helperTypes = append(helperTypes, m.addType(m.signatureOf(h)))
	}
	missing := []byte{sectionType, sectionImport, sectionGlobal}
	for _, s := range m.sections {
		missing = slices.DeleteFunc(missing, func(id byte) bool { return id == s.id })
	}
	out := make([]byte, 0, len(m.binary)+len(m.binary)/4+len(code))
	out = append(out, preamble...)
	add := func(s section) {
		out = m.section(out, s, code, yield, helperTypes)
	}
	for _, s := range m.sections {
		for s.id != sectionCustom && len(missing) > 0 && rank[missing[0]] < rank[s.id] {
			add(section{id: missing[0]})
			missing = missing[1:]
		}
		add(s)
	}
	for _, id := range missing {
		add(section{id: id})
	}
	return out, nil
}

// section appends a section as it is in the rewritten module. One that is not in the input is empty.
func (m *module) section(out []byte, s section, code []byte, yield uint32, helperTypes []uint32) []byte {
	body := m.binary[s.at:s.end]
	r := m.reader(s)
	switch s.id {
	case sectionCustom:
		return m.custom(out, s)
	case sectionType:
		body = extend(body, m.added...)
	case sectionImport:
		added := appendName(appendName(nil, ImportModule), ImportName)
		body = extend(body, appendU32(append(added, 0), yield))
	case sectionFunction:
		body = extend(body, encodeAll(helperTypes)...)
	case sectionTable:
		body = m.writeTables(&r)
	case sectionGlobal:
		body = m.writeGlobals(&r)
	case sectionExport:
		body = m.writeExports(&r)
	case sectionStart:
		body = appendU32(nil, m.shifted(r.u32("")))
	case sectionElement:
		body = m.elements(&r, nil)
		if m.dispatchers.places != nil {
			body = m.writeLeft()
		}
	case sectionCode:
		body = code
	}
	return appendSection(out, s.id, body)
}

// extend adds items to a vector, which may be missing.
func extend(vector []byte, items ...[]byte) []byte {
	r := reader{bytes: vector, end: len(vector)}
	n := 0
	if len(vector) > 0 {
		n = int(r.u32(""))
	}
	out := append(appendU32(nil, uint32(n+len(items))), vector[r.at:]...)
	for _, item := range items {
		out = append(out, item...)
	}
	return out
}

func encodeAll(indices []uint32) [][]byte {
	var out [][]byte
	for _, i := range indices {
		out = append(out, appendU32(nil, i))
	}
	return out
}

// code writes the code section: the functions, and the helpers that they need.
func (m *module) code() ([]byte, error) {
	for _, fn := range m.functions {
		if fn.counted || !fn.free {
			m.wrap(fn.typ)
		}
	}
	out := make([]byte, 0, len(m.binary)+len(m.binary)/4)
	out = appendU32(out, uint32(len(m.functions)+len(m.helpers.list)))
	var scratch []byte
	b := &body{m: m}
	for i := range m.functions {
		if err := b.scan(&m.functions[i]); err != nil {
			return nil, err
		}
		out, scratch = b.emit(out, scratch)
	}
	for _, h := range m.helpers.list {
		helper := m.helperCode(h)
		out = append(appendU32(out, uint32(len(helper))), helper...)
	}
	return out, nil
}

// writeTables lowers the tables' maxima.
func (m *module) writeTables(r *reader) []byte {
	n := r.u32("")
	out := appendU32(nil, n)
	for range n {
		element, least, most := m.readTable(r)
		if m.dispatchers.places != nil {
			least = uint32(len(m.dispatchers.left))
		}
		out = append(out, element, 1)
		out = appendU32(appendU32(out, least), min(most, m.limits.TableElements))
	}
	return out
}

// writeGlobals renumbers the functions in the globals' values, and appends the counters.
func (m *module) writeGlobals(r *reader) []byte {
	n := 0
	if !r.done() {
		n = int(r.u32(""))
	}
	out := appendU32(nil, uint32(n+2))
	for range n {
		start := r.at
		r.skip(2, "")
		out = append(out, r.bytes[start:r.at]...)
		out = m.expression(r, out)
	}
	out = append(appendI64(append(out, typeI64, 1), 0), opEnd)
	return append(appendI32(append(out, typeI32, 1), int32(m.limits.Stack)), opEnd)
}

// writeExports renumbers the exported functions. What is not there must be refused: it may be one of those that are
// added.
func (m *module) writeExports(r *reader) []byte {
	n := r.count("exports", m.limits.Functions)
	out := appendU32(nil, uint32(n))
	for range n {
		start := r.at
		r.name("an export's name")
		kind := r.byte("a kind of export")
		out = append(out, r.bytes[start:r.at]...)
		out = appendU32(out, m.exported(r, kind))
		if r.err != nil {
			break
		}
	}
	return out
}

// exported reads the index of what is exported.
func (m *module) exported(r *reader, kind byte) uint32 {
	switch kind {
	case 0:
		return m.shifted(r.index("function", m.functionCount()))
	case 1:
		m.observed = true
	case 3:
		return r.index("global", len(m.globals))
	}
	return r.u32("an export's index")
}
