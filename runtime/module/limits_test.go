package module

import (
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/runtime/failure"
)

// brief is a limit of computing that no driver of these tests comes to but by hanging.
var brief = Limits{Compute: 30 * time.Millisecond}

// TestHanging has every way of computing for ever in every place.
func TestHanging(t *testing.T) {
	iov := []wasmtest.Data{{Offset: spareAt, Bytes: words(spareAt+8, 2, 0x0a61)}} // "a\n"
	ways := []struct {
		name    string
		imports []canon.Signature
		body    []byte
		data    []wasmtest.Data
	}{
		{name: "loop", body: wasmtest.Loop()},
		{name: "filling memory",
			body: wasmtest.Loop(wasmtest.I32(spareAt), wasmtest.I32(0), wasmtest.I32(32768), []byte{0xfc, 0x0b, 0x00})},
		{name: "looking at the clock", imports: []canon.Signature{wasi("clock_time_get", i32, i64, i32)},
			body: wasmtest.Loop(wasmtest.I32(1), wasmtest.I64(0), wasmtest.I32(spareAt), wasmtest.Call(0), wasmtest.Drop())},
		{name: "printing", imports: []canon.Signature{wasi("fd_write", i32, i32, i32, i32)}, data: iov,
			body: wasmtest.Loop(wasmtest.I32(1), wasmtest.I32(spareAt), wasmtest.I32(1), wasmtest.I32(spareAt+16),
				wasmtest.Call(0), wasmtest.Drop())},
	}
	loader := newLoader(t)
	for _, way := range ways {
		for place, phase := range places {
			t.Run(way.name+" in "+place, func(t *testing.T) {
				binary := handmade{imports: way.imports, function: place, body: way.body, data: way.data}.encode()
				f := live(t, t.Context(), loader, binary, InstanceConfig{Limits: brief})
				if f == nil || f.Code != failure.LimitCPU || f.Phase != phase || !f.Code.Crash() {
					t.Fatalf("got %v, want %s", f, failure.LimitCPU)
				}
				left := f.Remains.(PostMortem)
				if !strings.Contains(left.Stack, place) || left.CPU < brief.Compute {
					t.Errorf("stack %q after %s", left.Stack, left.CPU)
				}
			})
		}
	}
}

// TestRecursion has recursions without end: of small frames and of large ones, direct, indirect and by two functions.
func TestRecursion(t *testing.T) {
	loader := newLoader(t)
	exported := len(exports(""))
	first, second := wasmtest.Call(exported), wasmtest.Call(exported+1)
	self := func(name string, locals uint32, body []byte) wasmtest.Func {
		return wasmtest.Func{Signature: canon.Signature{Name: name}, Locals: locals, Body: body}
	}
	for name, more := range map[string][]wasmtest.Func{
		"small frames": {self("deeper", 0, first)},
		"large frames": {self("deeper", 3000, live3000(first))},
		"two":          {self("deeper", 10, second), self("deepest", 10, first)},
	} {
		for place, phase := range places {
			t.Run(name+" in "+place, func(t *testing.T) {
				before := takenMemory()
				f := live(t, t.Context(), loader, handmade{function: place, body: first, more: more}.encode(), InstanceConfig{})
				if f == nil || f.Code != failure.LimitStack || f.Phase != phase {
					t.Fatalf("got %v, want %s", f, failure.LimitStack)
				}
				if stack := f.Remains.(PostMortem).Stack; !strings.HasPrefix(stack, "deep") {
					t.Errorf("stack %q", stack)
				}
				took := int64(takenMemory() - before)
				t.Logf("%d MB", took>>20)
				if took > 64<<20 {
					t.Errorf("it took %d MB", took>>20)
				}
			})
		}
	}
}

// live3000 is a call during which 3000 locals are needed: each is read from the memory before, and added up after it.
func live3000(call []byte) []byte {
	var before, after []byte
	for i := range uint32(3000) {
		before = wasmtest.Code(before, wasmtest.Load(i64, 8*i%4096), wasmtest.Local(0x21, i))
		after = wasmtest.Code(after, wasmtest.Local(0x20, i), []byte{0x7c}) // i64.add
	}
	sum := wasmtest.Code(wasmtest.I32(spareAt), wasmtest.I64(0), after, []byte{0x37, 3, 0}) // i64.store
	return wasmtest.Code(before, call, sum)
}

