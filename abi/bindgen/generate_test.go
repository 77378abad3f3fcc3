//go:build amd64 || arm64

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestGenerated sees that what is in the tree is what the generator writes.
func TestGenerated(t *testing.T) {
	for _, o := range []options{
		{"../wit", "driver", "../driver", "../driver/host", "../driver/guest"},
		{"../roundtrip/wit", "roundtrip", "../roundtrip", "../roundtrip/host", "../roundtrip/guest"},
	} {
		files, err := o.generate()
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != 4 {
			t.Errorf("%s: %d files", o.world, len(files))
		}
		for name, want := range files {
			got, err := os.ReadFile(name)
			if err != nil {
				t.Error(err)
			} else if !bytes.Equal(got, want) {
				t.Errorf("%s is not up to date: run make generate", name)
			}
		}
	}
}

// TestRefused names what the generators cannot do, and where it is.
func TestRefused(t *testing.T) {
	const where = "t:t/i@1.0.0"
	for name, c := range map[string]struct{ wit, want string }{
		"flags":            {"flags f { a, b }", where + " f: flags: not supported"},
		"char":             {"f: func(v: char);", where + " f, parameter v: char: not supported"},
		"char in a record": {"record r { a: list<char> }", where + " r.a: char: not supported"},
		"stream":           {"f: func() -> stream<u8>;", where + " f, result: stream: not supported"},
		"future":           {"f: func(v: future<u8>);", where + " f, parameter v: future: not supported"},
		"error context":    {"f: func(v: error-context);", where + " f, parameter v: error-context: not supported"},
		"tuple":            {"f: func() -> tuple<u8, u8, u8>;", where + " f, result: a tuple of 3: not supported"},
		"constructor": {"resource r { constructor(); }",
			where + " [constructor]r: a function that is neither free nor a method: not supported"},
		"static": {"resource r { s: static func(); }",
			where + " [static]r.s: a function that is neither free nor a method: not supported"},
		"handle in a record": {"resource r; record s { r: r }", where + " s: a handle inside of a named type: not supported"},
	} {
		_, err := load(witDir(t, "interface i { "+c.wit+" } world w { import i; }"), "w")
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	for name, c := range map[string]struct{ wit, want string }{
		"exported resource": {"interface i { resource r; } world w { export i; }",
			where + ": exported resource r: not supported"},
		"function of the world": {"world w { import f: func(); }",
			"world w: function f outside of an interface: not supported"},
		"no such world": {"world v {}", `no world "w" in `},
	} {
		_, err := load(witDir(t, c.wit), "w")
		if err == nil || !bytes.HasPrefix([]byte(err.Error()), []byte(c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestUnknownTypes has types that are newer than the WIT parser: they are refused by it, not laid out wrongly.
func TestUnknownTypes(t *testing.T) {
	for _, wit := range []string{
		"f: func(v: list<u8, 4>);", "f: func(v: map<u8, u8>);", "f: async func();", "f: func() -> (a: u8, b: u8);",
	} {
		if w, err := load(witDir(t, "interface i { "+wit+" } world w { import i; }"), "w"); err == nil {
			t.Errorf("%s was taken as %+v", wit, w.imports[0].funcs[0])
		}
	}
}

// TestClash has two types that Go would give the same name.
func TestClash(t *testing.T) {
	w, err := load(witDir(t, `
		interface a { record r { x: u8 } }
		interface b { enum r { x } }
		world w { import a; import b; }`), "w")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := generateTypes(w, target{typesPkg: "p"}); err == nil || err.Error() != "two different types would be R in Go" {
		t.Errorf("%v", err)
	}
}

// witDir writes a package and returns its folder.
func witDir(t *testing.T, wit string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "wit")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "t.wit"), []byte("package t:t@1.0.0;\n"+wit), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}
