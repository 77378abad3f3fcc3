package meter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/droverhq/drover/internal/testguest"
)

// TestObstacles names what is in the way, for a module that compiles.
func TestObstacles(t *testing.T) {
	void := [][]byte{functionType("", "")}
	table := [][]byte{{typeFuncRef, 0, 3}}
	using := func(c ...any) wasm {
		return wasm{types: void, pages: 1, tables: table, elems: [][]byte{{1, 0, 1, 0}}, data: [][]byte{{1, 1, 7}},
			funcs: []wasmFunc{{code: code(c...)}}}
	}
	three := code(i32(0), i32(0), i32(0))
	globals := func(g ...byte) wasm { return wasm{globals: [][]byte{g}, pages: 1} }
	tests := []struct {
		name   string
		module wasm
		want   string // empty: none
	}{
		{"nothing", wasm{}, ""},
		{"code that changes its memory alone", using(three, opMisc, miscMemoryFill, 0, three, opMisc, miscMemoryCopy, 0, 0,
			i32(1), opMemoryGrow, 0, opDrop, i32(0), 0x25, 0, opDrop, opMisc, 16, 0, opDrop), ""},
		{"memory.init", using(three, opMisc, miscMemoryInit, 0, 0), "it uses memory.init"},
		{"data.drop", using(opMisc, miscDataDrop, 0), "it uses data.drop"},
		{"table.set", using(i32(0), 0xd0, typeFuncRef, opTableSet, 0), "it uses table.set"},
		{"table.init", using(three, opMisc, miscTableInit, 0, 0), "it uses table.init"},
		{"elem.drop", using(opMisc, miscElemDrop, 0), "it uses elem.drop"},
		{"table.copy", using(three, opMisc, miscTableCopy, 0, 0), "it uses table.copy"},
		{"table.grow", using(0xd0, typeFuncRef, i32(1), opMisc, miscTableGrow, 0, opDrop), "it uses table.grow"},
		{"table.fill", using(i32(0), 0xd0, typeFuncRef, i32(1), opMisc, miscTableFill, 0), "it uses table.fill"},
		{"a start function", wasm{types: void, funcs: []wasmFunc{{}}, start: []byte{0}}, "it has a start function"},
		{"an offset by a global", wasm{pages: 1, noCount: true, imports: [][]byte{code(1, int('m'), 1, int('g'), 3, typeI32, 0)},
			data: [][]byte{code(0, opGlobalGet, 0, opEnd, 1, 7)}}, "the offset of data segment 0 is not constant"},
		{"a reference", globals(append([]byte{typeFuncRef, 1}, global(0xd0, typeFuncRef)...)...), "a global that can change holds a reference"},
		{"a constant reference", globals(append([]byte{typeFuncRef, 0}, global(0xd0, typeFuncRef)...)...), ""},
		{"a vector", globals(append([]byte{typeV128, 1}, global(append([]byte{opVector, 12}, make([]byte, 16)...)...)...)...), "a global that can change holds a vector"},
		{"an imported global", wasm{imports: [][]byte{code(1, int('m'), 1, int('g'), 3, typeI32, 1)}}, "it imports a global that can change"},
		{"an imported memory", wasm{imports: [][]byte{code(1, int('m'), 1, int('g'), 2, 0, 1)}}, "it imports its memory"},
		{"an imported table", wasm{imports: [][]byte{code(1, int('m'), 1, int('g'), 1, typeFuncRef, 0, 1)}}, "it imports a table"},
	}
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV2))
	defer r.Close(ctx)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if _, err := r.CompileModule(ctx, test.module.encode()); err != nil {
				t.Fatal(err)
			}
			m, err := Rewrite(test.module.encode(), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			d, err := m.Detach()
			if o, ok := errors.AsType[Obstacle](err); string(o) != test.want || ok != (test.want != "") {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if err == nil {
				if _, err := r.CompileModule(ctx, d.Binary); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestDetachLeavesWhatIsWrong has modules that no compiler takes refused by it all the same.
func TestDetachLeavesWhatIsWrong(t *testing.T) {
	tests := map[string]wasm{
		"data without a memory":      {data: [][]byte{{0, opI32Const, 0, opEnd, 1, 7}}, noCount: true},
		"data of another memory":     {pages: 1, data: [][]byte{{2, 1, opI32Const, 0, opEnd, 1, 7}}},
		"an offset of 64 bits":       {pages: 1, data: [][]byte{{0, opI64Const, 0, opEnd, 1, 7}}},
		"an offset of two values":    {pages: 1, data: [][]byte{{0, opI32Const, 0, opI32Const, 0, opEnd, 1, 7}}},
		"an offset beyond 32 bits":   {pages: 1, data: [][]byte{{0, opI32Const, 0xff, 0xff, 0xff, 0xff, 0x1f, opEnd, 1, 7}}},
		"another number of segments": {pages: 1, noCount: true, customs: nil, data: [][]byte{{1, 0}}},
	}
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV2))
	defer r.Close(ctx)
	for name, w := range tests {
		t.Run(name, func(t *testing.T) {
			binary := w.encode()
			if strings.Contains(name, "number") {
				binary = replaced(binary, sectionOf(sectionData, 1, 1, 0), append(sectionOf(sectionDataCount, 2), sectionOf(sectionData, 1, 1, 0)...))
			}
			m, err := Rewrite(binary, Limits{})
			if err != nil {
				return // likewise
			}
			if d, err := m.Detach(); err == nil {
				if _, err := r.CompileModule(ctx, d.Binary); err == nil {
					t.Error("it compiles")
				}
			}
		})
	}
}

func replaced(b, from, to []byte) []byte { return bytes.Replace(b, from, to, 1) }

// TestPrivateNames has exports that are named like those that are added.
func TestPrivateNames(t *testing.T) {
	w := wasm{pages: 1}
	for i, name := range []string{"drover:global/0", "drover:global//", "drover:global", "x"} {
		w.globals = append(w.globals, append([]byte{typeI32, 1}, global(i32(int32(i))...)...))
		w.exports = append(w.exports, append(appendName(nil, name), 3, byte(i)))
	}
	m, err := Rewrite(w.encode(), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := m.Detach()
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(d.Globals); got != "[drover:global///0 drover:global///1 drover:global///2 drover:global///3]" {
		t.Errorf("the names %s", got)
	}
	x := detachedInstance(t, d)
	for i, name := range d.Globals {
		if v := x.ExportedGlobal(name).Get(); v != uint64(i) {
			t.Errorf("%s is %d", name, v)
		}
	}
	if x.ExportedGlobal("drover:global/0") == nil || x.ExportedGlobal("x").Get() != 3 {
		t.Error("the module's own exports are gone")
	}
}

// detachedInstance is an instance without its data.
func detachedInstance(t testing.TB, d *Detached) api.Module {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2))
	t.Cleanup(func() { _ = r.Close(ctx) })
	if err := yielding(ctx, r, func() int64 { return 1000 }); err != nil {
		t.Fatal(err)
	}
	m, err := r.Instantiate(ctx, d.Binary)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fill writes the segments.
func (d *Detached) fill(m api.Module) (ok bool) {
	data := d.Data
	for _, s := range d.Segments {
		if !m.Memory().Write(s.Offset, data[:s.Size]) {
			return false
		}
		data = data[s.Size:]
	}
	return true
}

// move gives an instance the memory and the globals of another.
func (d *Detached) move(from, to api.Module) {
	if !reflect.ValueOf(from.Memory()).IsNil() {
		content, _ := from.Memory().Read(0, from.Memory().Size())
		to.Memory().Grow((from.Memory().Size() - to.Memory().Size()) / 65536)
		to.Memory().Write(0, content)
	}
	for _, name := range d.Globals {
		to.ExportedGlobal(name).(api.MutableGlobal).Set(from.ExportedGlobal(name).Get())
	}
}

// TestDetachedPrograms runs random programs twice in a row: in one instance of the module as it was, in one of the module
// whose data was taken out, and there the second time in another instance, which was given the memory and the globals. All
// must end the same.
func TestDetachedPrograms(t *testing.T) {
	ends := map[string]int{}
	for seed := range uint64(programs / 4) {
		binary := makePlain(seed)
		m, err := Rewrite(binary, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		d, err := m.Detach()
		if err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		plain := instance(t, binary, false, nil)
		first := detachedInstance(t, d)
		if !d.fill(first) {
			t.Fatalf("seed %d: the data does not fit", seed)
		}
		want, got := runProgram(t, plain), runProgram(t, first)
		if got.text != want.text || !bytes.Equal(got.memory, want.memory) {
			t.Errorf("seed %d: %s, before %s", seed, got.text, want.text)
		}
		for _, x := range []api.Module{plain, first} {
			x.ExportedGlobal("left").(api.MutableGlobal).Set(programPasses)
		}
		second := detachedInstance(t, d)
		d.move(first, second)
		want, got = runProgram(t, plain), runProgram(t, second)
		if got.text != want.text || !bytes.Equal(got.memory, want.memory) {
			t.Errorf("seed %d, the second time: %s, before %s", seed, got.text, want.text)
		}
		ends[want.end]++
	}
	if ends["returns"] < programs/40 || len(ends) < 4 {
		t.Errorf("programs of little use: %v", ends)
	}
}

// TestDetachDriver takes the data out of a driver as it is built for users, and sees that all of it is there.
func TestDetachDriver(t *testing.T) {
	binary, err := testguest.Build("modbus")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Rewrite(binary, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := m.Detach()
	if err != nil {
		t.Fatal(err)
	}
	total := 0
	for _, s := range d.Segments {
		total += int(s.Size)
	}
	if total != len(d.Data) || len(d.Segments) < 100 || len(d.Binary) >= len(m.Binary)-total || len(d.Globals) == 0 {
		t.Errorf("%d segments of %d bytes, %d bytes of data, %d globals, %d bytes became %d",
			len(d.Segments), total, len(d.Data), len(d.Globals), len(m.Binary), len(d.Binary))
	}
}
