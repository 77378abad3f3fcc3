package meter

import (
	"context"
	"errors"
	"testing"
)

// dispatcher is a function (i32) -> i32 in the shape that Go's compiler gives it: parameter 0 chooses where it begins. Each
// arm adds its own number to local 1, shifted.
func dispatcher(labels []byte, arms ...[]byte) wasm {
	c := code(opBlock, typeVoid, opLoop, typeVoid, repeat(len(arms), []byte{opBlock, typeVoid}), get(0), opBrTable, len(labels)-1, labels)
	for i, arm := range arms {
		c = code(c, opEnd, get(1), i32(4), 0x74, i32(int32(i+1)), opI32Add, set(1), arm)
	}
	return wasm{
		types: [][]byte{functionType("i", "i")},
		funcs: []wasmFunc{{export: "run", locals: []byte{typeI32, typeI32, typeI32}, code: code(c, opEnd, opEnd, get(1))}},
	}
}

// jump is one to the arm that value chooses, label blocks further out.
func jump(local uint32, value int32, label int) []byte {
	return code(i32(value), set(local), opBr, label)
}

// once does something the first time that it is come across.
func once(c []byte) []byte {
	return code(get(2), 0x45, opIf, typeVoid, i32(1), set(2), c, opEnd)
}

// TestDispatch jumps in every way that looks like one of Go's, and in those that only nearly do, from each arm on: the
// same arms must be come through, in the same order.
func TestDispatch(t *testing.T) {
	three := []byte{0, 1, 2}
	tests := map[string]wasm{
		"forward":                      dispatcher(three, jump(0, 2, 2), nil, nil),
		"forward to the next":          dispatcher(three, jump(0, 1, 2), nil, nil),
		"forward, if":                  dispatcher(three, code(get(2), 0x45, opIf, typeVoid, jump(0, 2, 3), opEnd), nil, nil),
		"back":                         dispatcher(three, nil, nil, once(jump(0, 0, 1))),
		"back to itself":               dispatcher(three, nil, once(jump(0, 1, 2)), nil),
		"back, then forward":           dispatcher(three, once(jump(0, 2, 3)), nil, once(jump(0, 1, 1))),
		"beyond the table":             dispatcher(three, jump(0, 77, 2), nil, nil),
		"a negative number":            dispatcher(three, jump(0, -1, 2), nil, nil),
		"a table that is not in order": dispatcher([]byte{2, 0, 1, 0}, jump(0, 0, 2), nil, once(jump(0, 2, 1))),
		"another local":                dispatcher(three, once(jump(3, 2, 3)), nil, nil),
		"two locals":                   dispatcher(three, code(i32(2), set(0), i32(1), set(3), opBr, 2), nil, nil),
		"the local twice":              dispatcher(three, code(i32(1), set(0), jump(0, 2, 2)), nil, nil),
		"something in between":         dispatcher(three, code(i32(2), set(0), 0x01, i32(1), set(0), 0x01, opBr, 2), nil, nil),
		"not a constant":               dispatcher(three, code(i32(1), i32(1), opI32Add, set(0), opBr, 2), nil, nil),
		"a constant below":             dispatcher(three, code(i32(1), i32(2), set(0), opBr, 2), nil, nil),
		"tee":                          dispatcher(three, code(i32(2), tee(0), opDrop, opBr, 2), nil, nil),
		"br_if":                        dispatcher(three, code(get(2), 0x45, i32(1), set(2), i32(2), set(0), opBrIf, 2), nil, nil),
		"to a block, not the loop":     dispatcher(three, jump(0, 2, 0), nil, nil),
		"out of the loop":              dispatcher([]byte{0, 1, 2, 4}, jump(0, 3, 2), nil, nil),
		"a dispatch in an arm": dispatcher(three, code(
			i32(0), set(3), opLoop, typeVoid, opBlock, typeVoid, opBlock, typeVoid, get(3), opBrTable, 2, 0, 1, 3,
			opEnd, once(jump(3, 1, 2)), jump(0, 2, 4), opEnd, get(1), i32(99), opI32Add, set(1), jump(3, 0, 0), opEnd), nil, nil),
		"a dispatch by the same local": dispatcher(three, code(
			i32(0), set(0), opLoop, typeVoid, opBlock, typeVoid, opBlock, typeVoid, get(0), opBrTable, 2, 0, 1, 3,
			opEnd, once(jump(0, 1, 2)), jump(0, 2, 4), opEnd, get(1), i32(99), opI32Add, set(1), jump(0, 2, 0), opEnd), nil, nil),
		"operands are left": dispatcher(three, code(i32(5), i32(6), jump(0, 2, 2)), nil, nil),
	}
	for name, w := range tests {
		t.Run(name, func(t *testing.T) {
			binary := w.encode()
			plain := instance(t, binary, false, nil)
			metered := instance(t, binary, true, func() int64 { return 1 })
			for from := range uint64(5) {
				want, err := plain.ExportedFunction("run").Call(context.Background(), from)
				if err != nil {
					t.Fatal(err)
				}
				got, err := metered.ExportedFunction("run").Call(context.Background(), from)
				if err != nil || got[0] != want[0] {
					t.Errorf("from %d: %x, %v; unmetered %x", from, got, err, want)
				}
			}
		})
	}
}

