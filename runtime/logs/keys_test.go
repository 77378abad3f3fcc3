package logs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// call is a place where something is logged.
type call struct {
	at   token.Position
	args []ast.Expr // keys and values
	text ast.Expr   // the message; nil for With
}

// TestKeys holds every place that logs against the list: messages and keys are constants, and each key is one of Keys.
func TestKeys(t *testing.T) {
	used := map[string]bool{slogTime: true, slogLevel: true, slogMessage: true}
	calls := logCalls(t)
	if len(calls) < 50 {
		t.Fatalf("only %d places that log were found", len(calls))
	}
	for _, c := range calls {
		if _, constant := literal(c.text); c.text != nil && !constant {
			t.Errorf("%s: the message is put together", c.at)
		}
		for _, key := range keysOf(c.args) {
			name, constant := literal(key)
			if !constant && filepath.Base(c.at.Filename) == "log.go" { // a driver's own, in the group fields
				continue
			}
			if !constant {
				t.Errorf("%s: a key is no constant", c.at)
				continue
			}
			used[name] = true
			if !slices.Contains(Keys(), name) {
				t.Errorf("%s: %q is none of Keys", c.at, name)
			}
		}
	}
	for _, key := range Keys() {
		if !used[key] {
			t.Errorf("nothing is logged with the key %q", key)
		}
	}
	if !slices.IsSorted(Keys()[3:]) {
		t.Error("the keys are not sorted")
	}
}

const slogTime, slogLevel, slogMessage = "time", "level", "msg"

// TestPage: the page for users has the keys.
func TestPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/observability.md")
	if err != nil {
		t.Fatal(err)
	}
	list := "`" + strings.Join(Keys(), "` `") + "`"
	if !strings.Contains(strings.Join(strings.Fields(string(page)), " "), list) {
		t.Errorf("docs/observability.md does not have %s", list)
	}
}

// keysOf are the keys among the arguments of a call: every other one, and those of attributes.
func keysOf(args []ast.Expr) []ast.Expr {
	var keys []ast.Expr
	for i := 0; i < len(args); i++ {
		attr, isCall := args[i].(*ast.CallExpr)
		if isCall && isSlog(attr.Fun) {
			keys = append(keys, attr.Args[0])
			continue
		}
		if attr, isAttr := args[i].(*ast.CompositeLit); isAttr {
			keys = append(keys, attr.Elts[0].(*ast.KeyValueExpr).Value)
			continue
		}
		if i+1 == len(args) {
			continue
		}
		keys = append(keys, args[i])
		i++
	}
	return keys
}

func isSlog(fun ast.Expr) bool {
	s, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	pkg, ok := s.X.(*ast.Ident)
	return ok && pkg.Name == "slog"
}

func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil
	case *ast.Ident:
		known := map[string]string{"KeyChannel": KeyChannel}
		text, ok := known[e.Name]
		return text, ok
	}
	return "", false
}

// logCalls finds the calls of loggers, by the names of methods, and the attributes that are made elsewhere.
func logCalls(t *testing.T) []call {
	t.Helper()
	var calls []call
	set := token.NewFileSet()
	for _, root := range []string{"runtime", "hostfuncs", "cmd"} {
		err := filepath.WalkDir(filepath.Join("../..", root), func(name string, d fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(set, name, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if e, ok := n.(*ast.CallExpr); ok {
					if c, is := logCall(e); is {
						c.at = set.Position(e.Pos())
						calls = append(calls, c)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return calls
}

// logCall says whether a call logs. An error's Error has no arguments, and that of another type With has no constant
// first key, or one argument.
func logCall(e *ast.CallExpr) (call, bool) {
	s, ok := e.Fun.(*ast.SelectorExpr)
	if !ok {
		return call{}, false
	}
	switch name := s.Sel.Name; {
	case slices.Contains([]string{"Debug", "Info", "Warn", "Error"}, name) && len(e.Args) > 0:
		return call{args: e.Args[1:], text: e.Args[0]}, true
	case name == "Log" && len(e.Args) > 3:
		return call{args: e.Args[3:], text: e.Args[2]}, true
	case name == "LogAttrs" && len(e.Args) > 3:
		return call{args: without(e), text: e.Args[2]}, true
	case name == "With" && len(e.Args) > 1:
		return call{args: e.Args}, true
	case isSlog(s) && slices.Contains([]string{"String", "Int", "Uint64", "Any", "Duration", "Bool", "Time"}, name):
		return call{args: []ast.Expr{e}}, true
	}
	return call{}, false
}

// without leaves out attributes that come as a slice: they are made elsewhere.
func without(e *ast.CallExpr) []ast.Expr {
	if e.Ellipsis.IsValid() {
		return nil
	}
	return e.Args[3:]
}
