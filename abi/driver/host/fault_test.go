package host_test

import (
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/abi/driver"
)

// words is little-endian memory.
func words(ws ...uint32) []byte {
	var b []byte
	for _, w := range ws {
		b = binary.LittleEndian.AppendUint32(b, w)
	}
	return b
}

func at(offset uint32, b []byte) []wasmtest.Data { return []wasmtest.Data{{Offset: offset, Bytes: b}} }

var (
	i32  = wasmtest.I32
	i64  = wasmtest.I64
	call = wasmtest.Call
)

// open opens a serial port by the import at index 0 and leaves the handle at resultAt+4.
func open() []byte { return wasmtest.Code(i32(0), i32(0), i32(resultAt), call(0)) }

// handle is the stream that open opened.
func handle() []byte { return wasmtest.Load(i32Type, resultAt+4) }

const i32Type = 0x7f

// answer ends an export that has called what it wanted: run answers "disconnected".
func answer() []byte { return i32(8192) }

// TestFaults runs guests that break the canonical ABI in their parameters. Each ends with a *canon.Error that says how,
// and the host goes on: the guest's resources are dropped and the next instance works.
func TestFaults(t *testing.T) {
	publish := func(ptr, n uint32) []byte { return wasmtest.Code(i32(ptr), i32(n), i32(resultAt), call(0)) }
	logs := func(ptr, n uint32) []byte {
		return wasmtest.Code(i32(1), i32(ptr), i32(n), i32(0), i32(0), call(0))
	}
	for _, c := range []struct {
		name    string
		imports []string
		run     []byte
		data    []wasmtest.Data
		want    string
	}{
		{"list outside", []string{"publish"}, publish(pageSize-8, 1), nil, "outside of the memory"},
		{"list at the end of the address space", []string{"publish"}, publish(0xfffffff8, 1), nil, "outside of the memory"},
		{"list length that overflows", []string{"publish"}, publish(0, 0x0800_0000), nil, "more than"},
		{"greatest list length", []string{"publish"}, publish(0, 0xffff_ffff), nil, "more than"},
		{"list not aligned", []string{"publish"}, publish(4, 1), nil, "not aligned to 8"},
		{"empty list not aligned", []string{"publish"}, publish(4, 0), nil, "not aligned to 8"},
		{"result not aligned", []string{"publish"}, wasmtest.Code(i32(0), i32(0), i32(2), call(0)), nil, "not aligned to 4"},
		{"result outside", []string{"publish"}, wasmtest.Code(i32(0), i32(0), i32(pageSize-4), call(0)), nil, "outside of the memory"},
		{"option discriminant", []string{"publish"}, publish(64, 1), at(64, words(0, 0, 2)), "option has no case 2"},
		{"value discriminant", []string{"publish"}, publish(64, 1), at(64, words(0, 0, 1, 0, 11)), "value has no case 11"},
		{"enum in memory", []string{"publish"}, publish(64, 1), at(96, words(3)), "quality has no case 3"},
		{"list in a variant", []string{"publish"}, publish(64, 1),
			at(64, words(0, 0, 1, 0, 7, 0, 0, 0xffff_ffff)), "more than"},
		{"string not UTF-8", []string{"log"}, logs(64, 3), at(64, []byte("a\xff\xfe")), "not UTF-8"},
		{"surrogate in UTF-8", []string{"log"}, logs(64, 3), at(64, []byte("\xed\xa0\x80")), "not UTF-8"},
		{"string outside", []string{"log"}, logs(pageSize-1, 2), nil, "outside of the memory"},
		{"string length that overflows", []string{"log"}, logs(0xffff_ffff, 0xffff_ffff), nil, "more than"},
		{"enum as a parameter", []string{"log"}, wasmtest.Code(i32(4), i32(0), i32(0), i32(0), i32(0), call(0)), nil,
			"level has no case 4"},
		{"flat result discriminant", []string{"reply"},
			wasmtest.Code(i64(1), i32(2), i32(0), i32(0), i32(0), i32(0), i32(0), call(0)), nil, "result has no case 2"},
		{"flat variant discriminant", []string{"reply"},
			wasmtest.Code(i64(1), i32(0), i32(3), i32(0), i32(0), i32(0), i32(0), call(0)), nil, "response has no case 3"},
		{"zero handle", []string{"[method]stream.resumed"}, wasmtest.Code(i32(0), call(0), wasmtest.Drop()), nil,
			"no stream handle"},
		{"wild handle", []string{"[method]stream.resumed"}, wasmtest.Code(i32(77), call(0), wasmtest.Drop()), nil,
			"no stream handle"},
		{"stale handle", []string{"open", "[method]stream.resumed", "[resource-drop]stream"},
			wasmtest.Code(open(), handle(), call(2), handle(), call(1), wasmtest.Drop()), nil, "is not open"},
		{"handle dropped twice", []string{"open", "[resource-drop]stream"},
			wasmtest.Code(open(), handle(), call(1), handle(), call(1)), nil, "is not open"},
		{"foreign handle", []string{"open", "[resource-drop]datagrams"},
			wasmtest.Code(open(), handle(), call(1)), nil, "no datagrams handle"},
		{"handle in a list", []string{"wait"}, wasmtest.Code(i32(64), i32(2), i64(0), i32(resultAt), call(0)),
			at(64, words(5, 6)), "5 is no stream handle"},
		{"too many handles", []string{"open"},
			wasmtest.Code(open(), open(), open(), open(), open()), nil, "more than 4 open stream handles"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := start(t, guestCode{
				imports: c.imports, data: c.data,
				bodies: map[string][]byte{"#run": wasmtest.Code(c.run, answer())},
			}, canon.Limits{Handles: 4})
			_, err := x.Run(t.Context(), driver.Session{})
			fault, ok := errors.AsType[*canon.Error](err)
			if !ok || !strings.Contains(fault.Reason, c.want) {
				t.Errorf("run: %v, want a fault with %q", err, c.want)
			}
			if ok && !strings.Contains(fault.Func, "drover:driver/") {
				t.Errorf("the fault does not name its function: %v", fault)
			}
			if x.Drop(t.Context()); x.world.open != 0 {
				t.Errorf("%d resources are open after Drop", x.world.open)
			}
		})
	}
}

