package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzParse: whatever a file has, the result is a node that keeps its promises or problems with a place and a message,
// no more of them than a small multiple of the bytes. It is the same where everything is read as often as it is used.
func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/bad/*.yaml")
	for _, file := range append(files, "testdata/whole.yaml") {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(meters))
	f.Add([]byte(strings.Replace(alike, "DEVICES", strings.Join(alikeDevices[:7], ", "), 1)))
	f.Fuzz(func(t *testing.T, data []byte) {
		node, err := newTestReader("f.yaml").parse(data)
		often := newTestReader("f.yaml")
		often.points, often.pointsOf = nil, nil
		if again, problems := often.parse(data); !reflect.DeepEqual(node, again) || !reflect.DeepEqual(err, problems) {
			t.Errorf("got %v, and without what was kept %v: %s", err, problems, cmp.Diff(again, node, cmp.Exporter(func(reflect.Type) bool { return true })))
		}
		if err == nil {
			checkNode(t, node)
			return
		}
		problems, ok := errors.AsType[Problems](err)
		if !ok || node != nil || len(problems) == 0 || len(problems) > 4*len(data)+4 {
			t.Fatalf("got %v, %d problems for %d bytes", node, len(problems), len(data))
		}
		for _, p := range problems {
			if p.Line < 1 || p.Column < 1 || p.Message == "" || p.File != "f.yaml" {
				t.Errorf("no place or no message: %+v", p)
			}
		}
		if !slices.IsSortedFunc(problems, func(a, b Problem) int { return a.Line - b.Line }) {
			t.Error("not sorted")
		}
	})
}

func checkNode(t *testing.T, n *Node) {
	if n.Name == "" || (n.NATS.Embedded == nil) == (n.NATS.Remote == nil) {
		t.Errorf("no whole node: %+v", n)
	}
	for _, c := range n.Channels {
		if c.Driver == "" || !json.Valid([]byte(c.Settings.Raw)) || c.Retry.Initial > c.Retry.Max {
			t.Errorf("no whole channel: %+v", c)
		}
		for _, connection := range c.Connections {
			kinds := 0
			for _, is := range []bool{
				connection.Serial != nil, connection.TCP != nil, connection.UDP != nil, connection.Listener != nil,
			} {
				if is {
					kinds++
				}
			}
			if kinds != 1 {
				t.Errorf("no whole connection: %+v", connection)
			}
		}
		for _, d := range c.Devices {
			for _, p := range d.Points {
				if !json.Valid([]byte(p.Address.Raw)) || p.Type == "" || p.Scale == 0 || p.Access.Reads() != (p.Every > 0) {
					t.Errorf("no whole point: %+v", p)
				}
			}
		}
	}
}

func BenchmarkParse500Devices(b *testing.B) {
	var file strings.Builder
	file.WriteString("node: n\nchannels:\n  c:\n    driver: m.wasm\n    connections: {main: {tcp: \"h:502\"}}\n    devices:\n")
	for d := range 500 {
		fmt.Fprintf(&file, "      d%d:\n        settings: {unit: %d, order: ABCD}\n        points:\n", d, d%247+1)
		for p := range 20 {
			fmt.Fprintf(&file, "          p%d: {address: \"holding:%d\", type: float32, scale: 0.1, unit: bar, report: change,"+
				" deadband: 0.5, heartbeat: 10m}\n", p, 2*p)
		}
	}
	data := []byte(file.String())
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		mustParse(b, string(data))
	}
}
