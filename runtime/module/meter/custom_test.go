package meter

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
)

// custom makes a custom section's content.
func custom(name string, content ...byte) []byte { return append(appendName(nil, name), content...) }

// customModule has two imports, three functions with names for everything, and sections of all sorts around them.
func customModule() []byte {
	functions := append(u32(4), namesOf(map[uint32]string{0: "host.a", 2: "first", 3: "second", 4: "third"})...)
	locals := slices.Concat(u32(2), u32(2), u32(1), u32(0), appendName(nil, "x"), u32(4), u32(1), u32(0), appendName(nil, "y"))
	labels := slices.Concat(u32(1), u32(3), u32(1), u32(0), appendName(nil, "again"))
	names := slices.Concat(
		appendSection(nil, 0, appendName(nil, "driver")), appendSection(nil, 1, functions), appendSection(nil, 2, locals),
		appendSection(nil, 3, labels), appendSection(nil, 6, append(u32(1), namesOf(map[uint32]string{0: "memory"})...)))
	return wasm{
		types:   [][]byte{functionType("", ""), functionType("i", "")},
		imports: [][]byte{importedFunction("host", "a", 0), importedFunction("host", "b", 0)},
		pages:   1,
		funcs: []wasmFunc{
			{typ: 1, export: "run", code: code(i32(0), i32(0), i32(9), opMisc, miscMemoryFill, 0, call(3))},
			{code: code(call(4))},
			{code: code(opLoop, typeVoid, opUnreachable, opEnd)},
		},
		customs: [][]byte{
			custom("producers", 0), custom(".debug_info", 1, 2), custom(".debug_line", 3), custom("sourceMappingURL", 0),
			custom("name", names...), custom("metadata.code.branch_hint", 0), custom("reloc.CODE", 0),
			custom("target_features", 0), custom("drover", 1, 2, 3),
		},
	}.encode()
}

// namesOf encodes names by index.
func namesOf(all map[uint32]string) []byte {
	var out []byte
	for _, i := range []uint32{0, 1, 2, 3, 4} {
		if name, ok := all[i]; ok {
			out = appendName(appendU32(out, i), name)
		}
	}
	return out
}

// TestCustomSections has the sections kept that stay right, and those named that do not.
func TestCustomSections(t *testing.T) {
	m, err := Rewrite(customModule(), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{".debug_info", ".debug_line", "sourceMappingURL", "metadata.code.branch_hint", "reloc.CODE"}
	if !slices.Equal(m.Statistics.Dropped, want) {
		t.Errorf("dropped %v, want %v", m.Statistics.Dropped, want)
	}
	var kept []string
	all, err := readSections(m.Binary)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range all {
		if s.id == sectionCustom {
			r := reader{bytes: m.Binary, at: s.at, end: s.end}
			kept = append(kept, r.name(""))
		}
	}
	if want := []string{"producers", "name", "target_features", "drover"}; !slices.Equal(kept, want) {
		t.Errorf("kept %v, want %v", kept, want)
	}
}

// TestNames looks at every function's name, and at a trap's stack.
func TestNames(t *testing.T) {
	m, err := Rewrite(customModule(), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	r := wazero.NewRuntime(ctx)
	defer r.Close(ctx)
	compiled, err := r.CompileModule(ctx, m.Binary)
	if err != nil {
		t.Fatal(err)
	}
	var imports []string
	for _, f := range compiled.ImportedFunctions() {
		imports = append(imports, f.Name())
	}
	if want := []string{"host.a", "", "drover:meter.yield"}; !slices.Equal(imports, want) {
		t.Errorf("imports are %q, want %q", imports, want)
	}
	if compiled.Name() != "driver" {
		t.Errorf("the module is %q", compiled.Name())
	}
	host := r.NewHostModuleBuilder("host")
	for _, name := range []string{"a", "b"} {
		host.NewFunctionBuilder().WithFunc(func() {}).Export(name)
	}
	if _, err := host.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	if err := yielding(ctx, r, func() int64 { panic(errFuel) }); err != nil {
		t.Fatal(err)
	}
	i, err := r.InstantiateModule(ctx, compiled, wazero.NewModuleConfig())
	if err != nil {
		t.Fatal(err)
	}
	_, err = i.ExportedFunction("run").Call(ctx, 0)
	if !errors.Is(err, errFuel) || !strings.Contains(err.Error(), "driver.first(") {
		t.Errorf("got %v", err)
	}
	if f := i.ExportedFunction("run").Definition(); f.ParamNames() == nil || f.ParamNames()[0] != "x" {
		t.Errorf("the parameters of run are %q", f.ParamNames())
	}
}

// TestTraceGoesThroughHelpers has a trap's stack say what trapped where.
func TestTraceGoesThroughHelpers(t *testing.T) {
	binary := customModule()
	i := strings.Index(string(binary), string(code(i32(0), i32(0), i32(9), opMisc)))
	binary[i+5] = 0x7f // a count of -1
	r := wazero.NewRuntime(context.Background())
	defer r.Close(context.Background())
	m, err := Rewrite(binary, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	host := r.NewHostModuleBuilder("host")
	for _, name := range []string{"a", "b"} {
		host.NewFunctionBuilder().WithFunc(func() {}).Export(name)
	}
	if _, err := host.Instantiate(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := yielding(context.Background(), r, func() int64 { return allowance }); err != nil {
		t.Fatal(err)
	}
	instance, err := r.Instantiate(context.Background(), m.Binary)
	if err != nil {
		t.Fatal(err)
	}
	_, err = instance.ExportedFunction("run").Call(context.Background(), 0)
	if err == nil || !strings.Contains(err.Error(), "out of bounds memory access") ||
		!strings.Contains(err.Error(), ".memory.fill(") || !strings.Contains(err.Error(), "driver.first(") {
		t.Errorf("got %v", err)
	}
}

// TestBrokenNames drops a name section that cannot be read, and nothing else.
func TestBrokenNames(t *testing.T) {
	for _, content := range [][]byte{{1, 5, 1}, {1, 2, 9, 0}, {1, 3, 1, 0, 9}, {2, 3, 1, 0, 9}, {0x80}} {
		w := wasm{customs: [][]byte{custom("name", content...), custom("drover")}}
		m, err := Rewrite(w.encode(), Limits{})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(m.Statistics.Dropped, []string{"name"}) || !strings.Contains(string(m.Binary), "drover") {
			t.Errorf("% x: dropped %v", content, m.Statistics.Dropped)
		}
	}
}
