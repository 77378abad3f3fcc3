package echotest

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
)

// BuildGo builds the Go command in the package at path, of this module, as a guest and returns the module.
func BuildGo(t testing.TB, path string) []byte {
	t.Helper()
	out := filepath.Join(t.TempDir(), "guest.wasm")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-o", out, path)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOPROXY=off")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build %s: %v\n%s", path, err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return wasm
}

// WithoutWASI leaves out the imports that are WASI's.
func WithoutWASI(imports []api.FunctionDefinition) []api.FunctionDefinition {
	return slices.DeleteFunc(slices.Clone(imports), func(d api.FunctionDefinition) bool {
		module, _, _ := d.Import()
		return module == wasi_snapshot_preview1.ModuleName
	})
}
