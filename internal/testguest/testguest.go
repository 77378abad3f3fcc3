// Package testguest builds drivers for tests, with nothing but the go command.
package testguest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// guests is where the drivers are.
const guests = "github.com/droverhq/drover/guests/"

// Build returns the module of the driver guests/NAME, as `make guests` builds it. A test binary that needs it more than
// once keeps it, in a sync.OnceValues.
func Build(name string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "testguest-")
	if err != nil {
		return nil, fmt.Errorf("build guest %s: %w", name, err)
	}
	defer os.RemoveAll(dir) //nolint:errcheck // a temporary folder
	out := filepath.Join(dir, name+".wasm")
	if _, err := run("build", "-buildvcs=false", "-buildmode=c-shared", "-trimpath", "-o", out, guests+name); err != nil {
		return nil, fmt.Errorf("build guest %s: %w", name, err)
	}
	if err := watch(guests + name); err != nil {
		return nil, fmt.Errorf("find the sources of guest %s: %w", name, err)
	}
	return os.ReadFile(out)
}

// watch looks at each source file of a package and of those that it imports: `go test` takes an earlier result for the
// present one unless a file that the test has looked at has changed.
func watch(pkg string) error {
	dirs, err := run("list", "-deps", "-f", "{{if not .Standard}}{{.Dir}}{{end}}", pkg)
	if err != nil {
		return err
	}
	for dir := range strings.Lines(dirs) {
		entries, err := os.ReadDir(strings.TrimSpace(dir))
		if err != nil {
			return err
		}
		for _, e := range entries {
			if _, err := os.Stat(filepath.Join(strings.TrimSpace(dir), e.Name())); err != nil {
				return err
			}
		}
	}
	return nil
}

// run runs the go command for the guests' target and returns what it prints.
func run(args ...string) (string, error) {
	var stderr bytes.Buffer
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOOS=wasip1", "GOARCH=wasm", "CGO_ENABLED=0")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, stderr.Bytes())
	}
	return string(out), nil
}
