package node

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	goruntime "runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/internal/testguest"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
)

// schemas of a driver that reads meters.
var meter = driver.Metadata{
	Name: "meter", Version: "1.0.0",
	Settings: `{
		"$schema": "https://json-schema.org/draft/2020-12/schema",
		"type": "object", "additionalProperties": false, "required": ["mode"],
		"properties": {
			"mode": {"enum": ["rtu", "tcp"]},
			"limits": {"type": "object", "additionalProperties": false, "properties": {"gap": {"type": "integer", "maximum": 125}}},
			"list": {"type": "array", "items": {"type": "string"}},
			"password": {"type": "string", "pattern": "^[a-z]+$", "writeOnly": true},
			"pin": {"type": "integer", "minimum": 1000, "writeOnly": true},
			"a/b~c": {"type": "string"}
		}
	}`,
	DeviceSettings: `{"type": "object", "properties": {"unit": {"type": "integer"}}}`,
	Address: `{"oneOf": [
		{"type": "string", "pattern": "^(coil|holding):[0-9]+$"},
		{"type": "object", "additionalProperties": false, "properties": {"area": {"enum": ["coil", "holding"]}, "offset": {"type": "integer"}}}
	]}`,
}

// parse reads a configuration of one channel, whose lines begin at line 4.
func parse(t *testing.T, channel string) *config.Node {
	t.Helper()
	text := "node: n1\nchannels:\n  boiler:\n" + channel
	c, err := config.Parse(filepath.Join(t.TempDir(), "drover.yaml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// texts are problems as "line path: message".
func texts(problems config.Problems) []string {
	var out []string
	for _, p := range problems {
		out = append(out, fmt.Sprintf("%d %s: %s", p.Line, p.Path, p.Message))
	}
	return out
}

func TestCheckSettings(t *testing.T) {
	t.Setenv("SECRET", "S3CRET")
	tests := []struct {
		name, channel string
		want          []string
	}{
		{"nothing wrong", `
    driver: meter.wasm
    settings: {mode: rtu, limits: {gap: 5}, list: [a, b], password: secret, pin: 1234, a/b~c: x}
    devices:
      pump: {settings: {unit: 1}, points: {a: {address: "coil:1", type: bool}, b: {address: {area: coil, offset: 2}, type: bool}}}
`, nil},
		{"missing", `
    driver: meter.wasm
`, []string{"3 channels.boiler: missing property 'mode'"}},
		{"unknown keys", `
    driver: meter.wasm
    settings:
      mode: rtu
      colour: red
      limits:
        gap: 5
        gup: 6
      size: 1
`, []string{
			"8 channels.boiler.settings.colour: the driver does not know this key",
			"11 channels.boiler.settings.limits.gup: the driver does not know this key",
			"12 channels.boiler.settings.size: the driver does not know this key",
		}},
		{"values", `
    driver: meter.wasm
    settings:
      mode: ascii
      limits: {gap: many}
      list:
        - a
        - 1
      a/b~c: 2
`, []string{
			"7 channels.boiler.settings.mode: value must be one of 'rtu', 'tcp'",
			"8 channels.boiler.settings.limits.gap: got string, want integer",
			"11 channels.boiler.settings.list.1: got number, want string",
			"12 channels.boiler.settings.a/b~c: got number, want string",
		}},
		{"secrets are not shown", `
    driver: meter.wasm
    settings:
      mode: rtu
      password: ${env:SECRET}
      pin: 987
`, []string{
			"8 channels.boiler.settings.password: does not match the pattern ^[a-z]+$",
			"9 channels.boiler.settings.pin: the minimum is 1000",
		}},
		{"devices and points", `
    driver: meter.wasm
    settings: {mode: rtu}
    devices:
      pump:
        settings: {unit: one}
        points:
          a: {address: "coil:1", type: bool}
          b: {address: "input:1", type: bool}
          c: {address: {area: input}, type: bool}
          d: {address: 7, type: bool}
`, []string{
			"9 channels.boiler.devices.pump.settings.unit: got string, want integer",
			"12 channels.boiler.devices.pump.points.b.address: does not match the pattern ^(coil|holding):[0-9]+$",
			"13 channels.boiler.devices.pump.points.c.address.area: value must be one of 'coil', 'holding'",
			"14 channels.boiler.devices.pump.points.d.address: got number, want string",
			"14 channels.boiler.devices.pump.points.d.address: got number, want object",
		}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := parse(t, test.channel)
			problems := settingsProblems(new(library), meter, c, c.Channels[0])
			problems.Sort()
			if diff := cmp.Diff(test.want, texts(problems)); diff != "" {
				t.Errorf("problems differ (-want +got):\n%s", diff)
			}
			for _, p := range problems {
				if p.File != c.File || p.Column < 1 || strings.Contains(p.Message, "S3CRET") || strings.Contains(p.Message, "987") {
					t.Errorf("%+v", p)
				}
			}
		})
	}
}

// TestBrokenSchemas are the driver's fault, told where the file names it.
func TestBrokenSchemas(t *testing.T) {
	tests := []struct {
		name     string
		metadata driver.Metadata
		want     string
	}{
		{"no JSON", driver.Metadata{Settings: "{"}, "the schema of its settings is wrong"},
		{"no schema", driver.Metadata{DeviceSettings: `{"type": "colour"}`}, "the schema of its device-settings is wrong"},
		{"refers to a file", driver.Metadata{Address: `{"$ref": "file:///etc/passwd"}`}, "nothing outside of itself, not to file:///etc/passwd"},
		{"refers to the net", driver.Metadata{Settings: `{"$ref": "https://example.com/x.json"}`}, "nothing outside of itself, not to https://example.com/x.json"},
		{"endless", driver.Metadata{Settings: `{"$ref": "#"}`}, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := parse(t, "    every: 1s\n    driver: meter.wasm\n")
			problems := settingsProblems(new(library), test.metadata, c, c.Channels[0])
			if len(problems) != 1 || !strings.Contains(problems[0].Message, test.want) {
				t.Fatalf("got %q", texts(problems))
			}
			if p := problems[0]; test.want != "" && (p.Line != 5 || p.Path != "channels.boiler.driver" || !strings.Contains(p.Message, "meter.wasm")) {
				t.Errorf("got %+v", p)
			}
		})
	}
}

// TestDriverThatTakesAnything has no schemas.
func TestDriverThatTakesAnything(t *testing.T) {
	c := parse(t, "    driver: meter.wasm\n    settings: {any: [1, {thing: true}]}\n")
	if problems := settingsProblems(new(library), driver.Metadata{}, c, c.Channels[0]); len(problems) != 0 {
		t.Errorf("got %q", texts(problems))
	}
}

// TestCheck has a channel for each way in which a driver cannot be loaded, and one whose settings are wrong.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	guest, err := testguest.Build("testdriver")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "good.wasm", guest)
	write(t, dir, "other-version.wasm", bytes.ReplaceAll(driverOf(""), []byte("lifecycle@0.1.0"), []byte("lifecycle@0.2.0")))
	write(t, dir, "no-export.wasm", driverOf("drover:driver/lifecycle@0.1.0#init"))
	write(t, dir, "no-import.wasm", driverOf("", canon.Signature{Module: "drover:driver/state@0.1.0", Name: "sage"}))
	write(t, dir, "text.wasm", []byte("not a module at all"))
	write(t, dir, "empty.wasm", nil)
	write(t, dir, "cut.wasm", guest[:len(guest)/2])
	if err := os.Mkdir(filepath.Join(dir, "folder.wasm"), 0o700); err != nil {
		t.Fatal(err)
	}
	text := `node: n1
channels:
  a: {driver: good.wasm}
  b: {driver: missing.wasm}
  c: {driver: folder.wasm}
  d: {driver: text.wasm}
  e: {driver: empty.wasm}
  f: {driver: cut.wasm}
  g: {driver: other-version.wasm}
  h: {driver: no-export.wasm}
  i: {driver: no-import.wasm}
  j:
    settings:
      colour: red
    driver: good.wasm
`
	c, err := config.Parse(filepath.Join(dir, "drover.yaml"), []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	loader, err := NewLoader(c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	problems := Check(t.Context(), loader, c, nil)
	if err := loader.Close(t.Context()); err != nil {
		t.Error(err)
	}
	want := []struct{ at, text string }{
		{"4 channels.b.driver", "no such file"},
		{"5 channels.c.driver", "is a directory"},
		{"6 channels.d.driver", "not a WebAssembly module"},
		{"7 channels.e.driver", "not a WebAssembly module"},
		{"8 channels.f.driver", "meter the module"},
		{"9 channels.g.driver", "version 0.2.0 of drover:driver, this host has 0.1.0"},
		{"10 channels.h.driver", "lifecycle@0.1.0#init"},
		{"11 channels.i.driver", "sage"},
		{"14 channels.j.settings.colour", "does not know this key"},
	}
	got := texts(problems)
	if len(got) != len(want) {
		t.Fatalf("got %d problems: %s", len(got), strings.Join(got, "\n"))
	}
	for i, w := range want {
		if !strings.HasPrefix(got[i], w.at+": ") || !strings.Contains(got[i], w.text) {
			t.Errorf("got %q, want %s: ... %s", got[i], w.at, w.text)
		}
		if strings.HasSuffix(w.at, ".driver") && !strings.Contains(got[i], ".wasm") {
			t.Errorf("%q does not name the file", got[i])
		}
		if strings.Count(got[i], "\n") > 0 {
			t.Errorf("%q has more than one line", got[i])
		}
	}
}

// TestCheckLoadsADriverOnce: channels of the same driver share what is loaded, which shows in what the checking allocates:
// metering and compiling a driver takes many times its size.
func TestCheckLoadsADriverOnce(t *testing.T) {
	dir := t.TempDir()
	guest, err := testguest.Build("testdriver")
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "good.wasm", guest)
	loader, err := module.NewLoader(filepath.Join(dir, "cache"))
	if err != nil {
		t.Fatal(err)
	}
	allocated := func(channels int) uint64 {
		text := "node: n1\nchannels:\n"
		for i := range channels {
			text += fmt.Sprintf("  c%d: {driver: good.wasm}\n", i)
		}
		c, err := config.Parse(filepath.Join(dir, "drover.yaml"), []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		var before, after goruntime.MemStats
		goruntime.ReadMemStats(&before)
		if problems := Check(t.Context(), loader, c, nil); len(problems) > 0 {
			t.Fatal(problems)
		}
		goruntime.ReadMemStats(&after)
		return after.TotalAlloc - before.TotalAlloc
	}
	allocated(1) // fills the cache
	if one, many := allocated(1), allocated(10); many > 2*one {
		t.Errorf("%d bytes for a channel, %d for ten of the same driver", one, many)
	}
	if err := loader.Close(t.Context()); err != nil {
		t.Error(err)
	}
}

// driverOf is a module with the world's exports but that one, and these imports. All its functions trap.
func driverOf(except string, imports ...canon.Signature) []byte {
	m := wasmtest.Module{Imports: imports, Pages: 1}
	for _, s := range host.ExportSignatures() {
		if s.Name != except {
			m.Funcs = append(m.Funcs, wasmtest.Func{Signature: s, Body: []byte{0x00}})
		}
	}
	return m.Encode()
}

func write(t *testing.T, dir, name string, data []byte) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestLoadFailure: what fails a channel whose driver cannot be loaded is fatal, and has a code of the table.
func TestLoadFailure(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "text.wasm", []byte("text"))
	tests := []struct {
		file string
		code failure.Code
	}{
		{"missing.wasm", failure.IONotFound},
		{"text.wasm", failure.ABIEncoding},
		{".", failure.IOOther},
		{"text.wasm/x", failure.IOOther},
	}
	loader, err := module.NewLoader("")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range tests {
		ch := &config.Channel{Name: "boiler", Driver: filepath.Join(dir, test.file)}
		_, err := loader.LoadFile(t.Context(), ch.Driver)
		if err == nil {
			t.Fatalf("%s was loaded", test.file)
		}
		f := loadFailure(ch, err)
		if f.Code != test.code || f.Kind != failure.Fatal || f.Phase != failure.PhaseDescribe || !strings.Contains(f.Summary, dir) {
			t.Errorf("%s: got %s %s %s %q", test.file, f.Phase, f.Kind, f.Code, f.Summary)
		}
	}
	ch := &config.Channel{Driver: "/driver.wasm"}
	if f := loadFailure(ch, fmt.Errorf("read the driver: %w", os.ErrPermission)); f.Code != failure.GrantDenied {
		t.Errorf("not allowed: %s", f.Code)
	}
}

// TestChecksTogether: what was held against a schema for one channel holds for the next, at its own place, and takes as much
// of what the channel's values may cost.
func TestChecksTogether(t *testing.T) {
	// Each address takes some 2^15 evaluations, of which a channel has 200,000.
	costly := strings.Replace(doubling(12, `{"allOf": [NEXT, NEXT]}`), `{"type": "object"}`, `{"type": "integer"}`, 1)
	m := driver.Metadata{Address: costly}
	channelOf := func(first, points int) *config.Node {
		var text strings.Builder
		text.WriteString("    driver: meter.wasm\n    devices:\n      d:\n        points:\n")
		for i := range points {
			fmt.Fprintf(&text, "          p%d: {address: %d, type: bool}\n", i, first+i)
		}
		return parse(t, text.String())
	}
	var all checks
	for first := range 12 {
		if _, err := all.check(m, channelOf(first, 1).Channels[0]); err != nil {
			t.Fatal(err)
		}
	}
	for _, points := range []int{1, 3, 12, 3, 13, 4} {
		c := channelOf(0, points)
		_, alone := checkSettings(m, c.Channels[0])
		problems, err := all.check(m, c.Channels[0])
		if len(problems) > 0 || (err == nil) != (alone == nil) || err != nil && err.Error() != alone.Error() {
			t.Errorf("%d points: %v, %v; alone %v", points, problems, err, alone)
		}
		if tooMany := points >= 12; tooMany != (err != nil) {
			t.Errorf("%d points: %v", points, err)
		}
	}
	wrong := parse(t, "    driver: meter.wasm\n    devices: {e: {points: {\n      p: {address: 2, type: bool}, q: {address: 2, type: bool}}}}\n")
	for range 2 {
		problems, err := all.check(driver.Metadata{Address: `{"minimum": 3}`}, wrong.Channels[0])
		want := []string{
			"6 channels.boiler.devices.e.points.p.address: the minimum is 3",
			"6 channels.boiler.devices.e.points.q.address: the minimum is 3",
		}
		if diff := cmp.Diff(want, texts(problems)); err != nil || diff != "" {
			t.Errorf("%v, -want +got:\n%s", err, diff)
		}
	}
}
