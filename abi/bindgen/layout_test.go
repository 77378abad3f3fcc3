//go:build amd64 || arm64

package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestFlatten has the examples of test_flatten in the specification's design/mvp/canonical-abi/run_tests.py, as far as
// WIT can write them: a function's core signature when it is imported (lowered) and exported (lifted).
func TestFlatten(t *testing.T) {
	repeat := func(what string, n int) string { return strings.TrimSuffix(strings.Repeat(what+", ", n), ", ") }
	params := func(n int) string {
		var ps []string
		for i := range n {
			ps = append(ps, fmt.Sprintf("p%d: u8", i))
		}
		return strings.Join(ps, ", ")
	}
	functions := []struct{ wit, imported, exported string }{
		{"func(a: u8, b: f32, c: f64)", "(i32, f32, f64) ->", "(i32, f32, f64) ->"},
		{"func(a: u8, b: f32, c: f64) -> f32", "(i32, f32, f64) -> f32", "(i32, f32, f64) -> f32"},
		{"func(a: u8, b: f32, c: f64) -> u8", "(i32, f32, f64) -> i32", "(i32, f32, f64) -> i32"},
		{"func(a: u8, b: f32, c: f64) -> one", "(i32, f32, f64) -> f32", "(i32, f32, f64) -> f32"},
		{"func(a: u8, b: f32, c: f64) -> tuple<f32, f32>", "(i32, f32, f64, i32) ->", "(i32, f32, f64) -> i32"},
		{"func(" + params(16) + ")", "(" + repeat("i32", 16) + ") ->", "(" + repeat("i32", 16) + ") ->"},
		{"func(" + params(17) + ")", "(i32) ->", "(i32) ->"},
		{"func(" + params(17) + ") -> u8", "(i32) -> i32", "(i32) -> i32"},
		{"func(" + params(17) + ") -> tuple<u8, u8>", "(i32, i32) ->", "(i32) -> i32"},
	}
	var wit strings.Builder
	for i, f := range functions {
		fmt.Fprintf(&wit, "f%d: %s;\n", i, f.wit)
	}
	w, err := load(witDir(t, "interface i { record one { x: f32 } "+wit.String()+" } world w { import i; export i; }"), "w")
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range functions {
		if got := coreText(w.imports[0].funcs[i]); got != f.imported {
			t.Errorf("import of %s: %s, want %s", f.wit, got, f.imported)
		}
		if got := coreText(w.exports[0].funcs[i]); got != f.exported {
			t.Errorf("export of %s: %s, want %s", f.wit, got, f.exported)
		}
	}
}

func coreText(f *function) string {
	return strings.TrimSpace("(" + join(f.coreIn) + ") -> " + join(f.coreOut))
}

func join(cs []core) string {
	var names []string
	for _, c := range cs {
		names = append(names, coreNames[c])
	}
	return strings.Join(names, ", ")
}

// TestLayout has sizes, alignments, offsets and flat forms after the definitions of alignment, elem_size,
// discriminant_type and join in the specification's design/mvp/CanonicalABI.md.
func TestLayout(t *testing.T) {
	cases := func(n int) string {
		var cs []string
		for i := range n {
			cs = append(cs, fmt.Sprintf("c%d", i))
		}
		return strings.Join(cs, ", ")
	}
	types := []struct {
		wit         string
		size, align int
		flat        string
	}{
		{"type t = bool;", 1, 1, "i32"},
		{"type t = s16;", 2, 2, "i32"},
		{"type t = u64;", 8, 8, "i64"},
		{"type t = f32;", 4, 4, "f32"},
		{"type t = string;", 8, 4, "i32, i32"},
		{"type t = list<u64>;", 8, 4, "i32, i32"},
		{"type t = tuple<u8, u16>;", 4, 2, "i32, i32"},
		{"record t { a: u8, b: u64, c: u8 }", 24, 8, "i32, i64, i32"},
		{"record t { a: u8, b: u16, c: u8, d: u32 }", 12, 4, "i32, i32, i32, i32"},
		{"enum t { " + cases(1) + " }", 1, 1, "i32"},
		{"enum t { " + cases(256) + " }", 1, 1, "i32"},
		{"enum t { " + cases(257) + " }", 2, 2, "i32"},
		{"type t = option<u8>;", 2, 1, "i32, i32"},
		{"type t = option<u64>;", 16, 8, "i32, i64"},
		{"type t = option<option<u16>>;", 6, 2, "i32, i32, i32"},
		{"type t = result;", 1, 1, "i32"},
		{"type t = result<_, u32>;", 8, 4, "i32, i32"},
		{"type t = result<u8, string>;", 12, 4, "i32, i32, i32"},
		{"variant t { a(f32), b(u32) }", 8, 4, "i32, i32"},
		{"variant t { a(f32), b(f32) }", 8, 4, "i32, f32"},
		{"variant t { a(f32), b(u64) }", 16, 8, "i32, i64"},
		{"variant t { a(f32), b(f64) }", 16, 8, "i32, i64"},
		{"variant t { a(f64), b(u64) }", 16, 8, "i32, i64"},
		{"variant t { a(string), b(u64), c(tuple<f32, f32>) }", 16, 8, "i32, i64, i32"},
	}
	var wit strings.Builder
	for i, c := range types {
		name := fmt.Sprintf("t%d", i)
		fmt.Fprintf(&wit, "%s f%d: func(v: %s);\n", strings.Replace(c.wit, " t ", " "+name+" ", 1), i, name)
	}
	w, err := load(witDir(t, "interface i { "+wit.String()+" } world w { import i; }"), "w")
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range types {
		got := w.imports[0].funcs[i].params[0].typ
		if got.size != c.size || got.align != c.align || join(got.flat) != c.flat {
			t.Errorf("%s has size %d, alignment %d, flat %s; want %d, %d, %s",
				c.wit, got.size, got.align, join(got.flat), c.size, c.align, c.flat)
		}
	}
}

// TestNames turns names of WIT into names of Go.
func TestNames(t *testing.T) {
	for wit, want := range map[string]string{
		"io-error": "IOError", "device-id": "DeviceID", "set-rs485": "SetRS485", "ri": "RI", "dtr": "DTR", "json": "JSON",
		"read-frame": "ReadFrame", "one-and-half": "OneAndHalf", "idle": "Idle",
	} {
		if got := camel(wit); got != want {
			t.Errorf("camel(%q) = %q, want %q", wit, got, want)
		}
	}
	for wit, want := range map[string]string{"device-id": "deviceID", "type": "type_", "id": "id", "ctx": "ctx_", "max-size": "maxSize"} {
		if got := local(wit); got != want {
			t.Errorf("local(%q) = %q, want %q", wit, got, want)
		}
	}
}
