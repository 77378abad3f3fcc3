//go:build linux || darwin

package drover_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/internal/testguest"
	"github.com/droverhq/drover/runtime/config"
)

// TestExamples holds every example against the schemas of the driver that it names.
func TestExamples(t *testing.T) {
	binary, err := testguest.Build("modbus")
	if err != nil {
		t.Fatal(err)
	}
	driver := filepath.Join(t.TempDir(), "modbus.wasm")
	if err := os.WriteFile(driver, binary, 0o600); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("examples/*/drover.yaml")
	if err != nil || len(files) < 2 {
		t.Fatalf("found %q, %v", files, err)
	}
	data := t.TempDir()
	for _, file := range files {
		t.Run(filepath.Base(filepath.Dir(file)), func(t *testing.T) {
			c, err := config.Load(file)
			if err != nil {
				t.Fatal(err)
			}
			c.Data = data
			for _, ch := range c.Channels {
				if filepath.Base(ch.Driver) != "modbus.wasm" {
					t.Errorf("driver %s", ch.Driver)
				}
				ch.Driver = driver
			}
			problems, err := drover.Check(t.Context(), c)
			if err != nil || len(problems) > 0 {
				t.Errorf("%v, %v", problems, err)
			}
		})
	}
}
