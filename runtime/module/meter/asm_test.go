package meter

import (
	"slices"
)

// wasm is a module for tests, in parts that are encoded as they are.
type wasm struct {
	types   [][]byte
	imports [][]byte
	funcs   []wasmFunc
	tables  [][]byte
	pages   uint32
	// mostPages is the memory's maximum, where there is one.
	mostPages uint32
	globals   [][]byte
	exports   [][]byte
	start     []byte
	elems     [][]byte
	data      [][]byte
	customs   [][]byte
	noCount   bool
}

type wasmFunc struct {
	typ    uint32
	locals []byte
	export string
	code   []byte
}

func (w wasm) encode() []byte {
	out := []byte(preamble)
	var indices, code [][]byte
	exports := slices.Clone(w.exports)
	imported := 0
	for _, i := range w.imports {
		if i[len(i)-2] == 0 {
			imported++
		}
	}
	for i, f := range w.funcs {
		indices = append(indices, appendU32(nil, f.typ))
		body := appendU32(nil, uint32(len(f.locals)))
		for _, t := range f.locals {
			body = append(body, 1, t)
		}
		body = append(append(body, f.code...), opEnd)
		code = append(code, append(appendU32(nil, uint32(len(body))), body...))
		if f.export != "" {
			exports = append(exports, appendU32(append(appendName(nil, f.export), 0), uint32(imported+i)))
		}
	}
	vector := func(id byte, items [][]byte) {
		if len(items) > 0 {
			out = appendSection(out, id, extend(nil, items...))
		}
	}
	vector(sectionType, w.types)
	vector(sectionImport, w.imports)
	vector(sectionFunction, indices)
	vector(sectionTable, w.tables)
	if w.pages > 0 {
		memory := appendU32([]byte{0}, w.pages)
		if w.mostPages > 0 {
			memory = appendU32(appendU32([]byte{1}, w.pages), w.mostPages)
		}
		vector(sectionMemory, [][]byte{memory})
		exports = append(exports, append(appendName(nil, "memory"), 2, 0))
	}
	vector(sectionGlobal, w.globals)
	vector(sectionExport, exports)
	if w.start != nil {
		out = appendSection(out, sectionStart, w.start)
	}
	vector(sectionElement, w.elems)
	if len(w.data) > 0 && !w.noCount {
		out = appendSection(out, sectionDataCount, appendU32(nil, uint32(len(w.data))))
	}
	vector(sectionCode, code)
	vector(sectionData, w.data)
	for _, c := range w.customs {
		out = appendSection(out, sectionCustom, c)
	}
	return out
}

// functionType encodes a type.
func functionType(params, results string) []byte {
	t := appendName([]byte{typeFunc}, valueTypes(params))
	return appendName(t, valueTypes(results))
}

// valueTypes encodes types: i and I for 32 and 64 bits, f and F, v for a vector, r and x for references.
func valueTypes(s string) string {
	codes := map[rune]byte{'i': typeI32, 'I': typeI64, 'f': 0x7d, 'F': 0x7c, 'v': typeV128, 'r': typeFuncRef, 'x': typeExtern}
	var out []byte
	for _, c := range s {
		out = append(out, codes[c])
	}
	return string(out)
}

func importedFunction(module, name string, typ uint32) []byte {
	return appendU32(append(appendName(appendName(nil, module), name), 0), typ)
}

// code joins instructions: bytes, numbers of one byte, and other code.
func code(parts ...any) []byte {
	var out []byte
	for _, p := range parts {
		switch p := p.(type) {
		case int:
			out = append(out, byte(p))
		case []byte:
			out = append(out, p...)
		}
	}
	return out
}

func i32(v int32) []byte         { return appendI32(nil, v) }
func i64(v int64) []byte         { return appendI64(nil, v) }
func get(local uint32) []byte    { return appendOp(nil, opLocalGet, local) }
func set(local uint32) []byte    { return appendOp(nil, opLocalSet, local) }
func tee(local uint32) []byte    { return appendOp(nil, opLocalTee, local) }
func call(index uint32) []byte   { return appendOp(nil, opCall, index) }
func u32(v uint32) []byte        { return appendU32(nil, v) }
func global(init ...byte) []byte { return append(init, opEnd) }