// TestUpperHalves sees that the upper half of an i32's slot is not looked at: wazero leaves anything there.
func TestUpperHalves(t *testing.T) {
	wrap := func(v uint64) []byte { return append(i64(v), 0xa7) } // i32.wrap_i64
	x := start(t, guestCode{
		imports: []string{"log"},
		bodies: map[string][]byte{"#run": wasmtest.Code(
			wrap(0xdead_beef_0000_0001), wrap(0xffff_ffff_0000_0040), wrap(0xffff_ffff_0000_0003), i32(0), i32(0), call(0),
			answer())},
	}, canon.Limits{})
	if _, err := x.Run(t.Context(), driver.Session{}); err != nil || x.world.lines != 1 {
		t.Errorf("run: %v, %d lines", err, x.world.lines)
	}
}

// TestResultFaults has exports answer malformed results, which are returned as a *canon.Error.
func TestResultFaults(t *testing.T) {
	for _, c := range []struct {
		name, export string
		ptr          uint32
		data         []byte
		want         string
	}{
		{"outside", "#describe", pageSize - 4, nil, "outside of the memory"},
		{"not aligned", "#describe", 2, nil, "not aligned to 4"},
		{"string outside", "#describe", 64, words(pageSize, 1), "outside of the memory"},
		{"string not UTF-8", "#describe", 64, append(words(72, 1), 0xff), "not UTF-8"},
		{"list too long", "#describe", 64, words(0, 0, 0, 0, 0, 0, 0, 1<<20), "more than"},
		{"result discriminant", "#run", 64, words(2), "result has no case 2"},
		{"outcome discriminant", "#run", 64, words(0, 4), "outcome has no case 4"},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := start(t, guestCode{
				data:   at(c.ptr&^3%pageSize, c.data),
				bodies: map[string][]byte{c.export: i32(c.ptr)},
			}, canon.Limits{})
			_, err := x.Describe(t.Context())
			if c.export == "#run" {
				_, err = x.Run(t.Context(), driver.Session{})
			}
			if fault, ok := errors.AsType[*canon.Error](err); !ok || !strings.Contains(fault.Reason, c.want) {
				t.Errorf("%v, want a fault with %q", err, c.want)
			}
		})
	}
}