// TestForwardJumpsAreFree has no charge in a short function that jumps nowhere but forward, and one in a loop that is
// passed.
func TestForwardJumpsAreFree(t *testing.T) {
	three := []byte{0, 1, 2}
	for name, test := range map[string]struct {
		arms    [][]byte
		metered int
	}{
		"forward": {[][]byte{jump(0, 2, 2), nil, nil}, 0},
		"back":    {[][]byte{nil, nil, jump(0, 1, 0)}, 1},
		"unknown": {[][]byte{code(opBr, 2), nil, nil}, 1},
	} {
		m, err := Rewrite(dispatcher(three, test.arms...).encode(), Limits{})
		if err != nil || m.Statistics.Metered != test.metered {
			t.Errorf("%s: %v, %+v", name, err, m.Statistics)
		}
	}
}

// TestConstantCopies has memory.fill and memory.copy of a constant number of bytes stay as they are, and be charged.
func TestConstantCopies(t *testing.T) {
	const size = 1 << 16
	w := wasm{types: [][]byte{functionType("", "")}, pages: 64, funcs: []wasmFunc{{export: "run", code: code(opLoop, typeVoid,
		i32(0), i32(7), i32(size), opMisc, miscMemoryFill, 0,
		i32(8), i32(size), i32(size), opMisc, miscMemoryCopy, 0, 0, opBr, 0, opEnd)}}}
	m, err := Rewrite(w.encode(), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	yields := 0
	i := instance(t, m.Binary, false, func() int64 {
		if yields++; yields > 10 {
			panic(errFuel)
		}
		return 2 * size >> byteShift
	})
	// A pass costs no less than the allowance: so many more than the yields would take far longer than a test may.
	if _, err := i.ExportedFunction("run").Call(context.Background()); !errors.Is(err, errFuel) {
		t.Error(err)
	}
	if s := m.Statistics; s.Loops != 1 || s.Metered != 1 {
		t.Errorf("%+v", s)
	}
}

// TestBranchesAreCharged calls a function often that does most of its work behind branches: what it yields must be in
// keeping with its work, where it does it and where it does not.
func TestBranchesAreCharged(t *testing.T) {
	const calls, allowance, work = 1000, 10_000, 5000
	arm := func(n int) []byte {
		return code(get(0), opIf, typeVoid, repeat(n/2, code(get(0), opDrop, get(0), opDrop)), opEnd)
	}
	for name, body := range map[string][]byte{
		"one long branch":      arm(work),
		"many short branches":  repeat(work/50, arm(50)),
		"branches in branches": code(get(0), opIf, typeVoid, repeat(work/50, arm(50)), opEnd),
		"branches out of blocks": code(opBlock, typeVoid, repeat(work/50, code(arm(48), opBlock, typeVoid, get(0), opBrIf, 0, opEnd)),
			opEnd),
	} {
		t.Run(name, func(t *testing.T) {
			yields := 0
			m := instance(t, wasm{types: [][]byte{functionType("ii", "")}, funcs: []wasmFunc{
				{code: body},
				{export: "run", code: code(opLoop, typeVoid, get(0), i32(0), call(0),
					get(1), i32(1), opI32Sub, tee(1), opBrIf, 0, opEnd)},
			}}.encode(), true, func() int64 { yields++; return allowance })
			ran := func(does uint64) int {
				yields = 0
				if _, err := m.ExportedFunction("run").Call(context.Background(), does, calls); err != nil {
					t.Fatal(err)
				}
				return yields
			}
			idle, busy := ran(0), ran(1)
			least := calls * work / allowance / (1 + mostUncharged/leastCharge)
			if busy < least || idle > busy {
				t.Errorf("%d yields, at least %d wanted; %d without the work", busy, least, idle)
			}
		})
	}
}
