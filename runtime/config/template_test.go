package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// parseWith reads a configuration beside other files.
func parseWith(data string, files map[string]string) (*Node, error) {
	r := newTestReader("/etc/drover/drover.yaml")
	r.load = func(path string) ([]byte, error) {
		text, ok := files[path]
		if !ok {
			return nil, fs.ErrNotExist
		}
		return []byte(text), nil
	}
	return r.parse([]byte(data))
}

const meters = `node: n
templates:
  meter:
    vars: {order: ABCD, every: 10s}
    settings: {unit: "${unit}", order: "${order}", label: "meter ${name} at ${place}", limits: {low: 1, high: 9}}
    every: ${every}
    points:
      power: {address: "holding:0", type: float32, unit: W}
      energy: {address: "holding:2", type: uint64, unit: Wh, scale: 0.1}
  line:
    driver: modbus.wasm
    settings: {mode: rtu}
    connections: {main: {serial: "${port}", baud: 9600}}
channels:
  east:
    use: line
    vars: {port: /dev/ttyUSB0}
    settings: {timeout: 1s}
    devices:
      m1: {use: meter, vars: {unit: 1, place: cellar}}
      m2:
        use: meter
        vars: {unit: 2, place: "roof ${env:TOKEN}", order: CDAB, every: 1m}
        settings: {limits: {high: 20}, extra: true}
        points:
          energy: {scale: 0.01}
          volts: {address: "holding:8", type: uint16, every: 1s}
`