// takenMemory is what the Go runtime has from the system.
func takenMemory() uint64 {
	s := []metrics.Sample{{Name: "/memory/classes/total:bytes"}}
	metrics.Read(s)
	return s[0].Value.Uint64()
}

// TestStackLimit sees that the limit is the one of the channel that loads the module.
func TestStackLimit(t *testing.T) {
	loader := newLoader(t)
	// A recursion of 1500 calls with 100 locals each: 1.2 MB and more. It counts in a word of the memory. The interpreter
	// takes 2000 calls, whatever their size.
	count := wasmtest.Code(wasmtest.I32(spareAt), wasmtest.Load(i32, spareAt), wasmtest.I32(1), []byte{0x6a, 0x36, 2, 0})
	until := wasmtest.Code(wasmtest.Load(i32, spareAt), wasmtest.I32(1500), []byte{0x48, 0x04, 0x40},
		wasmtest.Call(len(exports(""))), []byte{0x0b})
	binary := handmade{function: "#run", body: wasmtest.Call(len(exports(""))), more: []wasmtest.Func{
		{Signature: canon.Signature{Name: "deeper"}, Locals: 100, Body: wasmtest.Code(count, until)},
	}}.encode()
	if f := live(t, t.Context(), loader, binary, InstanceConfig{}); f != nil {
		t.Errorf("within the default: %v", f)
	}
	if f := live(t, t.Context(), loader, binary, InstanceConfig{Limits: Limits{Stack: 1 << 20}}); f == nil || f.Code != failure.LimitStack {
		t.Errorf("within 1 MiB: %v", f)
	}
}

// TestMemoryGrowth sees that a growth beyond the limit answers -1, and that one within it does not.
func TestMemoryGrowth(t *testing.T) {
	loader := newLoader(t)
	grow := func(pages uint32) []byte { return wasmtest.Code(wasmtest.I32(pages), []byte{0x40, 0x00}) }
	trapUnless := func(condition ...byte) []byte {
		return wasmtest.Code(condition, []byte{0x45, 0x04, 0x40, 0x00, 0x0b}) // i32.eqz, if, unreachable, end
	}
	body := wasmtest.Code(
		grow(3), wasmtest.I32(1), trapUnless(0x46),
		grow(1), wasmtest.I32(0xffff_ffff), trapUnless(0x46),
		grow(0xffff), wasmtest.I32(0xffff_ffff), trapUnless(0x46),
	)
	c := InstanceConfig{Limits: Limits{Memory: 4 * pageSize}}
	if f := live(t, t.Context(), loader, handmade{function: "#run", body: body}.encode(), c); f != nil {
		t.Errorf("the driver failed: %v", f)
	}
	f := live(t, t.Context(), loader, handmade{function: "#run", body: append(body, 0x00)}.encode(), c)
	if f == nil || f.Code != failure.LimitMemory {
		t.Fatalf("a driver that gives up after it was refused: %v", f)
	}
	if m := f.Remains.(PostMortem).Memory; m != 4*pageSize {
		t.Errorf("it had %d bytes", m)
	}
}

// TestUsage counts what the guest computes, and not what it sleeps.
func TestUsage(t *testing.T) {
	nap, data := napping(40 * time.Millisecond)
	i := instanceOf(t, handmade{
		imports: []canon.Signature{pollOneoff()}, function: "#run",
		body: wasmtest.Code(nap, nap, nap, nap, nap), data: []wasmtest.Data{data},
	}, Limits{})
	before := i.Usage()
	if err := phases(t.Context(), i); err != nil {
		t.Fatal(err)
	}
	u := i.Usage()
	if u.CPU <= before.CPU || u.CPU-before.CPU > 100*time.Millisecond || u.Memory != pageSize {
		t.Errorf("it took %+v after %+v", u, before)
	}
}
