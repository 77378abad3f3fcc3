package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// newTestReader reads without the machine's environment and files.
func newTestReader(name string) *reader {
	r := newReader(name, "/etc/drover")
	r.lookup = func(name string) (string, bool) {
		if name == "TOKEN" {
			return "s3cret", true
		}
		return "", false
	}
	r.readFile = func(path string) (string, error) {
		if path == "/etc/drover/secrets/token" {
			return "from a file", nil
		}
		return "", fs.ErrNotExist
	}
	r.load = func(string) ([]byte, error) { return nil, fs.ErrNotExist }
	return r
}

// TestBad reads files whose lines say which problems they have: `#! path: message`, with ` @N` at the end when the
// problem is reported on line N instead.
func TestBad(t *testing.T) {
	files, err := filepath.Glob("testdata/bad/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".yaml"), func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			node, err := newTestReader(file).parse(data)
			problems, ok := errors.AsType[Problems](err)
			if !ok || node != nil {
				t.Fatalf("got %v, %v; want no node and Problems", node, err)
			}
			var got []string
			for _, p := range problems {
				got = append(got, strconv.Itoa(p.Line)+" "+Problem{Path: p.Path, Message: p.Message}.text())
			}
			slices.Sort(got)
			if diff := cmp.Diff(wanted(string(data)), got); diff != "" {
				t.Error("problems differ (-want +got):\n" + diff)
			}
			if !slices.IsSortedFunc(problems, func(a, b Problem) int { return a.Line - b.Line }) {
				t.Error("the problems are not in the order of the lines")
			}
		})
	}
}

func (p Problem) text() string {
	_, text, _ := strings.Cut(p.String(), ": ")
	return text
}

// wanted collects the marks of a file, sorted as text.
func wanted(data string) []string {
	var want []string
	for i, line := range strings.Split(data, "\n") {
		if strings.HasPrefix(line, "#") {
			continue
		}
		for _, mark := range strings.Split(line, " #! ")[1:] {
			number := strconv.Itoa(i + 1)
			if message, at, ok := strings.Cut(mark, " @"); ok {
				mark, number = message, at
			}
			want = append(want, number+" "+strings.TrimSpace(mark))
		}
	}
	slices.Sort(want)
	return want
}

func TestSyntax(t *testing.T) {
	deep := strings.Repeat("[", 100)
	for _, tt := range []struct{ name, data, want string }{
		{"empty", "", "f.yaml:1:1: the file is empty, expected at least node and channels"},
		{"comment only", "# nothing\n", "f.yaml:1:1: the file is empty, expected at least node and channels"},
		{"scalar", "hello", `f.yaml:1:1: expected a mapping, found "hello"`},
		{"two documents", "node: n\nchannels: {}\n---\nnode: m\n",
			"f.yaml:3:1: a second document begins here, expected one document a file"},
		{"tab", "node: n\n\tchannels: {}\n", "f.yaml:2:1: this is no YAML: while scanning a plain scalar: found a tab character that violates indentation"},
		{"open quote", "node: n\ndata: \"x\n",
			"f.yaml:3:1: this is no YAML: while scanning a quoted scalar: found unexpected end of stream"},
		{"too deep", deep, "exceeded max depth of 64"},
		{"no UTF-8", "node: \xff\n", "this is no YAML"},
		{"column", "node: n\nchannels: {a: {driver: a.wasm, every: 5}}\n", "f.yaml:2:39: channels.a.every: expected a dur"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := newTestReader("f.yaml").parse([]byte(tt.data))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant %s", err, tt.want)
			}
		})
	}
}

// A file of a billion laughs is refused by its anchors, and costs no more than its bytes.
func TestAliasBomb(t *testing.T) {
	var b strings.Builder
	b.WriteString("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n")
	for i := range 30 {
		n, next := strconv.Itoa(i), strconv.Itoa(i+1)
		b.WriteString("a" + next + ": &a" + next + " [" + strings.Repeat("*a"+n+", ", 9) + "*a" + n + "]\n")
	}
	_, err := newTestReader("bomb.yaml").parse([]byte(b.String()))
	problems, ok := errors.AsType[Problems](err)
	const anchors, aliases, unknown, missing = 31, 300, 31, 2
	if !ok || len(problems) != anchors+aliases+unknown+missing {
		t.Errorf("got %d problems, want %d", len(problems), anchors+aliases+unknown+missing)
	}
}

func TestTooLarge(t *testing.T) {
	_, err := newTestReader("f.yaml").parse(make([]byte, maxBytes+1))
	if err == nil || !strings.Contains(err.Error(), "expected at most 16777216") {
		t.Errorf("got %v", err)
	}
}

// A cyclic alias ends too.
func TestAliasCycle(t *testing.T) {
	if _, err := newTestReader("f.yaml").parse([]byte("node: &a [*a]\nchannels: {a: {driver: *a}}\n")); err == nil {
		t.Error("a cycle was taken")
	}
}
