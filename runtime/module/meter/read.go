package meter

import "fmt"

const (
	typeV128    = 0x7b
	typeFuncRef = 0x70
	typeExtern  = 0x6f
)

// readModule reads all that the code of functions refers to, and bounds it.
func readModule(binary []byte, l Limits) (*module, error) {
	sections, err := readSections(binary)
	if err != nil {
		return nil, err
	}
	m := &module{limits: l, binary: binary, sections: sections, wrappers: map[uint32]uint32{}, counted: -1}
	readers := map[byte]func(*reader){
		sectionType: m.readTypes, sectionImport: m.readImports, sectionFunction: m.readFunctions,
		sectionTable: m.readTables, sectionMemory: m.readMemories, sectionGlobal: m.readGlobals,
		sectionExport: m.readExports, sectionStart: m.readStart, sectionElement: m.readElements,
		sectionCode: m.readCode, sectionData: m.readData, sectionDataCount: m.readDataCount, sectionCustom: readCustom,
	}
	for _, s := range sections {
		read, ok := readers[s.id]
		if !ok {
			continue
		}
		r := m.reader(s)
		read(&r)
		if !r.done() {
			r.fail(r.at, "the end of the "+sectionNames[s.id]+" section", fmt.Sprintf("%d more bytes", r.end-r.at))
		}
		if r.err != nil {
			return nil, r.err
		}
	}
	if n := len(m.functions); n > 0 && m.functions[n-1].end == 0 {
		return nil, &Error{Offset: len(binary), Expected: fmt.Sprintf("the code of %d functions", n), Found: "the end"}
	}
	return m, nil
}

func (m *module) readTypes(r *reader) {
	for range r.count("types", m.limits.Types) {
		start := r.at
		if form := r.byte("a function type"); form != typeFunc && r.err == nil {
			r.fail(start, "a function type (0x60)", unknownForm(form))
			return
		}
		m.types = append(m.types, readSignature(r, m.limits.Locals))
	}
}

func unknownForm(form byte) string {
	switch form {
	case 0x4e, 0x4f, 0x50, 0x5e, 0x5f:
		return fmt.Sprintf("type form 0x%02x (the feature GC)", form)
	}
	return fmt.Sprintf("type form 0x%02x", form)
}

func readSignature(r *reader, most int) signature {
	start := r.at
	var s signature
	s.params = r.count("parameters", most)
	for range s.params {
		if readValueType(r) == typeV128 {
			s.wide++
		}
	}
	middle := r.at
	s.results = r.count("results", most)
	for range s.results {
		s.vector = readValueType(r) == typeV128 || s.vector
	}
	s.bytes, s.resultBytes = string(r.bytes[start:r.at]), string(r.bytes[middle:r.at])
	return s
}

// readValueType reads a value type of WebAssembly 2.0.
func readValueType(r *reader) byte {
	start := r.at
	t := r.byte("a value type")
	if !isValueType(t) && r.err == nil {
		found := fmt.Sprintf("0x%02x", t)
		if t >= 0x63 && t <= 0x74 {
			found += " (the features function references, GC or exception handling)"
		}
		r.fail(start, "a value type of WebAssembly 2.0", found)
	}
	return t
}

func isValueType(t byte) bool {
	return t >= typeV128 && t <= typeI32 || t == typeFuncRef || t == typeExtern
}

func (m *module) readImports(r *reader) {
	for range r.count("imports", m.limits.Functions+m.limits.Globals+m.limits.Tables+1) {
		r.name("a module's name")
		r.name("an import's name")
		start := r.at
		switch kind := r.byte("a kind of import"); kind {
		case 0:
			m.imports = append(m.imports, r.index("type", len(m.types)))
		case 1:
			readValueType(r)
			readLimits(r, "table")
			m.tables++
			m.forbid("it imports a table")
		case 2:
			readLimits(r, "memory")
			m.forbid("it imports its memory")
		case 3:
			m.globals = append(m.globals, readValueType(r))
			if r.byte("a global's mutability") != 0 {
				m.forbid("it imports a global that can change")
			}
		default:
			r.fail(start, "an import of a function, table, memory or global", unknownKind(kind))
		}
	}
	m.bound(r)
}

func unknownKind(kind byte) string {
	if kind == 4 {
		return "a tag (the feature exception handling)"
	}
	return fmt.Sprintf("kind %d", kind)
}

