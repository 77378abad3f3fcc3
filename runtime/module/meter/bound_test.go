package meter

import (
	"context"
	"errors"
	goruntime "runtime"
	"slices"
	"testing"
)

// repeat is n times the same code.
func repeat(n int, c []byte) []byte { return slices.Repeat(c, n) }

// manyLocals are n locals of 32 bits.
func manyLocals(n int) []byte { return repeat(n, []byte{typeI32}) }

// endless are modules whose export "run" never returns by itself.
func endless() map[string]wasm {
	types := [][]byte{functionType("", ""), functionType("i", "i")}
	funcs := func(f ...wasmFunc) wasm {
		f[0].export = "run"
		return wasm{types: types, funcs: f, pages: 64}
	}
	table := func(w wasm, functions ...byte) wasm {
		w.tables = [][]byte{{typeFuncRef, 0, byte(len(functions))}}
		w.elems = [][]byte{slices.Concat([]byte{0}, global(i32(0)...), []byte{byte(len(functions))}, functions)}
		return w
	}
	indirect := code(i32(0), opCallIndirect, 0, 0)
	fill := func(n int32) []byte { return code(i32(0), i32(7), i32(n), opMisc, miscMemoryFill, 0) }
	loop := func(c []byte) []byte { return code(opLoop, typeVoid, c, opBr, 0, opEnd) }
	// twice calls the next function twice: 2 to the power of the number of functions.
	var tree []wasmFunc
	for i := range 60 {
		tree = append(tree, wasmFunc{code: code(call(uint32(i)+1), call(uint32(i)+1))})
	}
	passed := code(opBlock, typeVoid, opBlock, typeVoid, opBr, 1, loop(nil), opEnd, opEnd)
	var behind []wasmFunc
	for _, f := range append(slices.Clone(tree), wasmFunc{}) {
		behind = append(behind, wasmFunc{code: code(passed, f.code)})
	}
	dispatch := func(first int32, labels []byte, arms ...[]byte) wasm {
		w := dispatcher(labels, arms...)
		w.types = append(types, w.types...)
		w.funcs[0].export, w.funcs[0].typ = "", 2
		w.funcs = append(w.funcs, wasmFunc{export: "run", code: code(i32(first), call(0), opDrop)})
		return w
	}
	return map[string]wasm{
		"a jump back":                     dispatch(0, []byte{0, 1}, nil, jump(0, 0, 0)),
		"a jump back to itself":           dispatch(1, []byte{0, 1}, nil, jump(0, 1, 0)),
		"a jump back beyond the table":    dispatch(0, []byte{1, 0}, nil, jump(0, 5, 0)),
		"a jump back, then one forward":   dispatch(0, []byte{0, 1, 2}, jump(0, 2, 2), nil, jump(0, 0, 0)),
		"a jump of an unknown number":     dispatch(0, []byte{0, 1}, code(opBr, 1), nil),
		"a table that leads to the table": dispatch(1, []byte{0, 2}, nil, nil),
		"a jump to the table's own loop":  dispatch(0, []byte{0, 1, 2}, jump(0, 2, 1), nil),
		"calls behind a loop not entered": funcs(behind...),
		"empty loop":                      funcs(wasmFunc{code: loop(nil)}),
		"loop with a branch":              funcs(wasmFunc{code: code(opBlock, typeVoid, loop(code(i32(0), opBrIf, 1)), opEnd)}),
		"branch by a table":               funcs(wasmFunc{code: code(opLoop, typeVoid, i32(9), opBrTable, 1, 1, 0, opEnd)}),
		"nested loops":                    funcs(wasmFunc{code: loop(code(opLoop, typeVoid, i32(0), opBrIf, 0, opEnd))}),
		"loop with a call":                funcs(wasmFunc{code: loop(call(1))}, wasmFunc{code: repeat(50, code(i32(1), opDrop))}),
		"loop with a leaf":                funcs(wasmFunc{code: loop(call(1))}, wasmFunc{}),
		"loop with fill":                  funcs(wasmFunc{code: loop(fill(64 * 65536))}),
		"loop with copy": funcs(wasmFunc{code: loop(code(i32(1), i32(0), i32(64*65536-1),
			opMisc, miscMemoryCopy, 0, 0))}),
		"loop with grow":         funcs(wasmFunc{code: loop(code(i32(0), opMemoryGrow, 0, opDrop))}),
		"calls without end":      funcs(append(tree, wasmFunc{})...),
		"recursion":              funcs(wasmFunc{code: call(0)}),
		"mutual recursion":       funcs(wasmFunc{code: call(1)}, wasmFunc{code: call(2)}, wasmFunc{code: call(0)}),
		"recursion, 3000 locals": funcs(wasmFunc{locals: manyLocals(3000), code: code(bigFrame(3000), call(0), bigUse(3000))}),
		"recursion, one local with 3000 values": funcs(wasmFunc{locals: manyLocals(1), code: code(
			call(0), repeat(1000, code(get(0), get(0), call(1), opI32Add, set(0))))},
			wasmFunc{typ: 1, code: code(get(0), i32(1), opI32Add)}),
		"indirect recursion": table(funcs(wasmFunc{code: indirect}), 0),
		"indirect recursion, 3000 locals": table(funcs(
			wasmFunc{code: indirect},
			wasmFunc{locals: manyLocals(3000), code: code(bigFrame(3000), call(0), bigUse(3000))}), 1),
		"indirect recursion by a chain": table(funcs(
			wasmFunc{code: indirect}, wasmFunc{locals: manyLocals(90), code: code(bigFrame(90), call(0), bigUse(90))},
			wasmFunc{locals: manyLocals(90), code: code(bigFrame(90), call(1), bigUse(90))}), 2),
	}
}