// TestAllocator has guests whose cabi_realloc misbehaves.
func TestAllocator(t *testing.T) {
	config := driver.Config{Settings: "{}"}
	for name, c := range map[string]struct {
		imports []string
		realloc []byte
		want    string
		fault   bool
	}{
		"outside":         {nil, i32(pageSize - 1), "outside of the memory", true},
		"end of memory":   {nil, i32(0xffff_ffff), "outside of the memory", true},
		"traps":           {nil, wasmtest.Unreachable(), "unreachable", false},
		"calls an import": {[]string{"[resource-drop]stream"}, wasmtest.Code(i32(1), call(0), i32(64)), "while cabi_realloc ran", true},
	} {
		t.Run(name, func(t *testing.T) {
			x := start(t, guestCode{imports: c.imports, bodies: map[string][]byte{"cabi_realloc": c.realloc}}, canon.Limits{})
			_, err := x.Configure(t.Context(), config)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("configure: %v, want %q", err, c.want)
			}
			if _, ok := errors.AsType[*canon.Error](err); ok != c.fault {
				t.Errorf("configure: %v: is a fault: %v, want %v", err, ok, c.fault)
			}
		})
	}
	t.Run("not aligned", func(t *testing.T) {
		x := start(t, guestCode{bodies: map[string][]byte{"cabi_realloc": i32(2)}}, canon.Limits{})
		_, err := x.Configure(t.Context(), driver.Config{Devices: []driver.Device{{ID: 1}}})
		if _, ok := errors.AsType[*canon.Error](err); !ok || !strings.Contains(err.Error(), "not aligned to 4") {
			t.Errorf("configure: %v", err)
		}
	})
}

// TestPostReturn sees that it is called once with what the export returned, and may call no import.
func TestPostReturn(t *testing.T) {
	count := wasmtest.Code(i32(256), wasmtest.Load(i32Type, 256), i32(1), []byte{0x6a, 0x36, 2, 0}) // i32.add, i32.store
	save := []byte{0x41, 0xc0, 0x01, 0x20, 0, 0x36, 2, 0}                                           // parameter to address 192
	post := map[string][]byte{"cabi_post_drover:driver/lifecycle@0.1.0#describe": wasmtest.Code(count, save)}
	x := start(t, guestCode{bodies: post}, canon.Limits{})
	if _, err := x.Describe(t.Context()); err != nil {
		t.Fatal(err)
	}
	calls, _ := x.module.Memory().ReadUint32Le(256)
	ptr, _ := x.module.Memory().ReadUint32Le(192)
	if calls != 1 || ptr != resultAt {
		t.Errorf("%d calls, with %d", calls, ptr)
	}

	post["cabi_post_drover:driver/lifecycle@0.1.0#describe"] = wasmtest.Code(i32(1), call(0))
	x = start(t, guestCode{imports: []string{"[resource-drop]stream"}, bodies: post}, canon.Limits{})
	_, err := x.Describe(t.Context())
	if _, ok := errors.AsType[*canon.Error](err); !ok || !strings.Contains(err.Error(), "while the post-return") {
		t.Errorf("an import in a post-return: %v", err)
	}
}

