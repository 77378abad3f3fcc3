package sdk_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestDocumentedDriver compares the files of the example with docs/drivers.md, where they stand whole.
func TestDocumentedDriver(t *testing.T) {
	page, err := os.ReadFile("../../docs/drivers.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, language := range map[string]string{
		"thermo.go": "go", "register.go": "go", "settings.json": "json", "address.json": "json",
	} {
		text, err := os.ReadFile(filepath.Join("example", name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(string(page), "```"+language+"\n"+string(text)+"```\n") {
			t.Errorf("docs/drivers.md has another %s", name)
		}
	}
}

// TestDocumentedDriverIsBuilt builds the example as the page says.
func TestDocumentedDriverIsBuilt(t *testing.T) {
	out := filepath.Join(t.TempDir(), "thermo.wasm")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-buildmode=c-shared", "-o", out, "./example")
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0", "GOPROXY=off")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	wasm, err := os.ReadFile(out)
	if err != nil || !strings.HasPrefix(string(wasm), "\x00asm\x01\x00\x00\x00") {
		t.Errorf("no module: %v", err)
	}
}