// bigFrame gives each local a value of its own, bigUse uses it.
func bigFrame(n int) []byte {
	var c []byte
	for i := range n {
		c = code(c, i32(0), 0x28, 2, u32(uint32(4*i)), set(uint32(i)))
	}
	return c
}

func bigUse(n int) []byte {
	c := i32(0)
	for i := range n {
		c = code(c, get(uint32(i)), opI32Add)
	}
	return code(c, opDrop)
}

// TestEndless has every way of never returning end at its thousandth yield, or for its stack, in bounded memory.
func TestEndless(t *testing.T) {
	const most = 1000
	for name, w := range endless() {
		t.Run(name, func(t *testing.T) {
			yields := 0
			m := instance(t, w.encode(), true, func() int64 {
				if yields++; yields > most {
					panic(errFuel)
				}
				return 100_000
			})
			var before, after goruntime.MemStats
			goruntime.ReadMemStats(&before)
			_, err := m.ExportedFunction("run").Call(context.Background())
			goruntime.ReadMemStats(&after)
			if !errors.Is(err, errFuel) && !errors.Is(err, errStack) {
				t.Fatalf("ended with %v after %d yields", err, yields)
			}
			if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 64<<20 {
				t.Errorf("%d MiB were allocated", allocated>>20)
			}
			if want := map[bool]error{true: errStack, false: errFuel}[recursive(name)]; !errors.Is(err, want) {
				t.Errorf("ended with %v, want %v", err, want)
			}
		})
	}
}

func recursive(name string) bool {
	return slices.Contains([]string{"recursion", "mutual recursion", "recursion, 3000 locals",
		"recursion, one local with 3000 values", "indirect recursion", "indirect recursion, 3000 locals",
		"indirect recursion by a chain"}, name)
}

