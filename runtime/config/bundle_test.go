package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lay writes files into a folder, and returns it.
func lay(t testing.TB, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// carried is a bundle after a journey.
func carried(t testing.TB, path string) *Bundle {
	t.Helper()
	b, err := Collect(path)
	if err != nil {
		t.Fatal(err)
	}
	data, err := b.Pack()
	if err != nil {
		t.Fatal(err)
	}
	again, err := Unpack(data)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b, again); diff != "" {
		t.Fatalf("the journey has changed it: %s", diff)
	}
	return again
}

// unexported are the types whose own fields are compared as well.
var unexported = cmp.AllowUnexported(Channel{}, Device{}, JSON{}, inner{}, Serial{})

const bundled = `node: n
include: [conf.d/*.yaml, more.yaml]
channels:
  a:
    driver: m.wasm
    settings: {key: "${file:secret}", user: "${env:HOME}"}
    devices: {d: {use: meter}}
`

// A bundle is the configuration, wherever it is read, when nothing else is left of it than its secrets.
func TestBundleIsTheConfiguration(t *testing.T) {
	t.Setenv("HOME", "/home/ada")
	dir := lay(t, map[string]string{
		"plant.yaml":    bundled,
		"conf.d/a.yaml": "templates: {meter: {points: lists/meter.csv}}\n",
		"conf.d/b.yaml": "channels: {b: {driver: /nowhere/x.wasm}}\n",
		"more.yaml":     "channels: {c: {driver: modbus@1.3.0}}\n",
		"secret":        "s3cret",
		"m.wasm":        "a module",
		// The list is named in a file of conf.d, and relative to that.
		"conf.d/lists/meter.csv": "name,address,type\np,1,int16\n",
	})
	path := filepath.Join(dir, "plant.yaml")
	want, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, n, err := LoadBundle(path); err != nil || !reflect.DeepEqual(n, want) {
		t.Errorf("with the bundle: %v, %s", err, cmp.Diff(want, n, unexported))
	}
	b := carried(t, path)
	if digest, _ := DigestOf(filepath.Join(dir, "m.wasm")); len(b.Pins) != 1 || b.Pins[filepath.Join(dir, "m.wasm")] != digest {
		t.Errorf("pins %v", b.Pins)
	}
	for _, f := range b.Files {
		if strings.Contains(f.Text, "s3cret") || strings.Contains(f.Text, "/home/ada") {
			t.Errorf("%s carries a secret", f.Path)
		}
	}
	for _, name := range []string{"plant.yaml", "conf.d", "more.yaml", "m.wasm"} {
		if err := os.RemoveAll(filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := b.Parse()
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) {
		t.Error(cmp.Diff(want, got, unexported))
	}
}

// What is wrong is said with the same words and places as from disk.
func TestBundleHasTheSameProblems(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"include":      {"p.yaml": "node: n\nchannels: {}\ninclude: [gone.yaml, conf.d/*, a.yaml]\n", "conf.d/x": "templates: 5\n", "a.yaml": "[\n"},
		"no pattern":   {"p.yaml": "node: n\nchannels: {}\ninclude: \"[\"\n"},
		"not UTF-8":    {"p.yaml": "node: n\ninclude: i.yaml\nchannels: {a: {driver: m, devices: {d: {points: l.csv}}}}\n", "l.csv": "name\xff\n", "i.yaml": "\xff"},
		"root":         {"p.yaml": "node: \xff\n"},
		"empty":        {"p.yaml": ""},
		"a folder":     {"p.yaml": "node: n\nchannels: {}\ninclude: conf.d\n", "conf.d/x": ""},
		"twice":        {"p.yaml": "node: n\nchannels: {}\ninclude: [a.yaml, '*.yaml']\n", "a.yaml": "channels: {}\n"},
		"secret":       {"p.yaml": "node: n\nchannels: {a: {driver: m, settings: {k: \"${file:nowhere}\"}}}\n"},
		"unknown keys": {"p.yaml": "node: n\nchannels: {a: {driver: m, every: 5}}\ncolour: red\n"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(lay(t, files), "p.yaml")
			_, want := Load(path)
			if _, ok := errors.AsType[Problems](want); !ok {
				t.Fatalf("from disk: %v", want)
			}
			_, got := carried(t, path).Parse()
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("got %v\nwant %v", got, want)
			}
			if b, n, got := LoadBundle(path); b == nil || n != nil || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("with the bundle: %v, %v\nwant %v", n, got, want)
			}
		})
	}
}

