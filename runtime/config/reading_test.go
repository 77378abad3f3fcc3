package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const alike = `node: n
templates:
  base: {vars: {order: ABCD}, points: {volts: {address: "v:${order}", type: uint16}}}
  meter:
    use: base
    vars: {every: 10s, offset: 0}
    settings: {unit: "${unit}", name: "${name}"}
    points:
      power: {address: "holding:0", type: float32, unit: W}
      energy: {address: {at: "${offset}", table: holding}, type: uint64, range: [0, 10], access: rw}
      slow: {address: 5, type: bool, every: "${every}"}
      command: {address: "x${text}", type: bool, access: w}
      listed: {address: "${unit}", type: "${type}"}
  line:
    driver: modbus.wasm
    vars: {base: 7}
    devices:
      inner: {use: meter, vars: {unit: 1, offset: "${base}", text: "a${base}", type: int8}}
channels:
  own: {driver: m.wasm, every: 3s, devices: {DEVICES}}
  line1: {use: line}
  line2: {use: line}
  line3: {use: line, vars: {base: 8}}
`

// alikeDevices use one template, the first two of them alike.
var alikeDevices = []string{
	`a: {use: meter, vars: {unit: 1, text: t, type: int8}}`,
	`b: {use: meter, vars: {unit: 1, text: t, type: int8}}`,
	`c: {use: meter, vars: {unit: 1, text: t, type: int16}}`,
	`d: {use: meter, vars: {unit: 2, text: "${env:TOKEN}", type: int8}}`,
	`e: {use: meter, every: 1m, vars: {unit: 1, text: t, type: int8}}`,
	`f: {use: meter, vars: {unit: 1, text: t, type: int8, every: 1h, order: CDAB}}`,
	`g: {use: meter, vars: {unit: 1, text: t, type: int8}, points: {power: {unit: kW}, more: {address: 1, type: bool}}}`,
	`h: {points: list.csv}`,
	`i: {points: list.csv}`,
	`j: {points: list.csv, every: 1s}`,
	`k: {use: base, points: list.csv}`,
}

func parseAlike(t *testing.T, devices []string) *Node {
	t.Helper()
	text := strings.Replace(alike, "{DEVICES}", "\n      "+strings.Join(devices, ",\n      ")+"\n      }", 1)
	n, err := parseWith(strings.Replace(text, "devices: \n", "devices: {\n", 1),
		map[string]string{"/etc/drover/list.csv": "name,address,type,unit\np,1,int16,bar\nq,\"{at: 1, table: coil}\",bool,\n"})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// TestReadingsAreTheSame: what a device gets does not depend on what others have read before it.
func TestReadingsAreTheSame(t *testing.T) {
	together := parseAlike(t, alikeDevices)
	for i, device := range alikeDevices {
		alone := make([]string, len(alikeDevices))
		for j := range alone {
			alone[j] = fmt.Sprintf("z%d: {}", j)
		}
		alone[i] = device
		want, got := parseAlike(t, alone).Channels[0].Devices[i], together.Channels[0].Devices[i]
		if diff := cmp.Diff(want, got, unexported); diff != "" {
			t.Errorf("%s: -alone +together\n%s", device, diff)
		}
	}
	lines := together.Channels[1:]
	for i, want := range []string{"7", "7", "8"} {
		var got []string
		for _, p := range lines[i].Devices[0].Points {
			got = append(got, p.Address.Raw)
		}
		all := []string{`"v:ABCD"`, `"holding:0"`, `{"at":` + want + `,"table":"holding"}`, "5", `"xa` + want + `"`, "1"}
		if !slices.Equal(got, all) {
			t.Errorf("line%d: %q, want %q", i+1, got, all)
		}
	}
}

// TestReadingsAreShared: devices that use templates alike have the same points, and others those that are alike.
func TestReadingsAreShared(t *testing.T) {
	n := parseAlike(t, alikeDevices)
	points := map[string]map[string]*Point{}
	for _, c := range n.Channels {
		for _, d := range c.Devices {
			points[c.Name+"."+d.Name] = byName(d.Points)
		}
	}
	for _, test := range []struct{ one, other, shared string }{
		{"own.a", "own.b", "volts power energy slow command"}, // the other is a variable of each device
		{"own.a", "own.c", "volts power energy slow command"},
		{"own.a", "own.d", "volts power energy slow"},
		{"own.a", "own.e", ""}, // another period is inherited
		{"own.a", "own.g", "volts energy slow command"},
		{"own.h", "own.i", "p q"},
		{"own.h", "own.j", ""},
		{"line1.inner", "line2.inner", "volts power energy slow listed"},
		{"line1.inner", "line3.inner", "volts power slow listed"},
	} {
		for name, p := range points[test.one] {
			want := slices.Contains(strings.Fields(test.shared), name)
			if got := p == points[test.other][name]; got != want {
				t.Errorf("%s of %s and %s: shared %t, want %t", name, test.one, test.other, got, want)
			}
		}
	}
	if h, i := n.Channels[0].Devices[7], n.Channels[0].Devices[8]; &h.Points[0] != &i.Points[0] {
		t.Error("the list of two devices is there twice")
	}
	if a, c := points["own.a"]["power"], points["own.c"]["volts"]; a.Definition == c.Definition {
		t.Error("two definitions that differ are one")
	}
	if p, q := points["own.a"]["listed"], points["own.b"]["listed"]; p.Definition != q.Definition {
		t.Error("two definitions that are the same are two")
	}
}

// Variables that only shared points use are used, and those that none uses are reported.
func TestReadingsUseVariables(t *testing.T) {
	const text = `node: n
templates:
  meter: {points: {p: {address: "${a}", type: bool}}}
  site: {driver: m.wasm, devices: {d: {use: meter, vars: {a: "${x}"}}}}
channels:
  one: {use: site, vars: {x: 1}}
  two: {use: site, vars: {x: 1}}
  three: {use: site, vars: {x: 1, b: 2}}
`
	_, err := parseWith(text, nil)
	if want := "/etc/drover/drover.yaml:8:35: channels.three.vars.b: the template does not use the variable b"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