// bound refuses what has more functions, globals or tables, imported and defined, than it may.
func (m *module) bound(r *reader) {
	for _, b := range []struct {
		what    string
		n, most int
	}{
		{"functions", m.functionCount(), m.limits.Functions},
		{"globals", len(m.globals), m.limits.Globals},
		{"tables", m.tables, m.limits.Tables},
	} {
		if b.n > b.most {
			r.fail(r.at, fmt.Sprintf("at most %d %s", b.most, b.what), fmt.Sprint(b.n))
		}
	}
}

// readLimits reads the limits of a table or a memory. A maximum that is not there is the greatest.
func readLimits(r *reader, what string) (least, most uint32) {
	start := r.at
	flags := r.byte("the limits of a " + what)
	switch {
	case r.err != nil:
	case flags&2 != 0 && flags < 8:
		r.fail(start, "the limits of a "+what, "a shared one (the feature threads)")
	case flags&4 != 0 && flags < 8:
		r.fail(start, "the limits of a "+what, "64-bit ones (the feature memory64)")
	case flags > 1:
		r.fail(start, "the limits of a "+what, fmt.Sprintf("flags 0x%02x", flags))
	}
	least, most = r.u32("a minimum"), 1<<32-1
	if flags == 1 {
		most = r.u32("a maximum")
	}
	return least, most
}

func (m *module) readFunctions(r *reader) {
	n := r.count("functions", m.limits.Functions)
	m.functions = make([]function, 0, n)
	for range n {
		m.functions = append(m.functions, function{typ: r.index("type", len(m.types))})
	}
	m.bound(r)
}

func (m *module) readTables(r *reader) {
	n := r.count("tables", m.limits.Tables)
	for range n {
		m.readTable(r)
	}
	m.tables += n
	m.bound(r)
}

// readTable reads a table's type.
func (m *module) readTable(r *reader) (element byte, least, most uint32) {
	start := r.at
	if element = r.byte("a reference type"); element != typeFuncRef && element != typeExtern && r.err == nil {
		r.fail(start, "funcref or externref", fmt.Sprintf("0x%02x", element))
	}
	start = r.at
	if least, most = readLimits(r, "table"); least > m.limits.TableElements {
		r.fail(start, fmt.Sprintf("a table of at most %d elements", m.limits.TableElements), fmt.Sprint(least))
	}
	return element, least, most
}

func (m *module) readMemories(r *reader) {
	start := r.at
	for i := range r.count("memories", 100) {
		if i == 1 {
			r.fail(start, "at most one memory", "more (the feature multi-memory)")
		}
		m.pages, _ = readLimits(r, "memory")
		m.memory = true
	}
}

func (m *module) readGlobals(r *reader) {
	for range r.count("globals", m.limits.Globals) {
		typ := readValueType(r)
		m.globals = append(m.globals, typ)
		if r.byte("a global's mutability") != 0 {
			m.changeable(uint32(len(m.globals)-1), typ)
		}
		m.expression(r, nil)
	}
	m.bound(r)
}

func (m *module) readExports(r *reader) { m.writeExports(r) }

func (m *module) readStart(r *reader) {
	r.index("function", m.functionCount())
	m.forbid("it has a start function")
}

func (m *module) readDataCount(r *reader) { m.counted = int64(r.u32("the number of data segments")) }

func (m *module) readCode(r *reader) {
	start := r.at
	if n := r.count("functions", m.limits.Functions); n != len(m.functions) && r.err == nil {
		r.fail(start, fmt.Sprintf("the code of %d functions", len(m.functions)), fmt.Sprintf("of %d", n))
		return
	}
	for i := range m.functions {
		start = r.at
		size := r.u32("the size of a function")
		if int64(size) > int64(m.limits.FunctionSize) {
			r.fail(start, fmt.Sprintf("a function of at most %d bytes", m.limits.FunctionSize), fmt.Sprint(size))
		}
		p := r.part(size, "a function")
		m.functions[i].at, m.functions[i].end = p.at, p.end
	}
}

func (m *module) readData(r *reader) {
	n := r.count("data segments", 1<<30)
	m.data = make([]uint32, 0, n)
	for range n {
		start := r.at
		switch mode := r.u32("a data segment"); mode {
		case 0, 1, 2:
			if mode == 2 {
				r.u32("a memory's index")
			}
			if mode != 1 {
				m.expression(r, nil)
			}
		default:
			r.fail(start, "a data segment of kind 0, 1 or 2", fmt.Sprint(mode))
		}
		size := r.u32("the size of a data segment")
		r.skip(size, "a data segment")
		m.data = append(m.data, size)
	}
}
