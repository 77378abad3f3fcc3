package meter

import (
	"bytes"
	"strings"
	"testing"

	"github.com/droverhq/drover/internal/testguest"
)

// dispatching rewrites a module and says whether functions stand for its call_indirect.
func dispatching(t *testing.T, binary []byte) bool {
	t.Helper()
	m, err := readModule(binary, Limits{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	if err := m.survey(); err != nil {
		t.Fatal(err)
	}
	m.planDispatchers()
	return m.dispatchers.places != nil
}

// TestDispatchers says where call_indirect stays: where the table's content is not certain, or can be seen.
func TestDispatchers(t *testing.T) {
	base := func() wasm {
		return wasm{
			types: [][]byte{functionType("", "i"), functionType("i", "i"), functionType("", "i")}, tables: [][]byte{{typeFuncRef, 0, 4}},
			elems: [][]byte{code(0, i32(1), opEnd, 2, 0, 1)},
			funcs: []wasmFunc{{code: i32(7)}, {typ: 1, export: "run", code: code(get(0), opCallIndirect, 2, 0)}},
		}
	}
	tests := []struct {
		name   string
		change func(*wasm)
		want   bool
	}{
		{"a table that nobody sees", func(*wasm) {}, true},
		{"with the table's index", func(w *wasm) { w.elems[0] = code(2, 0, i32(1), opEnd, 0, 2, 0, 1) }, true},
		{"no elements", func(w *wasm) { w.elems = nil }, false},
		{"two tables", func(w *wasm) { w.tables = append(w.tables, w.tables[0]) }, false},
		{"an exported table", func(w *wasm) { w.exports = append(w.exports, append(appendName(nil, "t"), 1, 0)) }, false},
		{"an imported table", func(w *wasm) {
			w.tables, w.imports = nil, [][]byte{code(1, int('m'), 1, int('t'), 1, typeFuncRef, 1, 4, 4)}
		}, false},
		{"elements beyond the table", func(w *wasm) { w.elems[0] = code(0, i32(3), opEnd, 2, 0, 1) }, false},
		{"elements at a global", func(w *wasm) {
			w.imports = [][]byte{code(1, int('m'), 1, int('g'), 3, typeI32, 0)}
			w.elems[0] = code(0, opGlobalGet, 0, opEnd, 2, 0, 1)
		}, false},
		{"elements that are expressions", func(w *wasm) { w.elems[0] = code(4, i32(1), opEnd, 1, opRefFunc, 0, opEnd) }, false},
		{"elements for later", func(w *wasm) { w.elems = append(w.elems, []byte{1, 0, 1, 0}) }, false},
		{"table.get", func(w *wasm) { w.funcs[0].code = code(i32(0), 0x25, 0, opDrop, i32(7)) }, false},
		{"table.size", func(w *wasm) { w.funcs[0].code = code(opMisc, 16, 0) }, false},
		{"table.set", func(w *wasm) { w.funcs[0].code = code(i32(0), 0xd0, typeFuncRef, opTableSet, 0, i32(7)) }, false},
		{"a reference in code", func(w *wasm) { w.funcs[0].code = code(opRefFunc, 0, opDrop, i32(7)) }, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := base()
			test.change(&w)
			if got := dispatching(t, w.encode()); got != test.want {
				t.Errorf("dispatchers: %v", got)
			}
		})
	}
}

// TestDispatchersGrow has many types and a large table: functions for all of them would be far larger than the module.
func TestDispatchersGrow(t *testing.T) {
	w := wasm{tables: [][]byte{append([]byte{typeFuncRef, 0}, u32(60_000)...)}, elems: [][]byte{code(0, i32(0), opEnd, 1, 0), code(0, i32(59_999), opEnd, 1, 0)}}
	var all []byte
	for i := range 40 {
		w.types = append(w.types, functionType(strings.Repeat("i", i), ""))
		all = code(all, bytes.Repeat(i32(0), i+1), opCallIndirect, i, 0)
	}
	w.funcs = []wasmFunc{{code: all}}
	if dispatching(t, w.encode()) {
		t.Error("there are dispatchers")
	}
	m, err := Rewrite(w.encode(), Limits{})
	if err != nil || len(m.Binary) > most(len(w.encode())) {
		t.Errorf("%d bytes, %v", len(m.Binary), err)
	}
}

// TestDispatchedTraps calls indirectly what is there, what is of another type, nobody, and beyond the table.
func TestDispatchedTraps(t *testing.T) {
	w := wasm{
		types:  [][]byte{functionType("", "i"), functionType("i", "i"), functionType("Ii", "Ii")},
		tables: [][]byte{{typeFuncRef, 0, 9}}, elems: [][]byte{code(0, i32(2), opEnd, 2, 0, 1), code(0, i32(5), opEnd, 2, 3, 0)},
		funcs: []wasmFunc{
			{code: i32(7)},
			{typ: 1, export: "run", code: code(get(0), opCallIndirect, 0, 0)},
			{typ: 1, export: "pair", code: code(i64(5), i32(6), get(0), opCallIndirect, 2, 0, set(0), opDrop, get(0))},
			{typ: 2, code: code(get(0), get(1))},
		},
	}
	if !dispatching(t, w.encode()) {
		t.Fatal("there are no dispatchers")
	}
	plain, metered := instance(t, w.encode(), false, nil), instance(t, w.encode(), true, func() int64 { return 1000 })
	for _, export := range []string{"run", "pair"} {
		for _, index := range []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 1 << 31, 1<<32 - 1} {
			want, wantErr := plain.ExportedFunction(export).Call(t.Context(), index)
			got, err := metered.ExportedFunction(export).Call(t.Context(), index)
			if trapText(err) != trapText(wantErr) || err == nil && got[0] != want[0] {
				t.Errorf("%s(%d) = %v %v, unmetered %v %v", export, index, got, err, want, wantErr)
			}
		}
	}
}

// TestDriverHasDispatchers sees that instances of a plain-Go driver make no references, and that random programs try such.
func TestDriverHasDispatchers(t *testing.T) {
	binary, err := testguest.Build("modbus")
	if err != nil {
		t.Fatal(err)
	}
	if !dispatching(t, binary) {
		t.Error("there are no dispatchers")
	}
	for seed := range uint64(20) {
		if dispatching(t, makePlain(seed)) {
			return
		}
	}
	t.Error("no program has any")
}
