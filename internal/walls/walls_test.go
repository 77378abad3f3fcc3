package walls_test

import (
	"go/build/constraint"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	root   = "../.."
	module = "github.com/droverhq/drover"
)

// room is a folder and those below it: what they may import of ours. The innermost room that holds a package counts.
type room struct {
	folder string
	// may are folders, each with those below it.
	may []string
}

// rooms is the house of DESIGN.md. "." is package drover alone; tests may import everything.
var rooms = []room{
	{".", []string{"hostfuncs", "runtime"}},
	{"abi", []string{"abi"}},
	{"hostfuncs", []string{"abi", "hostfuncs"}},
	{"runtime", []string{"abi", "runtime"}},
	{"runtime/failure", nil},
	{"runtime/module/meter", nil},
	{"runtime/supervise", []string{"runtime/failure"}},
	{"runtime/config", []string{"runtime/store/signature"}},
	{"runtime/natsbridge", []string{
		"abi/component", "abi/driver", "runtime/natsbridge", "runtime/failure", "runtime/supervise", "runtime/point", "runtime/store",
		"runtime/tracing",
	}},
	{"runtime/tracing", nil},
	{"runtime/logs", []string{"runtime/natsbridge/message"}},
	{"guests", []string{"guests", "abi/component", "abi/driver", "abi/roundtrip"}},
	{"guests/sdk", []string{"guests/sdk", "abi/component", "abi/driver"}},
	{"cmd/drover", []string{".", "runtime/config", "runtime/store", "runtime/natsbridge", "internal/sim"}},
	{"internal/sim", []string{"internal/sim"}},
	{"internal/testcert", nil},
	{"internal/testguest", nil},
	{"hostile", nil},
	{"chaos", nil},
	{"internal/walls", nil},
	{"packaging", nil},
}

// libraries says who may import a library from elsewhere: only the folders named and those below them.
var libraries = map[string][]string{
	"github.com/nats-io":                    {"runtime/natsbridge"},
	"github.com/tetratelabs/wazero":         {"abi/canon", "abi/driver/host", "abi/roundtrip", "abi/bindgen", "runtime/module"},
	"go.bytecodealliance.org":               {"abi"},
	"go.bug.st/serial":                      {"hostfuncs/serial"},
	"go.yaml.in/yaml":                       {"runtime/config"},
	"github.com/santhosh-tekuri/jsonschema": {"runtime"},
	"github.com/spf13":                      {"cmd/drover"},
	"github.com/jedib0t/go-pretty":          {"cmd/drover"},
	"github.com/mattn/go-isatty":            {"cmd/drover"},
	"github.com/creack/pty":                 {"cmd/drover", "internal/sim"},
	"github.com/prometheus/client_golang":   {"runtime/metrics"},
	"go.opentelemetry.io/otel":              {"runtime/tracing", ".", "cmd/drover"},
	"golang.org/x/text":                     {"runtime/node"},
	"golang.org/x/sys":                      {"hostfuncs", "runtime", "internal/sim"},
}

// file is a Go file of the module.
type file struct {
	name    string
	folder  string
	pkg     string
	imports []string
	wasip1  bool
}

func (f file) test() bool { return strings.HasSuffix(f.name, "_test.go") }

// helper says whether a package is made for tests: its name ends so.
func (f file) helper() bool { return strings.HasSuffix(f.pkg, "test") }

func TestRooms(t *testing.T) {
	for _, f := range files(t) {
		r, ok := roomOf(f.folder)
		if !ok {
			t.Errorf("%s: folder %s is no room of the house: give it a place in this test", f.name, f.folder)
			continue
		}
		for _, imported := range f.imports {
			folder, ours := ourFolder(imported)
			if ours && !f.test() && !f.helper() && !within(folder, r.may) {
				t.Errorf("%s imports %s: packages of %s may not", f.name, imported, r.folder)
			}
		}
	}
}

