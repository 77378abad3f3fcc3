package node

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/runtime/config"
)

// TestDataThatCannotBeWritten: without a directory for compiled code, drivers are loaded all the same, and one warning
// says what is missing.
func TestDataThatCannotBeWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	occupied := t.TempDir()
	if err := os.WriteFile(filepath.Join(occupied, "cache"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	gone := t.TempDir() // what is in it once the node runs cannot be written any more
	for name, data := range map[string]string{"no directory": filepath.Join(file, "data"), "no cache": occupied, "no cache any more": gone} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			loader, err := NewLoader(&config.Node{Data: data}, slog.New(slog.NewTextHandler(&log, nil)))
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := loader.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}()
			if err := os.RemoveAll(filepath.Join(gone, "cache")); err != nil {
				t.Fatal(err)
			}
			for range 2 { // its code is compiled, and then it lacks every export
				if _, err := loader.Load(t.Context(), wasmtest.Module{Pages: 1}.Encode()); err == nil || !strings.Contains(err.Error(), "export") {
					t.Errorf("got %v", err)
				}
			}
			if n := strings.Count(log.String(), "level=WARN"); n != 1 || !strings.Contains(log.String(), "kept in memory only") {
				t.Errorf("%d warnings:\n%s", n, &log)
			}
		})
	}
}
