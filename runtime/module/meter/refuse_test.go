package meter

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// sections makes a module of sections as they are.
func sections(parts ...[]byte) []byte { return append([]byte(preamble), slices.Concat(parts...)...) }

func sectionOf(id byte, body ...byte) []byte { return appendSection(nil, id, body) }

// function is a module with one function.
func oneFunction(parts ...any) []byte {
	return wasm{types: [][]byte{functionType("", "")}, pages: 1, funcs: []wasmFunc{{code: code(parts...)}}}.encode()
}

// TestRefuses has everything refused that is not of WebAssembly 2.0, malformed, or more than it may be, by name.
func TestRefuses(t *testing.T) {
	types := func(n int) []byte { return wasm{types: slices.Repeat([][]byte{functionType("", "")}, n)}.encode() }
	tests := []struct {
		name   string
		binary []byte
		limits Limits
		text   string
	}{
		{"nothing", nil, Limits{}, `byte 0: expected the preamble of a core module, version 1, found ""`},
		{"a component", []byte("\x00asm\x0d\x00\x01\x00"), Limits{}, "preamble of a core module"},
		{"an unknown section", sections(sectionOf(99)), Limits{}, "byte 8: expected a section of WebAssembly 2.0, found section 99"},
		{"tags", sections(sectionOf(13)), Limits{}, "exception handling"},
		{"sections in disorder", sections(sectionOf(3, 0), sectionOf(1, 0)), Limits{}, "byte 11: expected sections in order, each once, found another type section"},
		{"a section twice", sections(sectionOf(1, 0), sectionOf(1, 0)), Limits{}, "each once"},
		{"a section that is cut", sections([]byte{1, 5, 0}), Limits{}, "byte 10: expected 5 bytes of the type section, found 1"},
		{"more in a section", sections(sectionOf(1, 0, 7)), Limits{}, "the end of the type section, found 1 more bytes"},
		{"a long number", sections([]byte{1, 0x80, 0x80, 0x80, 0x80, 0x80, 0}), Limits{}, "in at most 32 bits"},
		{"GC types", sections(sectionOf(1, 1, 0x5f, 0)), Limits{}, "the feature GC"},
		{"typed references", sections(sectionOf(1, 1, typeFunc, 1, 0x64, 0)), Limits{}, "function references"},
		{"a shared memory", sections(sectionOf(5, 1, 3, 1, 1)), Limits{}, "the feature threads"},
		{"a 64-bit memory", sections(sectionOf(5, 1, 4, 1)), Limits{}, "the feature memory64"},
		{"two memories", sections(sectionOf(5, 2, 0, 1, 0, 1)), Limits{}, "the feature multi-memory"},
		{"an imported tag", sections(sectionOf(1, 1, typeFunc, 0, 0), sectionOf(2, 1, 0, 0, 4, 0, 0)), Limits{}, "a tag (the feature exception handling)"},
		{"extended constants", sections(sectionOf(6, 1, typeI32, 0, opI32Const, 1, opI32Const, 1, opI32Add, opEnd)), Limits{}, "the feature extended constant expressions"},
		{"a tail call", oneFunction(0x12, 0), Limits{}, "an instruction of WebAssembly 2.0, found a tail call"},
		{"an indirect tail call", oneFunction(i32(0), 0x13, 0, 0), Limits{}, "the feature tail calls"},
		{"try", oneFunction(0x06, typeVoid, opEnd), Limits{}, "an exception"},
		{"throw", oneFunction(0x08, 0), Limits{}, "an exception"},
		{"try_table", oneFunction(0x1f, typeVoid, 0, opEnd), Limits{}, "an exception"},
		{"an atomic", oneFunction(0xfe, 3, 0), Limits{}, "the feature threads"},
		{"call_ref", oneFunction(0x14, 0), Limits{}, "GC"},
		{"struct.new", oneFunction(0xfb, 0, 0), Limits{}, "GC"},
		{"relaxed SIMD", oneFunction(opVector, u32(0x100)), Limits{}, "the feature relaxed SIMD"},
		{"no vector instruction", oneFunction(opVector, u32(154)), Limits{}, "vector instruction 154"},
		{"no instruction", oneFunction(0x27), Limits{}, "found 0x27"},
		{"no instruction behind 0xfc", oneFunction(opMisc, 18), Limits{}, "0xfc 18"},
		{"no operand", oneFunction(opDrop), Limits{}, "expected 1 operands before here, found 0"},
		{"operands at the end", oneFunction(i32(1)), Limits{}, "expected 0 operands at the end of a block, found 1"},
		{"else without if", oneFunction(opBlock, typeVoid, opElse, opEnd), Limits{}, "an else within an if"},
		{"more after the end", oneFunction(opEnd, 0x01), Limits{}, "the end of the function, found 2 more bytes"},
		{"no end", sections(sectionOf(1, 1, typeFunc, 0, 0), sectionOf(3, 1, 0), sectionOf(10, 1, 2, 0, 1)), Limits{}, "an instruction, found the end"},
		{"no code", sections(sectionOf(1, 1, typeFunc, 0, 0), sectionOf(3, 1, 0)), Limits{}, "the code of 1 functions, found the end"},
		{"a label", oneFunction(opBr, 1), Limits{}, "the index of one of 1 labels, found 1"},
		{"a function's index", oneFunction(call(1)), Limits{}, "the index of one of 1 functions, found 1"},
		// These are the indices of what metering adds: a module must not reach it.
		{"the counter", oneFunction(i64(1), opGlobalSet, 0), Limits{}, "the index of one of 0 globals, found 0"},
		{"the counter's local", oneFunction(get(0), opDrop), Limits{}, "the index of one of 0 locals, found 0"},
		{"the counter's export", sections(sectionOf(7, append(append([]byte{1}, appendName(nil, "f")...), 3, 0)...)), Limits{}, "one of 0 globals"},
		{"the yield function's export", sections(sectionOf(7, append(append([]byte{1}, appendName(nil, "f")...), 0, 0)...)), Limits{}, "one of 0 functions"},
		{"the yield function as start", sections(sectionOf(8, 0)), Limits{}, "one of 0 functions"},
		{"an added type", oneFunction(opBlock, 1, opEnd), Limits{}, "one of 1 types, found 1"},

		{"too many bytes", types(10), Limits{Size: 20}, "a module of at most 20 bytes, found 41"},
		{"too many types", types(11), Limits{Types: 10}, "at most 10 types, found 11"},
		{"too many functions", wasm{types: [][]byte{functionType("", "")}, funcs: make([]wasmFunc, 11)}.encode(), Limits{Functions: 10}, "at most 10 functions, found 11"},
		{"too many with imports", wasm{types: [][]byte{functionType("", "")}, imports: [][]byte{importedFunction("a", "b", 0)},
			funcs: make([]wasmFunc, 10)}.encode(), Limits{Functions: 10}, "at most 10 functions, found 11"},
		{"too many globals", wasm{globals: slices.Repeat([][]byte{append([]byte{typeI32, 1}, global(i32(0)...)...)}, 3)}.encode(), Limits{Globals: 2}, "at most 2 globals, found 3"},
		{"too many tables", wasm{tables: slices.Repeat([][]byte{{typeFuncRef, 0, 1}}, 17)}.encode(), Limits{}, "at most 16 tables, found 17"},
		{"a giant table", wasm{tables: [][]byte{append([]byte{typeFuncRef, 0}, u32(65_537)...)}}.encode(), Limits{}, "a table of at most 65536 elements, found 65537"},
		{"a giant function", oneFunction(repeat(2000, []byte{0x01})), Limits{FunctionSize: 1000}, "a function of at most 1000 bytes, found 2002"},
		{"a giant frame", sections(sectionOf(1, 1, typeFunc, 0, 0), sectionOf(3, 1, 0),
			sectionOf(10, slices.Concat([]byte{1, 7, 1}, u32(200_000), []byte{typeI32, opEnd, 1})...)), Limits{}, "at most 10000 locals and parameters, found 200000"},
		{"deep blocks", oneFunction(repeat(20, []byte{opBlock, typeVoid}), repeat(20, []byte{opEnd})), Limits{Nesting: 10}, "blocks nested at most 10 deep"},
		{"values from two places", bomb(400), Limits{}, "a function with at most 100000 values that come from two places"},
		{"many of them", bomb(100), Limits{ModuleMerges: 5000}, "a module with at most 5000 values that come from two places"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := Rewrite(test.binary, test.limits)
			e, ok := errors.AsType[*Error](err)
			if !ok || !strings.Contains(err.Error(), test.text) {
				t.Fatalf("got %v, want %q", err, test.text)
			}
			if e.Offset < 0 || e.Offset > len(test.binary) || e.Expected == "" || e.Found == "" {
				t.Errorf("%#v", e)
			}
		})
	}
}

// bomb is a function that a compiler needs minutes for: each of n locals has one of two values after each of n blocks.
func bomb(n int) []byte {
	c := repeat(n, []byte{opBlock, typeVoid})
	c = code(c, i32(1), opBrTable, u32(uint32(n-1)))
	for i := range n {
		c = code(c, u32(uint32(i)))
	}
	c = append(c, opEnd)
	for i := range n {
		c = code(c, i32(int32(i)), set(uint32(i)))
	}
	c = code(c, repeat(n-1, []byte{opEnd}))
	return wasm{types: [][]byte{functionType("", "")}, funcs: []wasmFunc{{locals: manyLocals(n), code: c}}}.encode()
}
