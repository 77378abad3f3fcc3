package meter

// module is what the rewriter knows of a module before it writes.
type module struct {
	limits   Limits
	binary   []byte
	sections []section

	types []signature
	// imports are the types of the imported functions, functions are the module's own.
	imports   []uint32
	functions []function
	// tables counts imported and defined ones, globals has the type of each.
	tables  int
	globals []byte
	// pages is the memory's minimum.
	pages uint32
	// memory says that it has one of its own.
	memory bool
	// changing are the globals that can change, obstacle what is in the way of Detach.
	changing []uint32
	obstacle Obstacle
	// data are the sizes of the data segments, counted what the data count section says, or -1.
	data    []uint32
	counted int64
	// taken marks the functions that a reference can be taken of, by index in the module.
	taken []bool
	// calls has the callees of all functions, each function's in a row: functions.
	calls []uint32
	// passing says of all functions' loops, each function's in a row, which have something that branches to them.
	passing []bool
	// wrappers are the types () -> results of wrapping blocks, by the index of the function's type; see wrapperType.
	wrappers map[uint32]uint32
	// added are the types that are appended.
	added   [][]byte
	helpers helpers
	// observed says that code can see what a table holds, or take references to functions; indirectTypes are the types of
	// call_indirect.
	observed      bool
	indirectTypes []uint32
	dispatchers   dispatchers
	// indirect has the bytes of stack that a call_indirect of a type counts, by type.
	indirect []uint32
	stats    Statistics
}

// signature is a function type.
type signature struct {
	params, results int
	// bytes are the parameters' and results' types as encoded, resultBytes the results' vector alone.
	bytes, resultBytes string
	// wide counts the parameters of 16 bytes; vector is set where a result is one.
	wide   int
	vector bool
}

// function is one of the module's own functions.
type function struct {
	typ uint32
	// at and end are where its code entry lies, without the size.
	at, end int
	// firstCall and lastCall bound its callees in module.calls.
	firstCall, lastCall int
	// firstLoop is the place of its first loop in module.passing.
	firstLoop int
	// free says that its callers pay for it: short, no loop, no call.
	free bool
	// indirect says that it has a call_indirect.
	indirect bool
	// cost is its static cost, as far as it counts for free functions; frame its estimated bytes of stack.
	cost  int
	frame uint32
	// counted says that it counts stack bytes on entry: stack of them.
	counted bool
	stack   uint32
}

// count of functions in the module's index space.
func (m *module) functionCount() int { return len(m.imports) + len(m.functions) }

// shifted returns a function's index in the rewritten module, where the yield function is the last import.
func (m *module) shifted(index uint32) uint32 {
	if int(index) >= len(m.imports) {
		return index + 1
	}
	return index
}

func (m *module) yieldIndex() uint32 { return uint32(len(m.imports)) }
func (m *module) fuelIndex() uint32  { return uint32(len(m.globals)) }
func (m *module) stackIndex() uint32 { return uint32(len(m.globals)) + 1 }

// typeOf returns the type of a function, imported or not.
func (m *module) typeOf(index uint32) *signature {
	if int(index) < len(m.imports) {
		return &m.types[m.imports[index]]
	}
	return &m.types[m.functions[int(index)-len(m.imports)].typ]
}

// reader returns a reader of a section.
func (m *module) reader(s section) reader {
	return reader{bytes: m.binary, at: s.at, end: s.end}
}