// TestHostPanic sees that a bug behind an import is not taken for a fault of the guest's, and that an error that a host
// function panics with comes through.
func TestHostPanic(t *testing.T) {
	code := guestCode{
		imports: []string{"open", "[method]stream.read"},
		bodies: map[string][]byte{"#run": wasmtest.Code(
			open(), handle(), i32(16), i64(0), i32(resultAt+16), call(1), answer())},
	}
	end := errors.New("the host ends the call")
	for _, value := range []any{"unreachable", 7, fmt.Errorf("stop: %w", end)} {
		x := start(t, code, canon.Limits{})
		x.world.panics = value
		_, err := x.Run(t.Context(), driver.Session{})
		if _, ok := errors.AsType[*canon.Error](err); ok {
			t.Errorf("a panic with %v is a fault of the guest's: %v", value, err)
		}
		if _, isError := value.(error); isError {
			if !errors.Is(err, end) {
				t.Errorf("a panic with an error: %v", err)
			}
			continue
		}
		if p, ok := errors.AsType[*canon.HostPanic](err); !ok || p.Value != value || len(p.Stack) == 0 {
			t.Errorf("a panic with %v: %v", value, err)
		}
	}
}

// TestNoInstance calls an import before there is one to serve it.
func TestNoInstance(t *testing.T) {
	x := start(t, guestCode{
		imports: []string{"[resource-drop]stream"},
		bodies:  map[string][]byte{"#describe": wasmtest.Code(i32(1), call(0), i32(resultAt))},
	}, canon.Limits{})
	_, err := x.module.ExportedFunction("drover:driver/lifecycle@0.1.0#describe").Call(t.Context())
	if _, ok := errors.AsType[*canon.Error](err); !ok {
		t.Errorf("without an instance: %v", err)
	}
	_, err = x.Describe(t.Context())
	if _, ok := errors.AsType[*canon.Error](err); !ok || !strings.Contains(err.Error(), "no stream handle") {
		t.Errorf("with an instance: %v", err)
	}
}

// TestBudget lifts lists that overlap in memory, so that little of it would become much.
func TestBudget(t *testing.T) {
	// 512 strings, each of which is the same 32 KiB.
	var pairs []uint32
	for range 512 {
		pairs = append(pairs, heapAt, 32768)
	}
	x := start(t, guestCode{
		imports: []string{"log"},
		data:    at(4096, words(pairs...)),
		bodies: map[string][]byte{"#run": wasmtest.Code(
			i32(0), i32(0), i32(0), i32(4096), i32(256), call(0), answer())},
	}, canon.Limits{Bytes: 1 << 20})
	_, err := x.Run(t.Context(), driver.Session{})
	if _, ok := errors.AsType[*canon.Error](err); !ok || !strings.Contains(err.Error(), "more than 1048576 bytes") {
		t.Errorf("run: %v", err)
	}
	// The budget is of one call: many calls that each keep it are none of its business.
	line := wasmtest.Code(i32(0), i32(heapAt), i32(32768), i32(0), i32(0), call(0))
	var lines []byte
	for range 100 {
		lines = append(lines, line...)
	}
	x = start(t, guestCode{
		imports: []string{"log"}, bodies: map[string][]byte{"#run": wasmtest.Code(lines, answer())},
	}, canon.Limits{Bytes: 40000})
	if _, err := x.Run(t.Context(), driver.Session{}); err != nil || x.world.lines != 100 {
		t.Errorf("run: %v after %d lines", err, x.world.lines)
	}
}

// TestLowersUTF8 sees that a guest is never given a string that is no UTF-8.
func TestLowersUTF8(t *testing.T) {
	x := start(t, guestCode{}, canon.Limits{})
	if _, err := x.Configure(t.Context(), driver.Config{Settings: "a\xffb"}); err != nil {
		t.Fatal(err)
	}
	if p, _ := x.module.Memory().Read(heapAt, 5); string(p) != "a\uFFFDb" {
		t.Errorf("the guest was given %q", p)
	}
}
