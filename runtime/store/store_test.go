package store

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/droverhq/drover/runtime/store/signature"
)

func open(t *testing.T) *Store {
	t.Helper()
	s, err := Open(filepath.Join(t.TempDir(), "modules"))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func add(t *testing.T, s *Store, text, name, version string) Entry {
	t.Helper()
	e, added, err := s.Add([]byte(text), Entry{Name: name, Version: version, ABI: "0.1.0"})
	if err != nil || !added {
		t.Fatalf("added %t, %v", added, err)
	}
	return e
}

func TestAddAndFind(t *testing.T) {
	s := open(t)
	one, two := add(t, s, "one", "modbus", "1.2.0"), add(t, s, "two", "modbus", "1.3.0")
	// SHA-256 of "one", by sha256sum.
	if want := "sha256:7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed"; one.Digest != want || one.Size != 3 {
		t.Errorf("%+v", one)
	}
	for reference, want := range map[string]Entry{
		"modbus@1.2.0": one, two.Digest: two, "sha256:7692c3ad": one, two.Digest[:20]: two,
	} {
		got, err := s.Find(reference)
		if err != nil || got.Digest != want.Digest {
			t.Errorf("%s: %+v, %v", reference, got, err)
		}
	}
	for _, reference := range []string{"", "modbus", "modbus@1", "sha256:", "sha256:7692c3a", "7692c3ad3540", "../x@1"} {
		if _, err := s.Find(reference); !errors.Is(err, ErrNotFound) {
			t.Errorf("%q: %v", reference, err)
		}
	}
	again, err := Open(s.dir) // after a restart
	if err != nil {
		t.Fatal(err)
	}
	entries, err := again.List()
	if err != nil || len(entries) != 2 || entries[0].Version != "1.2.0" || !entries[0].Added.Equal(one.Added) {
		t.Errorf("%+v, %v", entries, err)
	}
	if binary, err := again.Read(one.Digest); string(binary) != "one" || err != nil {
		t.Errorf("%q, %v", binary, err)
	}
}

func TestAddAgain(t *testing.T) {
	s := open(t)
	first := add(t, s, "one", "modbus", "1.2.0")
	sign := func(key string) Entry {
		return Entry{Name: "modbus", Version: "1.2.0", Signatures: []signature.Signature{{Key: key, Value: []byte{1}}}}
	}
	for _, key := range []string{"a", "b", "a"} {
		e, added, err := s.Add([]byte("one"), sign(key))
		if err != nil || added || !e.Added.Equal(first.Added) {
			t.Errorf("%+v, %t, %v", e, added, err)
		}
	}
	if e, err := s.Find("modbus@1.2.0"); err != nil || len(e.Signatures) != 2 || e.ABI != "0.1.0" {
		t.Errorf("%+v, %v", e, err)
	}
	if _, _, err := s.Add([]byte("other"), sign("a")); !errors.Is(err, ErrTaken) || !strings.Contains(err.Error(), first.Digest) {
		t.Errorf("another module of that version: %v", err)
	}
}

func TestDamage(t *testing.T) {
	s := open(t)
	one, two := add(t, s, "one", "modbus", "1.2.0"), add(t, s, "two", "modbus", "1.3.0")
	spoil := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(s.dir, strings.TrimPrefix(one.Digest, prefix)+name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	spoil(modules, "onE")
	if binary, err := s.Read(one.Digest); !errors.Is(err, ErrDamaged) || binary != nil {
		t.Errorf("%q, %v", binary, err)
	}
	if e, _, err := s.Add([]byte("one"), Entry{Name: "modbus", Version: "1.2.0"}); err != nil || e.Digest != one.Digest {
		t.Errorf("adding it again: %v", err)
	}
	if binary, err := s.Read(one.Digest); err != nil || string(binary) != "one" {
		t.Errorf("after adding it again: %q, %v", binary, err)
	}
	spoil(entries, "{")
	list, err := s.List()
	if !errors.Is(err, ErrDamaged) || len(list) != 1 || list[0].Digest != two.Digest {
		t.Errorf("%+v, %v", list, err)
	}
}

func TestRemove(t *testing.T) {
	s := open(t)
	one := add(t, s, "one", "modbus", "1.2.0")
	if err := s.Remove(one.Digest); err != nil {
		t.Fatal(err)
	}
	for _, digest := range []string{one.Digest, "sha256:7692c3ad", "../../etc/passwd", ""} {
		if err := s.Remove(digest); !errors.Is(err, ErrNotFound) {
			t.Errorf("remove %q: %v", digest, err)
		}
		if _, err := s.Read(digest); !errors.Is(err, ErrNotFound) {
			t.Errorf("read %q: %v", digest, err)
		}
	}
	if files, err := os.ReadDir(s.dir); err != nil || len(files) != 0 {
		t.Errorf("left: %v, %v", files, err)
	}
}

func TestSideBySide(t *testing.T) {
	s := open(t)
	var adding sync.WaitGroup
	for i := range 20 {
		adding.Go(func() {
			text := strings.Repeat("x", i%5)
			if _, _, err := s.Add([]byte(text), Entry{Name: "x", Version: text}); err != nil {
				t.Error(err)
			}
		})
	}
	adding.Wait()
	if list, err := s.List(); err != nil || len(list) != 5 {
		t.Errorf("%d, %v", len(list), err)
	}
}

func keep(t *testing.T, s *Store, text, path string) string {
	t.Helper()
	if err := s.Keep([]byte(text), Entry{Name: "modbus", Version: "1.2.0", Path: path}); err != nil {
		t.Fatal(err)
	}
	return Digest([]byte(text))
}

// What is kept for a path has no name of its own: builds of one version follow each other in a file.
func TestKeep(t *testing.T) {
	s := open(t)
	first, second := keep(t, s, "one", "/a.wasm"), keep(t, s, "two", "/a.wasm")
	for _, digest := range []string{first, second} {
		if e, err := s.Find(digest); err != nil || e.Path != "/a.wasm" {
			t.Errorf("%+v, %v", e, err)
		}
	}
	if _, err := s.Find("modbus@1.2.0"); !errors.Is(err, ErrNotFound) {
		t.Errorf("found by name: %v", err)
	}
	e, added, err := s.Add([]byte("two"), Entry{Name: "modbus", Version: "1.2.0"})
	if err != nil || !added || e.Path != "" {
		t.Errorf("%+v, %t, %v", e, added, err)
	}
	keep(t, s, "two", "/b.wasm")
	if e, err := s.Find("modbus@1.2.0"); err != nil || e.Digest != second || e.Path != "" {
		t.Errorf("what was added is %+v, %v", e, err)
	}
}

func TestKeepMendsDamage(t *testing.T) {
	s := open(t)
	digest := keep(t, s, "one", "/a.wasm")
	if err := os.WriteFile(s.path(digest, modules), []byte("onE"), 0o600); err != nil {
		t.Fatal(err)
	}
	keep(t, s, "one", "/a.wasm")
	if binary, err := s.Read(digest); err != nil || string(binary) != "one" {
		t.Errorf("%q, %v", binary, err)
	}
}

func TestPrune(t *testing.T) {
	s := open(t)
	one := add(t, s, "one", "modbus", "1.2.0")
	var kept []string
	for _, text := range []string{"two", "three", "four", "five"} {
		kept = append(kept, keep(t, s, text, "/a.wasm"))
	}
	used := func(digest string) bool { return digest == kept[0] }
	if n, err := s.Prune(used, 2); n != 1 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	for digest, there := range map[string]bool{one.Digest: true, kept[0]: true, kept[1]: false, kept[2]: true, kept[3]: true} {
		if _, err := s.Find(digest); (err == nil) != there {
			t.Errorf("%s: %v", digest, err)
		}
	}
}

// An entry that cannot be read is in the way of no other module.
func TestDamagedEntryBesideOthers(t *testing.T) {
	s := open(t)
	one := add(t, s, "one", "modbus", "1.2.0")
	if err := os.WriteFile(s.path(one.Digest, entries), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	two := add(t, s, "two", "modbus", "1.3.0")
	if e, err := s.Find("modbus@1.3.0"); err != nil || e.Digest != two.Digest {
		t.Errorf("%+v, %v", e, err)
	}
	if _, err := s.Find("modbus@1.2.0"); !errors.Is(err, ErrNotFound) || !errors.Is(err, ErrDamaged) {
		t.Errorf("the damaged one: %v", err)
	}
	add(t, s, "one", "modbus", "1.2.0")
	if e, err := s.Find("modbus@1.2.0"); err != nil || e.Digest != one.Digest {
		t.Errorf("added again: %+v, %v", e, err)
	}
}