// TestStackIsGivenBack leaves functions in every way there is, ten thousand times, in a stack of which little can be
// lost; afterwards recursion goes exactly as deep as before.
func TestStackIsGivenBack(t *testing.T) {
	ways := map[string][]byte{
		"end":                code(get(0), i64(1)),
		"return":             code(get(0), i64(1), opReturn),
		"return with more":   code(i32(5), i32(6), get(0), i64(1), opReturn),
		"return in a loop":   code(opLoop, typeVoid, opLoop, typeVoid, get(0), i64(1), opReturn, opEnd, opEnd, opUnreachable),
		"branch":             code(get(0), i64(1), opBr, 0),
		"branch in a loop":   code(opLoop, typeVoid, get(0), i64(1), opBr, 1, opEnd, opUnreachable),
		"branch if":          code(get(0), i64(1), i32(1), opBrIf, 0, opUnreachable),
		"branch by a table":  code(opBlock, typeVoid, opLoop, typeVoid, get(0), i64(1), i32(7), opBrTable, 1, 2, 2, opEnd, opEnd, opUnreachable),
		"end of an if":       code(get(0), opIf, typeVoid, opElse, opEnd, get(0), i64(1)),
		"return in an if":    code(i32(1), opIf, typeVoid, get(0), i64(1), opReturn, opEnd, get(0), i64(2)),
		"a loop and the end": code(opLoop, typeVoid, get(1), i32(1), opI32Add, tee(1), i32(3), 0x49, opBrIf, 0, opEnd, get(0), i64(1)),
	}
	for name, way := range ways {
		t.Run(name, func(t *testing.T) {
			// The function calls itself once, so that it counts.
			body := code(get(0), opIf, typeVoid, i32(0), call(1), opDrop, opDrop, opEnd, way)
			w := wasm{
				types: [][]byte{functionType("i", "i"), functionType("i", "iI")},
				funcs: []wasmFunc{
					{export: "often", locals: []byte{typeI32}, code: code(opLoop, typeVoid,
						i32(1), call(1), opDrop, opDrop, get(1), i32(1), opI32Add, tee(1), get(0), 0x49, opBrIf, 0, opEnd, get(1))},
					{typ: 1, locals: []byte{typeI32}, code: body},
					{export: "deep", code: code(get(0), i32(1), opI32Add, opGlobalSet, 0, opGlobalGet, 0, call(2))},
				},
				globals: [][]byte{append([]byte{typeI32, 1}, global(i32(0)...)...)},
				exports: [][]byte{append(appendName(nil, "depth"), 3, 0)},
			}
			m, err := Rewrite(w.encode(), Limits{Stack: 4096})
			if err != nil {
				t.Fatal(err)
			}
			depth := func(often uint64) uint64 {
				i := instance(t, m.Binary, false, func() int64 { return allowance })
				if _, err := i.ExportedFunction("often").Call(context.Background(), often); err != nil {
					t.Fatal(err)
				}
				if _, err := i.ExportedFunction("deep").Call(context.Background(), 0); !errors.Is(err, errStack) {
					t.Fatal(err)
				}
				return i.ExportedGlobal("depth").Get()
			}
			if a, b := depth(1), depth(10_000); a != b || a < 5 {
				t.Errorf("recursion goes %d deep, then %d", a, b)
			}
		})
	}
}

// TestIndirectStackIsGivenBack does the same with call_indirect.
func TestIndirectStackIsGivenBack(t *testing.T) {
	w := endless()["indirect recursion"]
	w.funcs = append(w.funcs,
		wasmFunc{typ: 1, export: "often", locals: manyLocals(1), code: code(opLoop, typeVoid,
			i32(1), opCallIndirect, 0, 0, get(1), i32(1), opI32Add, tee(1), get(0), 0x49, opBrIf, 0, opEnd, get(1))},
		wasmFunc{code: code(i32(2), opCallIndirect, 0, 0)}, wasmFunc{})
	w.tables = [][]byte{{typeFuncRef, 0, 3}}
	w.elems = [][]byte{slices.Concat([]byte{0}, global(i32(0)...), []byte{3, 0, 2, 3})}
	m, err := Rewrite(w.encode(), Limits{Stack: 4096})
	if err != nil {
		t.Fatal(err)
	}
	i := instance(t, m.Binary, false, func() int64 { return allowance })
	if _, err := i.ExportedFunction("often").Call(context.Background(), 10_000); err != nil {
		t.Error(err)
	}
	if _, err := i.ExportedFunction("run").Call(context.Background()); !errors.Is(err, errStack) {
		t.Error(err)
	}
}
