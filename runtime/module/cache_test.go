package module

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestCacheAcrossVersions: compiled code lies in a folder of its compiler's version, beside those of others; who finds it
// there compiles nothing, and touches nothing of others.
func TestCacheAcrossVersions(t *testing.T) {
	if !compiles() {
		return // there is no code to keep
	}
	dir := filepath.Join(t.TempDir(), "cache")
	binary := handmade{}.encode()
	load := func() map[string]time.Time {
		t.Helper()
		loader, err := NewLoader(dir)
		if err != nil {
			t.Fatal(err)
		}
		m, err := loader.Load(t.Context(), binary)
		if err != nil {
			t.Fatal(err)
		}
		if err := m.Release(context.Background()); err != nil {
			t.Error(err)
		}
		if err := loader.Close(context.Background()); err != nil {
			t.Error(err)
		}
		return cached(t, dir)
	}
	other := filepath.Join(dir, "wazero-v0.0.0-amd64-linux", "entry")
	if err := os.MkdirAll(filepath.Dir(other), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, []byte("of another version"), 0o600); err != nil {
		t.Fatal(err)
	}
	first := load()
	if len(first) != 2 {
		t.Fatalf("%v is not one entry beside the other", slices.Sorted(maps.Keys(first)))
	}
	if again := load(); !maps.EqualFunc(first, again, time.Time.Equal) {
		t.Errorf("it was compiled again: %v, then %v", first, again)
	}
	for file := range first {
		if !strings.HasPrefix(filepath.Base(filepath.Dir(file)), "wazero-") {
			t.Errorf("%s is in no folder of a version", file)
		}
		if file == other {
			continue
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
	}
	if after := load(); len(after) != 2 { // so that it is seen when something is compiled
		t.Errorf("%v after the entry was removed", after)
	}
}

// cached are the files of a cache and when they were written.
func cached(t *testing.T, dir string) map[string]time.Time {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]time.Time{}
	for _, file := range files {
		info, err := os.Stat(file)
		if err != nil {
			t.Fatal(err)
		}
		out[file] = info.ModTime()
	}
	return out
}