func TestCollectWithoutAFile(t *testing.T) {
	if _, err := Collect(filepath.Join(t.TempDir(), "gone.yaml")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

// metersFile is a configuration of so many meters with 40 points each.
func metersFile(t testing.TB, n int, scale string) string {
	t.Helper()
	var list, file strings.Builder
	list.WriteString("name,address,type,scale,unit\n")
	for p := range 40 {
		fmt.Fprintf(&list, "p%d,holding:%d,float32,%s,kWh\n", p, 2*p, scale)
	}
	file.WriteString("node: n\ntemplates:\n  meter: {settings: {unit: \"${unit}\"}, points: meter.csv}\nchannels:\n" +
		"  line:\n    driver: modbus.wasm\n    connections: {main: {tcp: 10.0.0.5:502}}\n    devices:\n")
	for i := range n {
		fmt.Fprintf(&file, "      m%d: {use: meter, vars: {unit: %d}}\n", i, i+1)
	}
	return filepath.Join(lay(t, map[string]string{"p.yaml": file.String(), "meter.csv": list.String()}), "p.yaml")
}

// The messages of a NATS server are 1 MiB at most, if nobody says otherwise: 500 meters are a hundredth of that, and 5,000
// fit.
func TestManyMetersAreSmall(t *testing.T) {
	for n, most := range map[int]int{500: 10 << 10, 5000: 64 << 10} {
		data, err := carried(t, metersFile(t, n, "0.1")).Pack()
		if err != nil || len(data) > most {
			t.Errorf("%d meters have %d bytes, %v", n, len(data), err)
		}
	}
}

func TestUnpackRefuses(t *testing.T) {
	pack := func(b *Bundle) []byte {
		data, err := b.Pack()
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	one := []BundledFile{{Path: "p.yaml", Text: "node: n"}}
	for want, data := range map[string][]byte{
		"EOF":                              nil,
		"gzip: invalid header":             []byte("not compressed at all"),
		"it has no file":                   pack(&Bundle{File: "p.yaml", Dir: "/"}),
		"no absolute path on this system":  pack(&Bundle{File: "p.yaml", Dir: "etc", Files: one}),
		"unexpected EOF":                   pack(&Bundle{File: "p.yaml", Dir: "/", Files: one})[:40],
		"it has more than":                 pack(&Bundle{File: "p.yaml", Dir: "/", Files: []BundledFile{{Path: "p.yaml", Text: strings.Repeat("x", mostPacked)}}}),
		"unpack the configuration: it has": pack(&Bundle{File: "p.yaml", Dir: "/", Files: []BundledFile{{Path: "other.yaml"}}}),
	} {
		if _, err := Unpack(data); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

// FuzzUnpack: whatever comes, it is refused or can be parsed without anything of this machine but secrets.
func FuzzUnpack(f *testing.F) {
	data, err := carried(f, metersFile(f, 2, "0.1")).Pack()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := Unpack(data)
		if err != nil {
			return
		}
		_, err = b.Parse()
		if _, ok := errors.AsType[Problems](err); err != nil && !ok {
			t.Errorf("got %v", err)
		}
		again, err := b.Pack()
		if err != nil {
			t.Fatal(err)
		}
		third, err := Unpack(again)
		if err != nil {
			t.Fatal(err)
		}
		if fourth, err := third.Pack(); err != nil || !bytes.Equal(again, fourth) {
			t.Errorf("packed twice: %v", err)
		}
	})
}
