package meter

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// TestSpecification runs WebAssembly's test suite, which is in wazero's module, as it is, rewritten, and so that each instance
// was given the memory and the globals of another one. What every command gives must be the same: results to the bit, traps
// by their text, what is refused, and memories at the end.
func TestSpecification(t *testing.T) {
	dir := spectest(t)
	prelude, err := os.ReadFile(filepath.Join(dir, "testdata/spectest.wasm"))
	if err != nil {
		t.Fatal(err)
	}
	for version, features := range map[string]api.CoreFeatures{"v1": api.CoreFeaturesV1, "v2": api.CoreFeaturesV2} {
		scripts, err := filepath.Glob(filepath.Join(dir, version, "testdata/*.json"))
		if err != nil || len(scripts) < 70 {
			t.Fatalf("%d scripts of %s (%v)", len(scripts), version, err)
		}
		config := wazero.NewRuntimeConfig().WithCoreFeatures(features)
		for _, script := range scripts {
			t.Run(version+"/"+strings.TrimSuffix(filepath.Base(script), ".json"), func(t *testing.T) {
				t.Parallel()
				before := runScript(t, script, prelude, config, asItIs)
				for _, w := range []way{metered, moved} {
					compare(t, before, runScript(t, script, prelude, config, w))
				}
			})
		}
	}
}

// spectest finds the suite in wazero's module.
func spectest(tb testing.TB) string {
	tb.Helper()
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/tetratelabs/wazero").Output()
	if err != nil {
		tb.Fatalf("find wazero's module: %v", err)
	}
	return filepath.Join(string(bytes.TrimSpace(out)), "internal/integration_test/spectest")
}

// way is how modules are instantiated.
type way int

const (
	asItIs way = iota
	metered
	// moved is without data, which another instance was given; where nothing is in the way.
	moved
)

// command is one of a script (wabt's wast2json).
type command struct {
	Type, Name, Filename, As, Text string
	Line                           int
	Action                         struct {
		Type, Field, Module string
		Args                []value
	}
	Expected   []value
	ModuleType string `json:"module_type"`
}

type value struct {
	Type     string
	LaneType string `json:"lane_type"`
	Value    any
}

// outcome is what a command gave: results or an error, in text.
type outcome struct {
	command command
	failed  bool
	text    string
}

func compare(t *testing.T, before, after []outcome) {
	t.Helper()
	for i, b := range before {
		a := after[i]
		if a.text != b.text {
			t.Errorf("line %d, %s %s: before %s, after %s", b.command.Line, b.command.Type, b.command.Action.Field, b.text, a.text)
		}
		if b.failed != fails(b.command) {
			t.Errorf("line %d, %s: %s", b.command.Line, b.command.Type, b.text)
		}
	}
}

// fails says whether a command is to end in an error. wazero keeps instances whose elements are out of bounds.
func fails(c command) bool {
	switch c.Type {
	case "assert_return", "action", "module", "":
		return false
	case "assert_uninstantiable":
		return c.Text != "out of bounds table access"
	}
	return true
}

// player runs the commands of one script.
type player struct {
	t       *testing.T
	runtime wazero.Runtime
	dir     string
	way     way
	modules map[string]api.Module
	last    api.Module
	// file is what last was made of.
	file string
	all  []api.Module
}

func runScript(t *testing.T, script string, prelude []byte, config wazero.RuntimeConfig, w way) []outcome {
	t.Helper()
	raw, err := os.ReadFile(script)
	if err != nil {
		t.Fatal(err)
	}
	var commands struct{ Commands []command }
	if err := json.Unmarshal(raw, &commands); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	p := player{t: t, runtime: wazero.NewRuntimeWithConfig(ctx, config), dir: filepath.Dir(script), way: w, modules: map[string]api.Module{}}
	defer p.runtime.Close(ctx)
	if err := yielding(ctx, p.runtime, func() int64 { return 1000 }); err != nil {
		t.Fatal(err)
	}
	if _, err := p.runtime.Instantiate(ctx, prelude); err != nil {
		t.Fatal(err)
	}
	var out []outcome
	for i, c := range commands.Commands {
		as := ""
		if i+1 < len(commands.Commands) && commands.Commands[i+1].Type == "register" {
			as = commands.Commands[i+1].As
		}
		if c.Type == "register" || c.ModuleType == "text" {
			continue
		}
		o := outcome{command: c}
		if text, err := p.play(ctx, c, as); err != nil {
			o.failed, o.text = true, p.reason(c, err)
		} else {
			o.text = text
		}
		out = append(out, o)
	}
	return append(out, outcome{text: p.memories()})
}

// reason is an error's text: of a trap, what wazero says; stack that is used up either way is the same.
func (p *player) reason(c command, err error) string {
	switch {
	case errors.Is(err, errStack), strings.HasPrefix(err.Error(), "wasm error: stack overflow"):
		return "stack"
	case c.Type == "assert_return" || c.Type == "assert_trap" || c.Type == "action":
		text, _, _ := strings.Cut(err.Error(), "\n")
		return text
	}
	return "refused"
}

