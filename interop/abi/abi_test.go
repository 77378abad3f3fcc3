//go:build interop

package abi

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/droverhq/drover/abi/roundtrip/echotest"
)

const root = "../.."

// run runs a peer and returns what it printed.
func run(t *testing.T, name string, args ...string) string {
	t.Helper()
	var stderr strings.Builder
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, stderr.String())
	}
	return string(out)
}

// TestComponent embeds our worlds into every guest that `make guests` has built, and into that of the round trips, and
// makes components of them.
func TestComponent(t *testing.T) {
	guests, err := filepath.Glob(filepath.Join(root, "build/guests/*.wasm"))
	if err != nil || len(guests) == 0 {
		t.Fatalf("no guests in build/guests (%v): run make guests", err)
	}
	for _, guest := range guests {
		name := strings.TrimSuffix(filepath.Base(guest), ".wasm")
		t.Run(name, func(t *testing.T) {
			if name == "roundtrip" {
				component(t, guest, "abi/roundtrip/wit", "roundtrip",
					"import drover:roundtrip/mirror@0.1.0;", "export drover:roundtrip/echo@0.1.0;")
				return
			}
			component(t, guest, "abi/wit", "driver",
				"import drover:driver/io@0.1.0;", "import drover:driver/control@0.1.0;",
				"import drover:driver/data@0.1.0;", "export drover:driver/lifecycle@0.1.0;")
		})
	}
}

// component makes a component of the module and looks for the lines in its WIT.
func component(t *testing.T, module, wit, world string, lines ...string) {
	t.Helper()
	out := run(t, "node", "testdata/component.mjs",
		absolute(t, "build/npm"), module, filepath.Join(root, wit), world)
	for _, line := range lines {
		if !strings.Contains(out, line) {
			t.Errorf("the component's WIT has no %q:\n%s", line, out)
		}
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	abs, err := filepath.Abs(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return abs
}

// TestRoundTripsInC builds a guest from the untouched output of the official wit-bindgen and sends it through the round
// trips of the guest in Go.
func TestRoundTripsInC(t *testing.T) {
	wasm := buildC(t)
	t.Run("component", func(t *testing.T) {
		component(t, wasm, "abi/roundtrip/wit", "roundtrip", "export drover:roundtrip/echo@0.1.0;")
	})
	module, err := os.ReadFile(wasm)
	if err != nil {
		t.Fatal(err)
	}
	g := echotest.New(t, module)
	for seed := range uint64(10) {
		g.Run(t, seed, 5)
	}
}

// buildC generates the bindings and compiles them with the guest in testdata.
func buildC(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	run(t, absolute(t, "build/cargo/bin/wit-bindgen"),
		"c", filepath.Join(root, "abi/roundtrip/wit"), "--world", "roundtrip", "--out-dir", dir)
	out := filepath.Join(dir, "guest.wasm")
	run(t, "clang", "--target=wasm32-wasi", "-mexec-model=reactor", "-O2", "-Wall", "-Werror", "-I", dir, "-o", out,
		"testdata/guest.c", filepath.Join(dir, "roundtrip.c"), filepath.Join(dir, "roundtrip_component_type.o"))
	return out
}
