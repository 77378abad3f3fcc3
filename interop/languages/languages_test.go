//go:build interop

package languages

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/droverhq/drover/runtime/module/meter"
)

// run runs a compiler and returns what it printed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	var stderr strings.Builder
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return strings.TrimSpace(string(out))
}

// compilers make a module of the program in their language, and return where it is.
var compilers = map[string]func(t *testing.T) string{
	"rust":    func(t *testing.T) string { return run(t, "./rust.sh") },
	"c, fast": func(t *testing.T) string { return clang(t, "-O2") },
	// Without optimisation every value lives in memory or in one of very many locals.
	"c, plain": func(t *testing.T) string { return clang(t, "-O0") },
	"c, vectors": func(t *testing.T) string {
		return clang(t, "-O3", "-msimd128", "-msign-ext", "-mnontrapping-fptoint")
	},
	"c, debug":       func(t *testing.T) string { return clang(t, "-O1", "-g") },
	"assemblyscript": assemblyscript,
}

func clang(t *testing.T, flags ...string) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program.wasm")
	run(t, "clang", append(flags, "--target=wasm32", "-mbulk-memory", "-nostdlib", "-Wl,--no-entry",
		// C keeps part of its stack in memory: enough of it that the other part ends first.
		"-Wl,-z,stack-size=67108864", "-fno-optimize-sibling-calls", "-o", out, "testdata/program.c")...)
	return out
}

func assemblyscript(t *testing.T) string {
	t.Helper()
	out := filepath.Join(t.TempDir(), "program.wasm")
	run(t, "node", "../../build/npm/node_modules/assemblyscript/bin/asc.js", "testdata/program.ts", "-O2", "--debug", "-o", out)
	return out
}

var (
	errFuel  = errors.New("fuel is used up")
	errStack = errors.New("stack is used up")
)

// TestLanguages compiles each program, has it compute before and after, and ends it where it would not.
func TestLanguages(t *testing.T) {
	for name, compile := range compilers {
		t.Run(name, func(t *testing.T) {
			binary, err := os.ReadFile(compile(t))
			if err != nil {
				t.Fatal(err)
			}
			metered, err := meter.Rewrite(binary, meter.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if debug := name == "c, debug"; debug != slices.Contains(metered.Statistics.Dropped, ".debug_info") {
				t.Errorf("%+v", metered.Statistics)
			}
			same(t, binary, metered.Binary)
			for export, want := range map[string]error{"spin": errFuel, "recurse": errStack} {
				if _, err := instance(t, metered.Binary, 1000).ExportedFunction(export).Call(t.Context(), 1<<31); !errors.Is(err, want) {
					t.Errorf("%s ended with %v, want %v", export, err, want)
				}
			}
		})
	}
}

func same(t *testing.T, before, after []byte) {
	t.Helper()
	plain, metered := instance(t, before, 0), instance(t, after, 1<<40)
	for _, n := range []uint64{0, 1, 2, 100, 1001} {
		want, err := plain.ExportedFunction("compute").Call(t.Context(), n)
		if err != nil {
			t.Fatal(err)
		}
		got, err := metered.ExportedFunction("compute").Call(t.Context(), n)
		if err != nil || got[0] != want[0] {
			t.Errorf("compute(%d) = %v, %v; unmetered %v", n, got, err, want)
		}
	}
}

// instance gives the guest yields allowances, and ends it after them.
func instance(t *testing.T, binary []byte, yields int) api.Module {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2))
	t.Cleanup(func() { _ = r.Close(ctx) })
	host := r.NewHostModuleBuilder(meter.ImportModule).NewFunctionBuilder().WithFunc(func(reason uint32) int64 {
		if yields--; reason == meter.ReasonStack {
			panic(errStack)
		} else if yields < 0 {
			panic(errFuel)
		}
		return 5000
	}).Export(meter.ImportName)
	if _, err := host.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	abort := r.NewHostModuleBuilder("env").NewFunctionBuilder().WithFunc(func(_, _, _, _ uint32) { panic("abort") }).Export("abort")
	if _, err := abort.Instantiate(ctx); err != nil {
		t.Fatal(err)
	}
	m, err := r.Instantiate(ctx, binary)
	if err != nil {
		t.Fatal(err)
	}
	return m
}
