package meter

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"
)

const bulkPages = 80

// bulkModule exports memory.fill, memory.copy and memory.init of a segment that is larger than a piece, as they are.
func bulkModule() []byte {
	segment := make([]byte, 2*piece+100)
	for i := range segment {
		segment[i] = byte(i*7 + i>>8)
	}
	operands := code(get(0), get(1), get(2))
	return wasm{
		types: [][]byte{functionType("iii", ""), functionType("", "")},
		pages: bulkPages,
		funcs: []wasmFunc{
			{export: "fill", code: code(operands, opMisc, miscMemoryFill, 0)},
			{export: "copy", code: code(operands, opMisc, miscMemoryCopy, 0, 0)},
			{export: "init", code: code(operands, opMisc, miscMemoryInit, 0, 0)},
			{typ: 1, export: "drop", code: code(opMisc, 9, 0)},
		},
		data: [][]byte{append(appendU32([]byte{1}, uint32(len(segment))), segment...)},
	}.encode()
}

// TestBulk has each instruction do the same as before, at every border: of the pieces, of the memory, of the segment, and
// where a copy overlaps itself.
func TestBulk(t *testing.T) {
	const size = bulkPages * 65536
	tests := []struct {
		export     string
		to, from   uint32
		count      uint32
		trap       bool
		leastYield int
	}{
		{"fill", 0, 1, 0, false, 0},
		{"fill", 0, 2, size, false, 4},
		{"fill", 1, 3, size, true, 0},
		{"fill", size, 4, 0, false, 0},
		{"fill", size + 1, 4, 0, true, 0},
		{"fill", 100, 5, piece, false, 0},
		{"fill", 100, 6, piece + 1, false, 1},
		{"fill", 0, 7, 1<<32 - 1, true, 0},
		{"copy", 0, 1, size - 1, false, 4},
		{"copy", 1, 0, size - 1, false, 4},
		{"copy", 3 * piece, 0, 2 * piece, false, 1},
		{"copy", piece / 2, 77, 3*piece + 3, false, 2},
		{"copy", 77, piece / 2, 3*piece + 3, false, 2},
		{"copy", 0, 1, size, true, 0},
		{"copy", 1, 0, size, true, 0},
		{"copy", size, size, 0, false, 0},
		{"copy", 5, 5, 2*piece + 2, false, 1},
		{"init", 9, 0, 2*piece + 100, false, 1},
		{"init", 9, 50, piece + 7, false, 1},
		{"init", 9, 0, 2*piece + 101, true, 0},
		{"init", size - piece, 0, 2 * piece, true, 0},
		{"drop", 0, 0, 0, false, 0},
		{"init", 9, 0, 2 * piece, true, 0},
		{"init", 9, 0, 0, false, 0},
	}
	binary := bulkModule()
	yields := 0
	plain := instance(t, binary, false, nil)
	metered := instance(t, binary, true, func() int64 { yields++; return 1000 })
	for i, m := range []api.Module{plain, metered} {
		if content, ok := m.Memory().Read(0, size); !ok {
			t.Fatal("no memory in", i)
		} else {
			for j := range content {
				content[j] = byte(j>>3 ^ j>>11)
			}
		}
	}
	for _, test := range tests {
		args := []uint64{uint64(test.to), uint64(test.from), uint64(test.count)}
		if test.export == "drop" {
			args = nil
		}
		yields = 0
		_, want := plain.ExportedFunction(test.export).Call(context.Background(), args...)
		_, got := metered.ExportedFunction(test.export).Call(context.Background(), args...)
		if trapText(want) != trapText(got) || (got != nil) != test.trap {
			t.Errorf("%+v: %v, unmetered %v", test, got, want)
		}
		a, _ := plain.Memory().Read(0, size)
		b, _ := metered.Memory().Read(0, size)
		if !bytes.Equal(a, b) {
			t.Fatalf("%+v: the memories differ", test)
		}
		if yields < test.leastYield {
			t.Errorf("%+v: %d yields", test, yields)
		}
	}
}

// trapText is the first line of an error, which says what trapped.
func trapText(err error) string {
	if err == nil {
		return ""
	}
	text, _, _ := strings.Cut(err.Error(), "\n")
	return text
}

// TestTableIsCapped has a table grow to its cap, and not beyond.
func TestTableIsCapped(t *testing.T) {
	w := wasm{
		types:  [][]byte{functionType("i", "i")},
		tables: [][]byte{{typeFuncRef, 0, 1}, {typeExtern, 1, 1, 5}},
		funcs: []wasmFunc{
			{export: "grow", code: code(0xd0, typeFuncRef, get(0), opMisc, miscTableGrow, 0)},
			{export: "grow small", code: code(0xd0, typeExtern, get(0), opMisc, miscTableGrow, 1)},
		},
	}
	m := instance(t, w.encode(), true, func() int64 { return allowance })
	for _, test := range []struct {
		export      string
		count, want uint64
	}{
		{"grow", 65_536, 1<<32 - 1}, {"grow", 65_535, 1}, {"grow", 1, 1<<32 - 1}, {"grow", 0, 65_536},
		{"grow small", 5, 1<<32 - 1}, {"grow small", 4, 1},
	} {
		got, err := m.ExportedFunction(test.export).Call(context.Background(), test.count)
		if err != nil || got[0] != test.want {
			t.Errorf("%s by %d: %v, %v; want %d", test.export, test.count, got, err, test.want)
		}
	}
}
