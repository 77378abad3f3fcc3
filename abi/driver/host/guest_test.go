package host_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
)

const (
	resultAt = 1024  // where hand-made guests want results
	heapAt   = 32768 // what their allocator always answers
	pageSize = 65536
)

// guestCode says what a hand-made guest does.
type guestCode struct {
	imports []string          // by their names in ImportSignatures
	bodies  map[string][]byte // of exports, by the end of their names
	data    []wasmtest.Data
}

// encode fills in what the guest does not say: an allocator with one place, and exports that answer resultAt.
func (c guestCode) encode(t testing.TB) []byte {
	t.Helper()
	m := wasmtest.Module{Pages: 1, Data: c.data}
	for _, name := range c.imports {
		m.Imports = append(m.Imports, importSignature(t, name))
	}
	for _, s := range host.ExportSignatures() {
		f := wasmtest.Func{Signature: s, Body: c.body(s.Name)}
		switch {
		case f.Body != nil || len(s.Results) == 0:
		case s.Name == canon.Realloc:
			f.Body = wasmtest.I32(heapAt)
		default:
			f.Body = wasmtest.I32(resultAt)
		}
		m.Funcs = append(m.Funcs, f)
	}
	return m.Encode()
}

func (c guestCode) body(name string) []byte {
	for suffix, body := range c.bodies {
		if strings.HasSuffix(name, suffix) && strings.HasPrefix(name, "cabi_post_") == strings.HasPrefix(suffix, "cabi_post_") {
			return body
		}
	}
	return nil
}

func importSignature(t testing.TB, name string) canon.Signature {
	t.Helper()
	for _, s := range host.ImportSignatures() {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("no import %s", name)
	return canon.Signature{}
}

// instance is a guest with a fake world behind it.
type instance struct {
	*host.Instance
	world  *world
	module api.Module
}

// start instantiates a hand-made guest.
func start(t testing.TB, code guestCode, limits canon.Limits) *instance {
	t.Helper()
	return startWith(t, wazero.NewRuntimeConfigInterpreter(), code, limits)
}

// startWith is start with the engine that config names.
func startWith(t testing.TB, config wazero.RuntimeConfig, code guestCode, limits canon.Limits) *instance {
	t.Helper()
	ctx := t.Context()
	r := wazero.NewRuntimeWithConfig(ctx, config)
	t.Cleanup(func() { _ = r.Close(context.WithoutCancel(ctx)) })
	if err := host.Register(ctx, r); err != nil {
		t.Fatal(err)
	}
	w := &world{}
	x := host.New(w.imports(), limits)
	m, err := r.Instantiate(x.Context(ctx), code.encode(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Attach(m); err != nil {
		t.Fatal(err)
	}
	return &instance{x, w, m}
}

// world is a fake of what is behind the imports.
type world struct {
	open      int // streams that are
	published []driver.Sample
	replies   int
	lines     int
	frame     []byte
	panics    any
}

func (w *world) imports() host.Imports {
	return host.Imports{
		Serial: fakeSerial{w: w}, Socket: fakeSocket{w: w}, Data: fakeData{w: w}, Control: fakeControl{w: w},
		State: fakeState{w: w}, Log: fakeLog{w: w},
	}
}

type (
	fakeSerial struct {
		host.Serial
		w *world
	}
	fakeSocket struct {
		host.Socket
		w *world
	}
	fakeData struct {
		host.Data
		w *world
	}
	fakeControl struct {
		host.Control
		w *world
	}
	fakeState struct {
		host.State
		w *world
	}
	fakeLog struct{ w *world }
	fakeIO  struct {
		host.Stream
		w *world
	}
	fakeUDP struct {
		host.Datagrams
		w *world
	}
)

func (f fakeSerial) Open(context.Context, string) component.Result[host.Stream, driver.IOError] {
	f.w.open++
	return component.OK[driver.IOError, host.Stream](fakeIO{w: f.w})
}

func (f fakeSocket) Bind(context.Context, driver.Target) component.Result[host.Datagrams, driver.IOError] {
	f.w.open++
	return component.OK[driver.IOError, host.Datagrams](fakeUDP{w: f.w})
}

func (f fakeSocket) Connect(context.Context, driver.Target) component.Result[host.Stream, driver.IOError] {
	return component.Err[host.Stream](driver.IOErrorDenied)
}

func (f fakeData) Gauges(context.Context, driver.DeviceID, []component.Tuple2[string, float64]) {}

func (f fakeState) Save(context.Context, []byte) component.Result[component.Unit, driver.StateError] {
	return component.Done[driver.StateError]()
}

func (s fakeIO) Drop(context.Context)  { s.w.open-- }
func (s fakeUDP) Drop(context.Context) { s.w.open-- }

func (s fakeIO) Read(context.Context, uint32, uint64) component.Result[[]byte, driver.IOError] {
	if s.w.panics != nil {
		panic(s.w.panics)
	}
	return component.OK[driver.IOError](s.w.frame)
}

func (s fakeIO) Resumed(context.Context) bool { return true }

func (f fakeData) Publish(_ context.Context, v []driver.Sample) component.Result[uint32, driver.PublishError] {
	f.w.published = append(f.w.published[:0], v...)
	return component.OK[driver.PublishError](uint32(len(v)))
}

func (f fakeControl) Reply(context.Context, uint64, component.Result[driver.Response, driver.CommandError]) {
	f.w.replies++
}

func (f fakeControl) Wait(context.Context, []host.Stream, uint64) driver.Event {
	return driver.EventStop()
}

func (f fakeState) Load(context.Context) component.Option[[]byte] { return component.Some(f.w.frame) }

func (f fakeLog) Log(context.Context, driver.Level, string, []component.Tuple2[string, string]) {
	f.w.lines++
}

// TestAttach names what a module lacks.
func TestAttach(t *testing.T) {
	r := wazero.NewRuntime(t.Context())
	defer r.Close(t.Context())
	m, err := r.Instantiate(t.Context(), wasmtest.Module{Pages: 1}.Encode())
	if err != nil {
		t.Fatal(err)
	}
	x := host.New((&world{}).imports(), canon.Limits{})
	ds, ok := errors.AsType[canon.Differences](x.Attach(m))
	if !ok || len(ds) != 6 || ds[0].Name != canon.Realloc {
		t.Errorf("attached a module without exports: %v", ds)
	}
	if _, err := x.Describe(t.Context()); err == nil {
		t.Error("described a module that was not attached")
	}
}
