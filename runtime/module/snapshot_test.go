package module

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/internal/testguest"
	"github.com/droverhq/drover/runtime/failure"
)

// drivers in plain Go, built once.
var (
	testdriver = sync.OnceValues(func() ([]byte, error) { return testguest.Build("testdriver") })
	modbus     = sync.OnceValues(func() ([]byte, error) { return testguest.Build("modbus") })
)

// loadOf loads a binary for the test. each has its instances initialised each.
func loadOf(t testing.TB, binary []byte, each bool) *Module {
	t.Helper()
	l := newLoader(t)
	if each {
		l.InitialiseEach()
	}
	m, err := l.Load(t.Context(), binary)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Release(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return m
}

// instantiate makes an instance that is closed with the test.
func (m *Module) instantiate(t testing.TB, c InstanceConfig) *Instance {
	t.Helper()
	c.Imports = nothingGranted()
	return m.instantiateWith(t, c)
}

// instantiateWith is instantiate of a driver that may reach what c says.
func (m *Module) instantiateWith(t testing.TB, c InstanceConfig) *Instance {
	t.Helper()
	i, err := m.Instantiate(t.Context(), failure.PhaseConfigure, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return i
}

// life is all that can be seen of an instance.
type life struct {
	Metadata driver.Metadata
	Lines    []string
	Failure  string
	Memory   uint64
	Calls    []string
}

// lived has an instance go through its phases until one fails.
func (m *Module) lived(t *testing.T, settings string, l Limits) life {
	t.Helper()
	out := life{Metadata: m.Metadata()}
	c := InstanceConfig{Imports: nothingGranted(), Limits: l, Output: func(s string) { out.Lines = append(out.Lines, s) }}
	i, err := m.Instantiate(t.Context(), failure.PhaseConfigure, c)
	if err == nil {
		if err = i.Configure(t.Context(), driver.Config{Settings: settings}); err == nil {
			err = phases(t.Context(), i)
		}
		out.Memory = i.Usage().Memory
		for _, c := range i.PostMortem().Calls {
			out.Calls = append(out.Calls, fmt.Sprintf("%s(%s) %s", c.Name, c.Args, c.Result))
		}
		if err := i.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}
	if f := failureOf(t, err); f != nil {
		out.Failure = fmt.Sprintf("%s %s %s", f.Phase, f.Code, f.Summary)
	}
	return out
}

// printing is the code that prints n times line, with fd_write as the import of that index, and its data.
func printing(index, n int, line string) (code []byte, data []wasmtest.Data) {
	call := wasmtest.Code(wasmtest.I32(1), wasmtest.I32(spareAt), wasmtest.I32(1), wasmtest.I32(spareAt+8), wasmtest.Call(index), wasmtest.Drop())
	return slices.Repeat(call, n), []wasmtest.Data{
		{Offset: spareAt, Bytes: words(spareAt+64, uint32(len(line)))}, {Offset: spareAt + 64, Bytes: []byte(line)},
	}
}

// remembering is a driver whose initialisation makes 7 of the 5 that its data has, and prints so many times.
func remembering(lines int) []byte {
	text, data := printing(0, lines, "hello\nand")
	increase := wasmtest.Code(wasmtest.I32(nothingAt+512), wasmtest.Load(i32, nothingAt+512), wasmtest.I32(2), []byte{0x6a, 0x36, 2, 0})
	return handmade{
		imports: []canon.Signature{wasi("fd_write", i32, i32, i32, i32)}, function: "_initialize",
		body: wasmtest.Code(increase, text), data: append(data, wasmtest.Data{Offset: nothingAt + 512, Bytes: words(5)}),
	}.encode()
}

// TestSnapshotIsLikeTheOrdinaryWay has drivers live both ways: what can be seen of them must be the same.
func TestSnapshotIsLikeTheOrdinaryWay(t *testing.T) {
	guests := map[string][]byte{"handmade": remembering(3), "that prints much": remembering(keptLines + 1)}
	for name, build := range map[string]func() ([]byte, error){"testdriver": testdriver, "modbus": modbus} {
		binary, err := build()
		if err != nil {
			t.Fatal(err)
		}
		guests[name] = binary
	}
	settings := map[string][]string{
		"testdriver": {
			`{}`, `{"configure": "fail:fatal"}`, `{"configure": "panic"}`, `{"connect": "exit:3"}`, `{"init": "trap:divide-by-zero"}`,
			`{"run": "oom"}`, `{"run": "recurse"}`, `{"run": "nil"}`, `{"log": ["info a"], "stdout": ["b"], "run": "disconnected"}`, `no JSON`,
		},
		"modbus":           {`{}`, `{"no": 1}`},
		"handmade":         {`{}`},
		"that prints much": {`{}`},
	}
	for name, binary := range guests {
		t.Run(name, func(t *testing.T) {
			snapshot, ordinary := loadOf(t, binary, false), loadOf(t, binary, true)
			for _, s := range settings[name] {
				for _, limit := range []uint64{0, 3 << 20} { // less than a Go driver begins with
					if limit != 0 && strings.Contains(s, "oom") {
						continue
					}
					l := Limits{Memory: limit}
					if diff := cmp.Diff(ordinary.lived(t, s, l), snapshot.lived(t, s, l)); diff != "" {
						t.Errorf("%s within %d bytes: ordinary -, snapshot +\n%s", s, limit, diff)
					}
				}
			}
		})
	}
}

// TestStart says of modules how their instances start.
func TestStart(t *testing.T) {
	s := loadOf(t, remembering(1), false).Start()
	want := Start{Snapshot: true, Memory: pageSize, Image: s.Image, Initialisation: s.Initialisation}
	if goruntime.GOOS != "linux" {
		want.Snapshot, want.Image, want.Reason = false, 0, "this system has no images of memory; Linux does"
	}
	if s != want || s.Initialisation <= 0 || s.Snapshot && (s.Image == 0 || s.Image > pageSize) {
		t.Errorf("%+v", s)
	}
	if s := loadOf(t, remembering(1), true).Start(); s.Snapshot || s.Reason != "images of the memory are switched off" || s.Memory != pageSize {
		t.Errorf("%+v", s)
	}
	if s := loadOf(t, remembering(keptLines+1), false).Start(); s.Snapshot || !strings.Contains(s.Reason, "prints more than 64 lines") {
		t.Errorf("%+v", s) // each time, a line is finished by the next one
	}
	grow := wasmtest.Code(wasmtest.I32(1<<15), []byte{0x40, 0}, wasmtest.Drop())
	if s := loadOf(t, handmade{function: "_initialize", body: grow}.encode(), false).Start(); s.Snapshot || s.Reason != errUnlike.Error() {
		t.Errorf("%+v", s)
	}
}

// TestInstancesShareNothing writes into one instance, and looks into others.
func TestInstancesShareNothing(t *testing.T) {
	m := loadOf(t, remembering(0), false)
	one, two := m.instantiate(t, InstanceConfig{}), m.instantiate(t, InstanceConfig{})
	content, _ := one.guest.Memory().Read(0, pageSize)
	before := slices.Clone(content)
	if got, _ := one.guest.Memory().ReadUint32Le(nothingAt + 512); got != 7 {
		t.Errorf("the initialisation left %d", got)
	}
	for at := range uint32(pageSize) {
		one.guest.Memory().WriteByte(at, before[at]+1)
	}
	three := m.instantiate(t, InstanceConfig{})
	for name, i := range map[string]*Instance{"older": two, "newer": three} {
		if content, _ := i.guest.Memory().Read(0, pageSize); !slices.Equal(content, before) {
			t.Errorf("the %s instance has changed", name)
		}
	}
}

// TestMemoryGrowsBehindItsImage has an instance take all that it may have.
func TestMemoryGrowsBehindItsImage(t *testing.T) {
	i := loadOf(t, remembering(0), false).instantiate(t, InstanceConfig{Limits: Limits{Memory: 4 * pageSize}})
	memory := i.guest.Memory()
	if before, ok := memory.Grow(3); !ok || before != 1 {
		t.Fatalf("grew from %d, %v", before, ok)
	}
	grown, _ := memory.Read(pageSize, 3*pageSize)
	if len(grown) != 3*pageSize || slices.ContainsFunc(grown, func(b byte) bool { return b != 0 }) {
		t.Error("what it grew by is not all zeros")
	}
	if got, _ := memory.ReadUint32Le(nothingAt + 512); got != 7 {
		t.Errorf("the image has become %d", got)
	}
	memory.WriteUint32Le(4*pageSize-4, 42)
	if got, _ := memory.ReadUint32Le(4*pageSize - 4); got != 42 {
		t.Error("its end cannot be written")
	}
	if _, ok := memory.Grow(1); ok || i.Usage().Memory != 4*pageSize {
		t.Errorf("it grew beyond its limit, to %d", i.Usage().Memory)
	}
}

// TestRandomIsFresh has an instance draw random numbers twice, when it is initialised and when it is called: the first are
// those of the image, the second its own.
func TestRandomIsFresh(t *testing.T) {
	draw := func(at uint32) []byte {
		return wasmtest.Code(wasmtest.I32(at), wasmtest.I32(16), wasmtest.Call(0), wasmtest.Drop())
	}
	h := handmade{imports: []canon.Signature{wasi("random_get", i32, i32)}, function: "#configure", body: draw(spareAt)}
	m := loadOf(t, h.encode(), false)
	var drawn []string
	for range 3 {
		i := m.instantiate(t, InstanceConfig{})
		if err := i.Configure(t.Context(), driver.Config{Settings: "{}"}); err != nil {
			t.Fatal(err)
		}
		b, _ := i.guest.Memory().Read(spareAt, 16)
		drawn = append(drawn, string(b))
	}
	slices.Sort(drawn)
	if n := len(slices.Compact(drawn)); n != 3 {
		t.Errorf("%d different numbers in 3 instances", n)
	}
}

// TestJitterIsAnInstancesOwn has instances of a Go driver draw from the kit's source: all numbers differ. Those of Go's
// own global source are the same where instances start from an image, which is why the kit has another.
func TestJitterIsAnInstancesOwn(t *testing.T) {
	out := filepath.Join(t.TempDir(), "jitter.wasm")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-buildmode=c-shared", "-o", out, "./testdata/jitter")
	build.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	binary, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	m := loadOf(t, binary, false)
	lines := map[string]bool{}
	for range 3 {
		for _, line := range m.lived(t, "{}", Limits{}).Lines {
			lines[line] = true
		}
	}
	own := slices.DeleteFunc(slices.Collect(maps.Keys(lines)), func(s string) bool { return !strings.HasPrefix(s, "kit ") })
	if shared := len(lines) - len(own); len(own) != 3 || m.Start().Snapshot && shared != 1 {
		t.Errorf("three instances drew %v", lines)
	}
}

// TestClockGoesOn compares what a guest took for the time when the image was made with what an instance does later.
func TestClockGoesOn(t *testing.T) {
	look := func(at uint32) []byte {
		return wasmtest.Code(wasmtest.I32(1), wasmtest.I64(0), wasmtest.I32(at), wasmtest.Call(0), wasmtest.Drop())
	}
	h := handmade{imports: []canon.Signature{wasi("clock_time_get", i32, i64, i32)}, function: "_initialize", body: look(spareAt)}
	m := loadOf(t, h.encode(), false)
	i := m.instantiate(t, InstanceConfig{})
	then, _ := i.guest.Memory().ReadUint64Le(spareAt)
	if now := i.nanotime(); then == 0 || now <= int64(then) || now-int64(then) > int64(time.Since(started)) {
		t.Errorf("%d when it was initialised, %d now", then, now)
	}
}