func TestLibraries(t *testing.T) {
	for _, f := range files(t) {
		for _, imported := range f.imports {
			if _, ours := ourFolder(imported); ours || !strings.Contains(firstElement(imported), ".") || f.test() || f.helper() {
				continue
			}
			if strings.HasPrefix(f.folder+"/", "guests/") {
				t.Errorf("%s imports %s: guests know the standard library and their bindings only", f.name, imported)
			}
			if !allowed(imported, f.folder) {
				t.Errorf("%s imports %s: it has no place there (or none in this test)", f.name, imported)
			}
		}
	}
}

// Drivers and their kit are tested on the host: only the bindings, what joins the kit to them and prepares Go's runtime
// there, and commands are for wasip1 alone.
func TestWasip1(t *testing.T) {
	for _, f := range files(t) {
		bindings := strings.HasPrefix(f.folder, "abi/") || f.name == "guests/sdk/register.go" || f.name == "guests/sdk/settle.go"
		if f.wasip1 && f.pkg != "main" && !bindings {
			t.Errorf("%s is built for wasip1 alone", f.name)
		}
	}
}

// roomOf returns the innermost room of a folder.
func roomOf(folder string) (room, bool) {
	var found room
	ok := false
	for _, r := range rooms {
		if in(folder, r.folder) && (!ok || len(r.folder) > len(found.folder)) {
			found, ok = r, true
		}
	}
	return found, ok
}

// in says whether folder is the other one or below it. The root has nothing below it here.
func in(folder, other string) bool {
	return folder == other || other != "." && strings.HasPrefix(folder, other+"/")
}

func within(folder string, others []string) bool {
	return slices.ContainsFunc(others, func(other string) bool { return in(folder, other) })
}

func ourFolder(imported string) (string, bool) {
	if imported == module {
		return ".", true
	}
	return strings.CutPrefix(imported, module+"/")
}

func firstElement(imported string) string {
	first, _, _ := strings.Cut(imported, "/")
	return first
}

func allowed(imported, folder string) bool {
	for library, folders := range libraries {
		if imported == library || strings.HasPrefix(imported, library+"/") {
			return within(folder, folders)
		}
	}
	return false
}

// files returns all Go files of the module, those of nested modules left out.
func files(t *testing.T) []file {
	t.Helper()
	var all []file
	err := filepath.WalkDir(root, func(name string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if skipped(name, entry.Name()) {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".go") {
			f, err := read(name)
			all = append(all, f)
			return err
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 100 {
		t.Fatalf("only %d files found", len(all))
	}
	return all
}

func skipped(name, base string) bool {
	if name == root {
		return false
	}
	nested, _ := filepath.Glob(filepath.Join(name, "go.mod")) // The pattern has no error to make.
	return len(nested) > 0 || base == "testdata" || base == "build" || strings.HasPrefix(base, ".")
}

func read(name string) (file, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly|parser.ParseComments)
	if err != nil {
		return file{}, err
	}
	relative, err := filepath.Rel(root, name)
	if err != nil {
		return file{}, err
	}
	relative = filepath.ToSlash(relative)
	f := file{name: relative, folder: path.Dir(relative), pkg: parsed.Name.Name}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return file{}, err
		}
		f.imports = append(f.imports, imported)
	}
	for _, group := range parsed.Comments {
		for _, c := range group.List {
			f.wasip1 = f.wasip1 || onlyWasip1(c.Text)
		}
	}
	return f, nil
}

// onlyWasip1 says whether a comment is a build constraint that holds for wasip1 and for no system that hosts it.
func onlyWasip1(comment string) bool {
	if !constraint.IsGoBuild(comment) {
		return false
	}
	expression, err := constraint.Parse(comment)
	if err != nil {
		return false
	}
	target := func(os string) bool {
		return expression.Eval(func(tag string) bool { return tag == os })
	}
	return target("wasip1") && !slices.ContainsFunc([]string{"linux", "darwin", "windows", "freebsd"}, target)
}
