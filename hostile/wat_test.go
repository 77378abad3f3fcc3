//go:build hostile

package hostile

import (
	"bytes"
	_ "embed"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/tetratelabs/wazero/api"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/runtime/failure"
)

// attack is a driver, and how it must end.
type attack struct {
	name string
	// phase is stopPhase for a driver that must go on until it is stopped; code is empty where that is no failure.
	phase    failure.Phase
	code     failure.Code
	binary   []byte
	settings string // {} when empty
}

// stopPhase is no phase of a driver's, but what ends its run.
const stopPhase = "stop"

// expectation is the first line of an attack.
var expectation = regexp.MustCompile(`^(?:;;|//) ([a-z]+) ([a-z0-9.-]+): \S.*\n`)

func newAttack(t *testing.T, name, text string) attack {
	t.Helper()
	m := expectation.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("%s does not begin with `;; PHASE CODE: what it does`", name)
	}
	a := attack{name: name, phase: failure.Phase(m[1])}
	if a.phase == stopPhase && m[2] == "-" {
		return a
	}
	if a.code = failure.Code(m[2]); !a.code.Known() {
		t.Fatalf("%s: there is no code %s", name, a.code)
	}
	return a
}

// readAttacks returns all attacks in WebAssembly text, assembled.
func readAttacks(t *testing.T) []attack {
	t.Helper()
	files, err := fs.Glob(os.DirFS("attacks"), "*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("find the attacks: %d files, %v", len(files), err)
	}
	var all []attack
	for _, file := range files {
		archive, err := txtar.ParseFile(filepath.Join("attacks", file))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			a := newAttack(t, f.Name, string(f.Data))
			a.binary = assemble(t, f.Name, wat(t, string(f.Data)))
			all = append(all, a)
		}
	}
	return all
}

// assemble turns WebAssembly text into a module.
func assemble(t *testing.T, name, text string) []byte {
	t.Helper()
	dir := t.TempDir()
	in, out := filepath.Join(dir, name+".wat"), filepath.Join(dir, name+".wasm")
	if err := os.WriteFile(in, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if message, err := exec.Command("wat2wasm", "--debug-names", "--enable-multi-memory", in, "-o", out).CombinedOutput(); err != nil {
		t.Fatalf("assemble %s: %v (Debian's wabt has wat2wasm)\n%.2000s", name, err, message)
	}
	binary, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return binary
}

//go:embed prelude.wat
var prelude string

// wat returns the whole module of an attack: the imports and types of the world, the prelude, the attack, and of the
// functions of a driver those that it has not.
func wat(t *testing.T, attack string) string {
	t.Helper()
	if strings.Contains(attack, "\n(module") {
		return attack
	}
	imports, rest := split(attack)
	var b strings.Builder
	b.WriteString("(module\n" + imports)
	for _, s := range host.ImportSignatures() {
		fmt.Fprintf(&b, "(import %q %q (func $%s%s))\n", s.Module, s.Name, identifier(s), signature(s))
	}
	b.WriteString(wasi)
	b.WriteString(types)
	if !strings.Contains(attack, "(memory ") {
		b.WriteString(`(memory (export "memory") 2)` + "\n")
	}
	b.WriteString(prelude)
	b.WriteString(expand(t, rest))
	for _, f := range functions {
		switch has := strings.Contains(attack, "(func "+f.name); {
		case has:
			fmt.Fprintf(&b, "(export %q (func %s))\n", f.export, f.name)
		case f.body != "":
			fmt.Fprintf(&b, "(func %s (export %q) (type %s) %s)\n", f.name, f.export, f.kind, f.body)
		}
	}
	b.WriteString(")\n")
	return b.String()
}

// split returns the imports of an attack, which come first in a module, a line each, and the rest of it.
func split(attack string) (imports, rest string) {
	for line := range strings.Lines(attack) {
		if strings.HasPrefix(line, "(import ") {
			imports += line
			continue
		}
		rest += line
	}
	return imports, rest
}

// functions are those that a driver exports; without a body, those that it may.
var functions = []struct{ name, kind, export, body string }{
	{"$realloc ", "$realloc", "cabi_realloc", "(global.get $heap)"},
	{"$describe ", "$describe", lifecycle + "describe", "(i32.const 64)"},
	{"$configure ", "$configure", lifecycle + "configure", "(global.get $done)"},
	{"$connect ", "$session", lifecycle + "connect", "(global.get $done)"},
	{"$init ", "$session", lifecycle + "init", "(global.get $done)"},
	{"$run ", "$session", lifecycle + "run", "(global.get $done)"},
	{"$post_describe ", "$post", "cabi_post_" + lifecycle + "describe", ""},
	{"$post_configure ", "$post", "cabi_post_" + lifecycle + "configure", ""},
	{"$post_connect ", "$post", "cabi_post_" + lifecycle + "connect", ""},
	{"$post_init ", "$post", "cabi_post_" + lifecycle + "init", ""},
	{"$post_run ", "$post", "cabi_post_" + lifecycle + "run", ""},
	{"$initialize", "", "_initialize", ""},
}

const lifecycle = "drover:driver/lifecycle@0.1.0#"

const types = `
(type $describe (func (result i32)))
(type $configure (func (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
(type $session (func (param i64 i64 i32) (result i32)))
(type $realloc (func (param i32 i32 i32 i32) (result i32)))
(type $post (func (param i32)))
`

const wasi = `
(import "wasi_snapshot_preview1" "proc_exit" (func $wasi_proc_exit (param i32)))
(import "wasi_snapshot_preview1" "fd_write" (func $wasi_fd_write (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "clock_time_get" (func $wasi_clock_time_get (param i32 i64 i32) (result i32)))
(import "wasi_snapshot_preview1" "poll_oneoff" (func $wasi_poll_oneoff (param i32 i32 i32 i32) (result i32)))
(import "wasi_snapshot_preview1" "random_get" (func $wasi_random_get (param i32 i32) (result i32)))
`

// identifier is what an import is called in the attacks: $data_publish, $io_stream_read_frame, $io_stream_drop.
func identifier(s canon.Signature) string {
	name := strings.TrimPrefix(s.Name, "[method]")
	if resource, drop := strings.CutPrefix(name, "[resource-drop]"); drop {
		name = resource + "_drop"
	}
	_, room, _ := strings.Cut(s.Module, "/")
	room, _, _ = strings.Cut(room, "@")
	return strings.NewReplacer("-", "_", ".", "_").Replace(room + "_" + name)
}

func signature(s canon.Signature) string {
	var b strings.Builder
	for _, part := range []struct {
		kind  string
		types []api.ValueType
	}{{"param", s.Params}, {"result", s.Results}} {
		for _, vt := range part.types {
			fmt.Fprintf(&b, " (%s %s)", part.kind, api.ValueTypeName(vt))
		}
	}
	return b.String()
}

// expand writes out what an attack repeats.
func expand(t *testing.T, attack string) string {
	t.Helper()
	parsed, err := template.New("attack").Funcs(template.FuncMap{
		"repeat": func(n int, s string) string { return strings.Repeat(s+" ", n) },
		"add":    func(a, b int) int { return a + b },
	}).Parse(attack)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := parsed.Execute(&b, nil); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