func TestTemplates(t *testing.T) {
	n, err := parseWith(meters, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := n.Channels[0]
	if c.Driver != "/etc/drover/modbus.wasm" || c.Connections[0].Serial.Path != "/dev/ttyUSB0" {
		t.Errorf("channel: driver %s, port %s", c.Driver, c.Connections[0].Serial.Path)
	}
	if got, want := c.Settings.Raw, `{"mode":"rtu","timeout":"1s"}`; got != want {
		t.Errorf("settings of the channel %s, want %s", got, want)
	}
	for i, want := range []string{
		`{"unit":1,"order":"ABCD","label":"meter m1 at cellar","limits":{"low":1,"high":9}}`,
		`{"unit":2,"order":"CDAB","label":"meter m2 at roof s3cret","limits":{"low":1,"high":20},"extra":true}`,
	} {
		if got := c.Devices[i].Settings.Raw; got != want {
			t.Errorf("settings of %s: %s, want %s", c.Devices[i].Name, got, want)
		}
	}
	if got := c.Devices[1].Settings.Secrets(); !slices.Equal(got, []string{"/label"}) {
		t.Errorf("secrets %q", got)
	}
	if got, want := summary(c), []string{
		"m1.power float32 x1 W every 10s", "m1.energy uint64 x0.1 Wh every 10s",
		"m2.power float32 x1 W every 1m0s", "m2.energy uint64 x0.01 Wh every 1m0s", "m2.volts uint16 x1  every 1s",
	}; !slices.Equal(got, want) {
		t.Errorf("points\n%q, want\n%q", got, want)
	}
	// What is wrong with a value is reported where it stands: in the template, or over it.
	for pointer, line := range map[string]int32{"/order": 23, "/limits/low": 5, "/limits/high": 24, "/label": 5} {
		if at := c.Devices[1].Settings.Position(pointer); at.Line != line {
			t.Errorf("%s is on line %d, want %d", pointer, at.Line, line)
		}
	}
}

func summary(c *Channel) []string {
	var out []string
	for _, d := range c.Devices {
		for _, p := range d.Points {
			out = append(out, fmt.Sprintf("%s.%s %s x%v %s every %s", d.Name, p.Name, p.Type, p.Scale, p.Unit, p.Every))
		}
	}
	return out
}

// A template may be made from another one, which has its variables.
func TestTemplateOfATemplate(t *testing.T) {
	n, err := parseWith(`node: n
templates:
  base: {vars: {unit: 1}, settings: {unit: "${unit}", a: 1, b: 1}}
  middle: {use: base, vars: {unit: 2}, settings: {a: "${unit}"}}
channels:
  c:
    driver: m.wasm
    devices:
      d1: {use: middle}
      d2: {use: middle, vars: {unit: 3}, settings: {b: 5}}
`, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{`{"unit":2,"a":2,"b":1}`, `{"unit":3,"a":3,"b":5}`} {
		if got := n.Channels[0].Devices[i].Settings.Raw; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestPointLists(t *testing.T) {
	lists := map[string]string{
		"/etc/drover/meter.csv": "\uFEFFname,address,type,scale,unit,access,range\n# power\n" +
			"power,holding:0,float32,,W,,\n\"limit\", holding:${offset}, uint16, 0.1, 1, rw, \"[0, 100]\"\n",
		"/etc/drover/german.csv": "name;address;type\nx;7;uint16\n",
		"/etc/drover/bad.csv": "name,addrss,type,type\na,holding:0,uint16\n,holding:1,uint16,\nb,holding:2,uint17,\n" +
			"b,holding:3,int8,\n",
		"/etc/drover/quote.csv": "name,address,type\na,\"holding:0,uint16\n",
		"/etc/drover/empty.csv": "",
	}
	const head = "node: n\ntemplates:\n  meter: {points: meter.csv}\nchannels:\n  c:\n    driver: m.wasm\n    devices:\n"
	n, err := parseWith(head+`      m: {use: meter, vars: {offset: 4}, points: {limit: {scale: 10}, own: {address: 1, type: bool}}}
      g: {points: german.csv}
`, lists)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := summary(n.Channels[0]), []string{"m.power float32 x1 W every 1s", "m.limit uint16 x10 1 every 1s",
		"m.own bool x1  every 1s", "g.x uint16 x1  every 1s"}; !slices.Equal(got, want) {
		t.Errorf("points\n%q, want\n%q", got, want)
	}
	limit := n.Channels[0].Devices[0].Points[1]
	if limit.Address.Raw != `"holding:4"` || *limit.Range != (Range{0, 100}) || limit.Access != AccessReadWrite {
		t.Errorf("%s, %v, %s", limit.Address.Raw, limit.Range, limit.Access)
	}
	if n.Channels[0].Devices[1].Points[0].Address.Raw != "7" {
		t.Errorf("a numeric address: %s", n.Channels[0].Devices[1].Points[0].Address.Raw)
	}
	if want := []string{"/etc/drover/drover.yaml", "/etc/drover/meter.csv", "/etc/drover/german.csv"}; !slices.Equal(n.Files, want) {
		t.Errorf("files %q", n.Files)
	}
	for device, want := range map[string][]string{
		"{points: bad.csv}": {
			`bad.csv:1:6: channels.c.devices.d.points: unknown column "addrss", did you mean address?`,
			`bad.csv:1:18: channels.c.devices.d.points: duplicate column "type"`,
			`bad.csv:2:1: channels.c.devices.d.points: wrong number of fields`,
		},
		"{points: quote.csv}": {`quote.csv:2:21: channels.c.devices.d.points: extraneous or missing " in quoted-field`},
		"{points: empty.csv}": {`empty.csv:1:1: channels.c.devices.d.points: the file is empty, expected a line of column names`},
		"{points: none.csv}":  {`drover.yaml:8:19: channels.c.devices.d.points: cannot read /etc/drover/none.csv: file does not exist`},
		"{points: 5}":         {"drover.yaml:8:19: channels.c.devices.d.points: expected a mapping, found 5"},
	} {
		_, err := parseWith(head+"      d: "+device+"\n", lists)
		sameProblems(t, device, err, want)
	}
}

func sameProblems(t *testing.T, what string, err error, want []string) {
	t.Helper()
	problems, _ := errors.AsType[Problems](err)
	var got []string
	for _, p := range problems {
		got = append(got, strings.TrimPrefix(p.String(), "/etc/drover/"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// What is wrong in a template is one problem, with its place in the template, however often it is used.
func TestProblemsOfTemplates(t *testing.T) {
	_, err := parseWith(`node: n
templates:
  meter:
    settings: {unit: "${unti}"}
    points: {p: {address: 1, type: unit16}}
  loop: {use: loop}
  list: {vars: {a: [1]}}
channels:
  c:
    driver: m.wasm
    vars: {x: 1}
    devices:
      d1: {use: meter, vars: {unit: 1}}
      d2: {use: meter, vars: {unit: 2}}
      d3: {use: metre}
      d4: {use: loop}
      d5: {use: list}
      d6: {use: meter, vars: {name: x}}
`, nil)
	const unknown = `unknown reference ${unti}, expected ${name}, ${unit}, ${env:NAME} or ${file:path}, or $${ for the` +
		` characters themselves`
	sameProblems(t, "templates", err, []string{
		"drover.yaml:4:22: channels.c.devices.d1.settings.unit: " + unknown,
		"drover.yaml:4:22: channels.c.devices.d6.settings.unit: " + strings.ReplaceAll(unknown, "${unit}, ", ""),
		"drover.yaml:5:36: channels.c.devices.d1.points.p.type: expected bool, int8, int16, int32, int64, uint8, uint16," +
			` uint32, uint64, float32, float64, string or bytes, found "unit16"`,
		"drover.yaml:6:15: templates.loop.use: expected at most 8 templates below each other, found more, or one" +
			" that uses itself",
		"drover.yaml:7:20: templates.list.vars.a: expected a text, a number, or true or false, found a list",
		"drover.yaml:11:11: channels.c.vars: vars are for a template, expected use beside them",
		"drover.yaml:13:31: channels.c.devices.d1.vars.unit: the template does not use the variable unit",
		"drover.yaml:14:31: channels.c.devices.d2.vars.unit: the template does not use the variable unit",
		`drover.yaml:15:17: channels.c.devices.d3.use: there is no template "metre", expected list, loop or meter`,
		`drover.yaml:18:31: channels.c.devices.d6.vars: "name" is reserved, expected another name for the variable`,
	})
}

func TestInclude(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("conf.d/b.yaml", "channels:\n  b: {driver: b.wasm, devices: {d: {use: kind, points: points.csv}}}\n")
	write("conf.d/a.yaml", "templates:\n  kind: {settings: {kind: 1}}\nchannels:\n  a: {driver: ../a.wasm}\n")
	write("conf.d/points.csv", "name,address,type\np,1,bool\n")
	write("twice.yaml", "channels:\n  a: {driver: x.wasm}\nnode: other\n")
	main := filepath.Join(dir, "drover.yaml")
	write("drover.yaml", "node: n\ninclude: conf.d/*.yaml\nchannels:\n  m: {driver: m.wasm, devices: {d: {use: kind}}}\n")
	n, err := Load(main)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range n.Channels {
		got = append(got, strings.TrimPrefix(c.Driver, dir)+" "+strings.TrimPrefix(c.Position.File, dir))
	}
	if want := []string{"/m.wasm /drover.yaml", "/a.wasm /conf.d/a.yaml", "/conf.d/b.wasm /conf.d/b.yaml"}; !slices.Equal(got, want) {
		t.Errorf("channels %q, want %q", got, want)
	}
	if p := n.Channels[2].Devices[0].Points; len(p) != 1 || p[0].Every != time.Second {
		t.Errorf("points beside the included file: %+v", p)
	}
	write("drover.yaml", "node: n\ninclude: [conf.d/*.yaml, twice.yaml, conf.d/a.yaml, none.yaml, none/*.yaml]\nchannels: {}\n")
	_, err = Load(main)
	problems, _ := errors.AsType[Problems](err)
	got = nil
	for _, p := range problems {
		got = append(got, strings.ReplaceAll(p.String(), dir, ""))
	}
	if want := []string{
		"/drover.yaml:2:38: include.2: /conf.d/a.yaml is read already, expected each file once",
		"/drover.yaml:2:53: include.3: cannot read /none.yaml: no such file or directory",
		`/twice.yaml:2:3: channels: channel "a" is there already, in /conf.d/a.yaml on line 4`,
		`/twice.yaml:3:1: unknown key "node", expected channels or templates`,
	}; !slices.Equal(got, want) {
		t.Errorf("problems\n%s, want\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// manyMeters is a configuration of 500 meters with 40 points each, and the list of their points.
func manyMeters() (yaml, list string) {
	var file, points strings.Builder
	file.WriteString("node: n\ntemplates:\n  meter: {settings: {unit: \"${unit}\"}, points: meter.csv}\nchannels:\n  lines:\n" +
		"    driver: m.wasm\n    connections: {main: {tcp: \"h:502\"}}\n    devices:\n")
	for i := range 500 {
		fmt.Fprintf(&file, "      meter%d: {use: meter, vars: {unit: %d}}\n", i, i%247+1)
	}
	points.WriteString("name,address,type,scale,unit,report,deadband,heartbeat\n")
	for i := range 40 {
		fmt.Fprintf(&points, "p%d,holding:%d,float32,0.1,bar,change,0.5,10m\n", i, 2*i)
	}
	return file.String(), points.String()
}

func TestManyMeters(t *testing.T) {
	yaml, list := manyMeters()
	if lines := strings.Count(yaml+list, "\n"); lines >= 600 {
		t.Errorf("%d lines", lines)
	}
	n, err := parseWith(yaml, map[string]string{"/etc/drover/meter.csv": list})
	if err != nil {
		t.Fatal(err)
	}
	devices := n.Channels[0].Devices
	last := devices[499]
	if len(devices) != 500 || len(last.Points) != 40 || last.Settings.Raw != `{"unit":6}` {
		t.Errorf("%d devices, %d points, settings %s", len(devices), len(last.Points), last.Settings.Raw)
	}
}

// A small file cannot become more than a node can hold.
func TestTooManyValues(t *testing.T) {
	r := newTestReader("/etc/drover/drover.yaml")
	r.values = 30
	_, err := r.parse([]byte(meters))
	sameProblems(t, "too many", err, []string{
		"drover.yaml:1:1: the templates make more than 5000000 values of the configuration, expected fewer",
	})
}

func BenchmarkManyMeters(b *testing.B) {
	yaml, list := manyMeters()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := parseWith(yaml, map[string]string{"/etc/drover/meter.csv": list}); err != nil {
			b.Fatal(err)
		}
	}
}