func (p *player) play(ctx context.Context, c command, as string) (string, error) {
	switch c.Type {
	case "module":
		m, err := p.load(ctx, c.Filename, as)
		if err != nil {
			return "", err
		}
		p.last, p.file = m, c.Filename
		p.all = append(p.all, m)
		if c.Name != "" {
			p.modules[c.Name] = m
		}
		return "", nil
	case "assert_return", "action", "assert_trap":
		return p.act(ctx, c)
	case "assert_exhaustion":
		return p.exhaust(ctx, c)
	}
	_, err := p.load(ctx, c.Filename, "")
	return "", err
}

// exhaust acts on an instance of its own, which is discarded. Without metering, it would take seconds.
func (p *player) exhaust(ctx context.Context, c command) (string, error) {
	if p.way == asItIs {
		return "", errStack
	}
	used := p.last
	defer func() { p.last = used }()
	var err error
	if p.last, err = p.load(ctx, p.file, ""); err != nil {
		return "", err
	}
	return p.act(ctx, c)
}

func (p *player) load(ctx context.Context, file, as string) (api.Module, error) {
	binary, err := os.ReadFile(filepath.Join(p.dir, file))
	if err != nil {
		p.t.Fatal(err)
	}
	if p.way != asItIs {
		m, err := Rewrite(binary, Limits{TableElements: math.MaxUint32, Tables: 1000})
		if err != nil {
			return nil, err
		}
		if d, err := m.Detach(); err == nil && p.way == moved {
			return p.move(ctx, d, as)
		}
		binary = m.Binary
	}
	return p.runtime.InstantiateWithConfig(ctx, binary, wazero.NewModuleConfig().WithName(as))
}

// move makes an instance without data go on where another one begins.
func (p *player) move(ctx context.Context, d *Detached, as string) (api.Module, error) {
	first, err := p.runtime.InstantiateWithConfig(ctx, d.Binary, wazero.NewModuleConfig().WithName(""))
	if err != nil {
		return nil, err
	}
	defer first.Close(ctx)
	if !d.fill(first) {
		return nil, errors.New("the data does not fit")
	}
	second, err := p.runtime.InstantiateWithConfig(ctx, d.Binary, wazero.NewModuleConfig().WithName(as))
	if err == nil {
		d.move(first, second)
	}
	return second, err
}

func (p *player) act(ctx context.Context, c command) (string, error) {
	m := p.last
	if c.Action.Module != "" {
		m = p.modules[c.Action.Module]
	}
	if m == nil {
		return "", errors.New("no module to act on")
	}
	if c.Action.Type == "get" {
		return fmt.Sprintf("%#x", m.ExportedGlobal(c.Action.Field).Get()), nil
	}
	var args []uint64
	for _, a := range c.Action.Args {
		args = append(args, a.bits(p.t)...)
	}
	f := m.ExportedFunction(c.Action.Field)
	results, err := f.Call(ctx, args...)
	if err != nil {
		return "", err
	}
	return show(results, f.Definition().ResultTypes()), nil
}

// show is results in text. References to functions are addresses: only null is told apart.
func show(results []uint64, types []api.ValueType) string {
	var b strings.Builder
	for _, t := range types {
		n := 1
		if t == typeV128 {
			n = 2
		}
		for _, r := range results[:n] {
			switch t {
			case typeFuncRef:
				r = min(r, 1)
			case api.ValueTypeI32, api.ValueTypeF32:
				r = uint64(uint32(r))
			}
			fmt.Fprintf(&b, "%#x ", r)
		}
		results = results[n:]
	}
	return b.String()
}

// memories is a digest of all instances' memories.
func (p *player) memories() string {
	h := sha256.New()
	for _, m := range p.all {
		if memory := m.Memory(); !reflect.ValueOf(memory).IsNil() { // wazero: a nil in the interface
			content, _ := memory.Read(0, memory.Size())
			fmt.Fprintf(h, "%d ", len(content))
			h.Write(content)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

// bits are an argument's.
func (v value) bits(t *testing.T) []uint64 {
	lanes, vector := v.Value.([]any)
	if !vector {
		return []uint64{scalar(t, v.Type, fmt.Sprint(v.Value))}
	}
	width := map[string]int{"i8": 8, "i16": 16, "i32": 32, "f32": 32, "i64": 64, "f64": 64}[v.LaneType]
	out := make([]uint64, 2)
	for i, lane := range lanes {
		bit := i * width
		out[bit/64] |= scalar(t, v.LaneType, fmt.Sprint(lane)) << (bit % 64)
	}
	return out
}

func scalar(t *testing.T, kind, text string) uint64 {
	if text == "null" {
		return 0
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("a %s of %q: %v", kind, text, err)
	}
	if kind == "externref" {
		return n + 1 // 0 is null
	}
	return n
}
