package meter

// addType returns the index of a type that is appended, once each.
func (m *module) addType(encoded []byte) uint32 {
	for i, t := range m.added {
		if string(t) == string(encoded) {
			return uint32(len(m.types) + i)
		}
	}
	m.added = append(m.added, encoded)
	return uint32(len(m.types) + len(m.added) - 1)
}

// appendBlock begins a block that leaves what a function of the type returns. More than one result need a type of
// their own, without parameters.
func (m *module) appendBlock(b []byte, typ uint32) []byte {
	s := &m.types[typ]
	switch s.results {
	case 0:
		return append(b, opBlock, typeVoid)
	case 1:
		return append(b, opBlock, s.resultBytes[1])
	}
	return appendSigned(append(b, opBlock), int64(m.wrappers[typ]))
}

// wrap makes sure that appendBlock finds its type.
func (m *module) wrap(typ uint32) {
	s := &m.types[typ]
	if _, found := m.wrappers[typ]; found || s.results < 2 {
		return
	}
	if s.params == 0 {
		m.wrappers[typ] = typ
		return
	}
	m.wrappers[typ] = m.addType(append([]byte{typeFunc, 0}, s.resultBytes...))
}
