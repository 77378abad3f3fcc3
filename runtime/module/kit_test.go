package module

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/runtime/failure"
)

// Where a hand-made driver has what its functions return.
const (
	metadataAt = 64
	nothingAt  = 1024 // zeros: a result that is ok, an empty handle, the outcome disconnected
	textAt     = 4096
	reallocAt  = 8192 // everything that the host lowers
	spareAt    = 16384
)

const i32, i64 = api.ValueTypeI32, api.ValueTypeI64

// wasi is an import of WASI.
func wasi(name string, params ...api.ValueType) canon.Signature {
	return canon.Signature{Module: "wasi_snapshot_preview1", Name: name, Params: params, Results: []api.ValueType{i32}}
}

// words are 32-bit numbers in a guest's memory.
func words(numbers ...uint32) []byte {
	var out []byte
	for _, n := range numbers {
		out = binary.LittleEndian.AppendUint32(out, n)
	}
	return out
}

// handmade is a driver that does nothing, but for one function.
type handmade struct {
	imports []canon.Signature
	// function is the end of an export's name, or "_initialize". It runs body before it returns.
	function string
	body     []byte
	locals   uint32
	data     []wasmtest.Data
	// more are functions besides the exports.
	more []wasmtest.Func
}

func (h handmade) encode() []byte {
	metadata := words(textAt, 8, textAt+8, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	m := wasmtest.Module{
		Imports: h.imports, Pages: 1,
		Data: append([]wasmtest.Data{
			{Offset: metadataAt, Bytes: metadata}, {Offset: textAt, Bytes: []byte("handmade1.0.0")},
		}, h.data...),
	}
	for _, s := range host.ExportSignatures() {
		m.Funcs = append(m.Funcs, h.export(s))
	}
	m.Funcs = append(m.Funcs, h.more...)
	if h.function == "_initialize" {
		m.Funcs = append(m.Funcs, h.export(canon.Signature{Name: "_initialize"}))
	}
	return m.Encode()
}

func (h handmade) export(s canon.Signature) wasmtest.Func {
	f := wasmtest.Func{Signature: s}
	at := uint32(nothingAt)
	switch {
	case s.Name == canon.Realloc:
		at = reallocAt
	case strings.HasSuffix(s.Name, "#describe"):
		at = metadataAt
	}
	if strings.HasSuffix(s.Name, h.function) && strings.HasPrefix(s.Name, "cabi_post_") == strings.HasPrefix(h.function, "cabi_post_") {
		f.Body, f.Locals = h.body, h.locals
	}
	if len(s.Results) > 0 {
		f.Body = wasmtest.Code(f.Body, wasmtest.I32(at))
	}
	return f
}

// places are where a hand-made driver may misbehave, and the phase that the failure has.
var places = map[string]failure.Phase{
	"_initialize": failure.PhaseDescribe, "#describe": failure.PhaseDescribe, "#configure": failure.PhaseConfigure,
	"#connect": failure.PhaseConnect, "#init": failure.PhaseInit, "#run": failure.PhaseRun,
	canon.Realloc: failure.PhaseConfigure, "cabi_post_drover:driver/lifecycle@0.1.0#init": failure.PhaseInit,
}

func newLoader(t testing.TB) *Loader {
	t.Helper()
	loader, err := NewLoader("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := loader.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return loader
}

// live has a driver go through all its phases, within ctx, and returns the failure at which it ended, or nil.
func live(t testing.TB, ctx context.Context, l *Loader, binary []byte, c InstanceConfig) *failure.Failure {
	t.Helper()
	m, err := l.LoadWithin(t.Context(), binary, c.Limits)
	if err != nil {
		return failureOf(t, err)
	}
	defer func() {
		if err := m.Release(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	c.Imports = nothingGranted()
	i, err := m.Instantiate(ctx, failure.PhaseConfigure, c)
	if err != nil {
		return failureOf(t, err)
	}
	defer func() {
		if err := i.Close(context.Background()); err != nil {
			t.Error(err)
		}
	}()
	return failureOf(t, phases(ctx, i))
}

// phases calls everything from configure on.
func phases(ctx context.Context, i *Instance) error {
	if err := i.Configure(ctx, driver.Config{Settings: "{}"}); err != nil {
		return err
	}
	if err := i.Connect(ctx, driver.Session{}); err != nil {
		return err
	}
	if _, err := i.Init(ctx, driver.Session{}); err != nil {
		return err
	}
	_, err := i.Run(ctx, driver.Session{})
	return err
}

func failureOf(t testing.TB, err error) *failure.Failure {
	t.Helper()
	f, ok := errors.AsType[*failure.Failure](err)
	if err != nil && !ok {
		t.Fatalf("no failure: %v", err)
	}
	return f
}

// instanceOf is an instance of a hand-made driver that was not called yet.
func instanceOf(t testing.TB, h handmade, l Limits) *Instance {
	t.Helper()
	m, err := newLoader(t).Load(t.Context(), h.encode())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Release(context.Background()); err != nil {
			t.Error(err)
		}
	})
	i, err := m.Instantiate(t.Context(), failure.PhaseConfigure, InstanceConfig{Imports: nothingGranted(), Limits: l})
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

// repeated is code that does body so many times. It counts in a word of the memory.
func repeated(times uint32, body ...[]byte) []byte {
	count := wasmtest.Code(wasmtest.I32(spareAt), wasmtest.Load(i32, spareAt), wasmtest.I32(1), []byte{0x6a, 0x36, 2, 0})
	more := wasmtest.Code(wasmtest.Load(i32, spareAt), wasmtest.I32(times), []byte{0x49, 0x0d, 0x00}) // i32.lt_u, br_if 0
	reset := wasmtest.Code(wasmtest.I32(spareAt), wasmtest.I32(0), []byte{0x36, 2, 0})
	return wasmtest.Code(reset, []byte{0x03, 0x40}, wasmtest.Code(body...), count, more, []byte{0x0b})
}

// late is what ends a call whose time is over.
func late() *failure.Failure {
	return failure.New(failure.PhaseRun, failure.LimitDeadline, "the driver did not return in time")
}
