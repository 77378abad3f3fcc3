package serial

import (
	"os"
	"path/filepath"
	"testing"
)

func TestStablePaths(t *testing.T) {
	dir := t.TempDir()
	port := filepath.Join(dir, "ttyUSB0")
	if err := os.WriteFile(port, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	real, err := filepath.EvalSymlinks(port)
	if err != nil {
		t.Fatal(err)
	}
	links := filepath.Join(dir, "by-id")
	if err := os.Mkdir(links, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"usb-meter": "../ttyUSB0", "usb-gone": "../ttyUSB7"} {
		if err := os.Symlink(target, filepath.Join(links, name)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := stablePaths(links)
	if err != nil || len(got) != 1 || got[real] != filepath.Join(links, "usb-meter") {
		t.Errorf("%v, %v", got, err)
	}
	if got, err := stablePaths(filepath.Join(dir, "none")); err != nil || len(got) != 0 {
		t.Errorf("without a folder: %v, %v", got, err)
	}
}

// What is listed is there.
func TestList(t *testing.T) {
	ports, err := List()
	if err != nil {
		t.Fatal(err)
	}
	for i, p := range ports {
		if _, err := os.Stat(p.Path); err != nil || i > 0 && ports[i-1].Path >= p.Path {
			t.Errorf("%+v: %v", p, err)
		}
	}
}
