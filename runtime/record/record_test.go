package record

import (
	"errors"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var (
	oneDigest   = "sha256:" + strings.Repeat("1", 64)
	otherDigest = "sha256:" + strings.Repeat("2", 64)
	someTime    = time.Date(2026, 11, 23, 8, 20, 1, 0, time.UTC)
	someSwap    = Override{Digest: otherDigest, Reference: "modbus@1.3.0", By: "ada@plant", At: someTime, Driver: "/d/modbus.wasm"}
)

func open(t *testing.T, dir string) *Record {
	t.Helper()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What was recorded is there after a start.
func TestRecordLasts(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	r := open(t, dir)
	if _, ok := r.Applied(); ok {
		t.Error("applied before anything was")
	}
	pins := map[string]Pin{"boiler": {Driver: "/d/modbus.wasm", Digest: oneDigest}}
	if err := r.Apply([]byte("first"), Applied{File: "/etc/a.yaml", How: HowRun, At: someTime}, pins, nil); err != nil {
		t.Fatal(err)
	}
	if err := r.SetOverride("boiler", someSwap); err != nil {
		t.Fatal(err)
	}
	if err := r.SetOverride("meter", someSwap); err != nil {
		t.Fatal(err)
	}
	if o, ok, err := r.ClearOverride("meter"); o != someSwap || !ok || err != nil {
		t.Errorf("cleared %v, %t, %v", o, ok, err)
	}
	if _, ok, err := r.ClearOverride("meter"); ok || err != nil {
		t.Errorf("cleared twice: %v", err)
	}
	again := open(t, dir)
	if a, ok := again.Applied(); !ok || a.File != "/etc/a.yaml" || a.How != HowRun || !a.At.Equal(someTime) {
		t.Errorf("applied %+v", a)
	}
	if text, err := again.Bundle(digest([]byte("first"))); string(text) != "first" || err != nil {
		t.Errorf("the bundle is %q, %v", text, err)
	}
	if diff := cmp.Diff(pins, again.Pins()); diff != "" {
		t.Errorf("pins: %s", diff)
	}
	if diff := cmp.Diff(map[string]Override{"boiler": someSwap}, again.Overrides()); diff != "" {
		t.Errorf("overrides: %s", diff)
	}
	if o, ok := again.Override("boiler"); !ok || o != someSwap {
		t.Errorf("override %v", o)
	}
}

// Another configuration takes the place of the one before, with all that is recorded with it, and no file is left.
func TestApplyReplaces(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir)
	for _, text := range []string{"first", "second", "third", "third"} {
		var kept map[string]string
		if text == "third" { // one channel was rolled back to what was there before
			kept = map[string]string{"boiler": digest([]byte("second"))}
		}
		err := r.Apply([]byte(text), Applied{How: HowApply, Kept: kept}, nil, map[string]Override{text: someSwap})
		if err != nil {
			t.Fatal(err)
		}
	}
	files, err := os.ReadDir(filepath.Join(dir, folder))
	if err != nil || len(files) != 3 {
		t.Errorf("%v, %v", files, err)
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s may be read by others: %v, %v", f.Name(), info.Mode(), err)
		}
	}
	if got := open(t, dir).Overrides(); len(got) != 1 || got["third"] != someSwap {
		t.Errorf("overrides %v", got)
	}
}

// A damaged record says so, is put aside, and the next one is written in its place.
func TestDamage(t *testing.T) {
	for name, text := range map[string]string{
		"empty":        "",
		"cut":          `{"version": 1, "applied": {"bund`,
		"unknown":      `{"version": 1, "colour": "red"}`,
		"newer":        `{"version": 2, "colour": "red"}`,
		"none":         `{}`,
		"kept":         `{"version": 1, "applied": {"bundle": "` + oneDigest + `", "kept": {"a": "/x"}}}`,
		"bundle":       `{"version": 1, "applied": {"bundle": "../../etc/passwd"}}`,
		"pin":          `{"version": 1, "pins": {"a": {"driver": "/x", "digest": "sha256:1"}}}`,
		"override":     `{"version": 1, "overrides": {"a": {"digest": ""}}}`,
		"other things": `[1, 2]`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, folder, file)
			if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			r, err := Open(dir)
			if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
				t.Errorf("got %v", err)
			}
			if name == "newer" && !strings.Contains(err.Error(), "its version is 2, expected 1") {
				t.Errorf("got %v", err)
			}
			if kept, err := os.ReadFile(path + aside); string(kept) != text || err != nil {
				t.Errorf("put aside: %q, %v", kept, err)
			}
			if err := r.SetOverride("a", someSwap); err != nil {
				t.Error(err)
			}
			if o, ok := open(t, dir).Override("a"); !ok || o != someSwap {
				t.Errorf("afterwards: %v", o)
			}
		})
	}
}

func TestBundleOfNoDigest(t *testing.T) {
	if _, err := open(t, t.TempDir()).Bundle("../../x"); err == nil || !strings.Contains(err.Error(), "is no digest") {
		t.Errorf("got %v", err)
	}
}

// A configuration that is not what was recorded is not used, nor one that is gone.
func TestDamagedBundle(t *testing.T) {
	dir := t.TempDir()
	r := open(t, dir)
	if err := r.Apply([]byte("text"), Applied{How: HowRun}, nil, nil); err != nil {
		t.Fatal(err)
	}
	a, _ := r.Applied()
	if err := os.WriteFile(r.bundlePath(a.Bundle), []byte("test"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, dir).Bundle(a.Bundle); !errors.Is(err, ErrDamaged) {
		t.Errorf("got %v", err)
	}
	if err := r.Apply([]byte("text"), Applied{How: HowRun}, nil, nil); err != nil {
		t.Fatal(err)
	}
	if text, err := open(t, dir).Bundle(a.Bundle); string(text) != "text" || err != nil {
		t.Errorf("not mended: %q, %v", text, err)
	}
	if err := os.Remove(r.bundlePath(a.Bundle)); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, dir).Bundle(a.Bundle); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// A folder that cannot be written is told, and costs nothing else.
func TestFolderThatCannotBeWritten(t *testing.T) {
	occupied := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(occupied, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	r, err := Open(occupied)
	if err == nil {
		t.Error("nothing is said of a data directory that is a file")
	}
	const want = "not recorded, so the next start does not know it"
	pins := map[string]Pin{"a": {Driver: "/x", Digest: oneDigest}}
	if err := r.Apply([]byte("text"), Applied{How: HowApply}, pins, nil); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("apply: %v", err)
	}
	if err := r.SetOverride("a", someSwap); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("set: %v", err)
	}
	if o, ok := r.Override("a"); !ok || o != someSwap || !maps.Equal(r.Pins(), pins) {
		t.Errorf("it does not hold: %v, %v", o, r.Pins())
	}
	if a, ok := r.Applied(); !ok || a.How != HowApply {
		t.Errorf("applied %v", a)
	}
}

// FuzzDecode: whatever lies in the folder, it is read or refused.
func FuzzDecode(f *testing.F) {
	f.Add([]byte(`{"version": 1, "applied": {"bundle": "` + oneDigest + `", "how": "run", "at": "2026-11-23T08:20:01Z"}}`))
	f.Add([]byte(`{"version": 2}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := decode(text)
		if err != nil {
			return
		}
		if got.Version != version {
			t.Errorf("read version %d", got.Version)
		}
		for _, o := range got.Overrides {
			if !digestForm.MatchString(o.Digest) {
				t.Errorf("took the digest %q", o.Digest)
			}
		}
	})
}
