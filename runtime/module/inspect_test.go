package module

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/runtime/failure"
)

// exports are functions of the signatures that the world prescribes, each of which traps.
func exports(except string) []wasmtest.Func {
	var out []wasmtest.Func
	for _, s := range host.ExportSignatures() {
		if s.Name != except {
			out = append(out, wasmtest.Func{Signature: s, Body: []byte{0x00}})
		}
	}
	return out
}

func signature(module, name string, params ...api.ValueType) canon.Signature {
	return canon.Signature{Module: module, Name: name, Params: params}
}

func TestLoadRefuses(t *testing.T) {
	ctx := context.Background()
	const run = "drover:driver/lifecycle@0.1.0#run"
	another := wasmtest.Func{Signature: canon.Signature{Name: run, Results: []api.ValueType{api.ValueTypeI64}}, Body: []byte{0x00}}
	tests := []struct {
		name   string
		binary []byte
		code   failure.Code
		text   string
	}{
		{"nothing", nil, failure.ABIEncoding, "not a WebAssembly module"},
		{"text", []byte("hello, this is no module"), failure.ABIEncoding, "not a WebAssembly module"},
		{"component", []byte(componentPreamble + "more"), failure.ABIEncoding, "a driver is a core module"},
		{"cut", wasmtest.Module{Funcs: exports("")}.Encode()[:60], failure.ABIEncoding, "meter the module: module, byte 10: expected"},
		{"too large", append([]byte(preamble), make([]byte, maxSize)...), failure.ABIEncoding, "more than 67108864"},
		{"no exports", wasmtest.Module{}.Encode(), failure.ABIExport, "missing"},
		{"one export missing", wasmtest.Module{Funcs: exports(run)}.Encode(), failure.ABIExport, run + ": missing"},
		{"export of another type", wasmtest.Module{Funcs: append(exports(run), another)}.Encode(),
			failure.ABIExport, run + ": is () -> (i64), not "},
		{"no memory", wasmtest.Module{Funcs: exports(""), NoMemory: true}.Encode(), failure.ABIExport, "memory: missing"},
		{"newer import", wasmtest.Module{Imports: []canon.Signature{signature("drover:driver/io@0.2.0", "f")}, Funcs: exports("")}.Encode(),
			failure.ABIVersion, "imports version 0.2.0 of drover:driver, this host has 0.1.0"},
		{"newer export", wasmtest.Module{Funcs: append(exports(""), trapping("drover:driver/lifecycle@0.3.0#run", 0x00))}.Encode(),
			failure.ABIVersion, "exports version 0.3.0"},
		{"unknown module", wasmtest.Module{Imports: []canon.Signature{signature("env", "emscripten")}, Funcs: exports("")}.Encode(),
			failure.ABIImport, `imports "emscripten" of "env"`},
		{"unknown function", wasmtest.Module{Imports: []canon.Signature{signature("drover:driver/data@0.1.0", "steal")}, Funcs: exports("")}.Encode(),
			failure.ABIImport, "drover:driver/data@0.1.0 steal: no such function"},
		{"import of another type", wasmtest.Module{Imports: []canon.Signature{signature("drover:driver/data@0.1.0", "publish", api.ValueTypeF32)}, Funcs: exports("")}.Encode(),
			failure.ABIImport, "publish: is (f32) -> (), not "},
		{"traps when described", wasmtest.Module{Funcs: exports("")}.Encode(), failure.TrapUnreachable, "unreachable"},
		{"minimum memory above the cap", wasmtest.Module{Funcs: exports(""), Pages: DefaultMemory/pageSize + 1}.Encode(),
			failure.LimitMemory, "needs 33619968 bytes of memory from the start, its limit is 33554432"},
		{"the same, that nobody can compile", wasmtest.Module{Funcs: append(exports(""), trapping("x", 0x41, 0x00, 0x91, 0x1a)), Pages: DefaultMemory/pageSize + 1}.Encode(),
			failure.LimitMemory, "needs 33619968 bytes of memory from the start, its limit is 33554432"},
		{"what nobody can compile", wasmtest.Module{Funcs: append(exports(""), trapping("x", 0x41, 0x00, 0x91, 0x1a)), Pages: 1}.Encode(),
			failure.ABIEncoding, "compile the module"},
	}
	loader, err := NewLoader("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = loader.Close(ctx) })
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			_, err := loader.Load(ctx, test.binary)
			f, ok := errors.AsType[*failure.Failure](err)
			if !ok || f.Code != test.code || !strings.Contains(f.Summary, test.text) || f.Phase != failure.PhaseDescribe {
				t.Errorf("got %v, want %s with %q", err, test.code, test.text)
			}
			if len(loader.modules) != 0 {
				t.Errorf("%d modules are kept", len(loader.modules))
			}
		})
	}
}

func TestLoadFileReportsTheFile(t *testing.T) {
	loader, err := NewLoader(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close(context.Background())
	if _, err := loader.LoadFile(context.Background(), filepath.Join(t.TempDir(), "absent.wasm")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if _, err := loader.LoadFile(context.Background(), t.TempDir()); err == nil {
		t.Error("a directory is no module")
	}
}

func TestCacheIsClosedToOthers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	loader, err := NewLoader(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close(context.Background())
	info, err := os.Stat(dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// TestCacheThatCannotBeUsed: a driver is loaded all the same when the directory is gone, full, or holds something else.
func TestCacheThatCannotBeUsed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache")
	loader, err := NewLoader(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer loader.Close(context.Background())
	told := 0
	loader.Trouble(func(error) { told++ })
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for i, h := range []handmade{{}, {function: "#run", body: wasmtest.Code(wasmtest.I32(1), wasmtest.Drop())}} {
		if f := live(t, t.Context(), loader, h.encode(), InstanceConfig{}); f != nil {
			t.Errorf("driver %d: %v", i, f)
		}
	}
	want := 1
	if !compiles() {
		want = 0 // there is no code to keep
	}
	if told != want {
		t.Errorf("told %d times", told)
	}
}

// FuzzCheck has everything that happens to a binary before its code runs.
func FuzzCheck(f *testing.F) {
	f.Add([]byte(preamble))
	f.Add(wasmtest.Module{Funcs: exports("")}.Encode())
	f.Add(wasmtest.Module{Imports: []canon.Signature{signature("drover:driver/data@0.1.0", "publish")}}.Encode())
	ctx := context.Background()
	f.Fuzz(func(t *testing.T, binary []byte) {
		l := &Loader{config: wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV2), cache: wazero.NewCompilationCache()}
		defer l.Close(ctx)
		m := &Module{loader: l}
		err := m.compile(ctx, binary, Limits{}.withDefaults())
		if m.runtime != nil {
			defer m.runtime.Close(ctx)
		}
		if err == nil {
			return
		}
		if fail, ok := errors.AsType[*failure.Failure](err); !ok || fail.Code == failure.HostPanic {
			t.Errorf("got %v", err)
		}
	})
}
