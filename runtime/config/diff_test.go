package config

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// lines are a difference as text: effect, place, old -> new.
func (d *Difference) lines() []string {
	var out []string
	line := func(channel string, c Change) {
		place := channel
		for _, part := range []string{c.Device, c.Path} {
			place = strings.TrimPrefix(place+" "+part, " ")
		}
		out = append(out, fmt.Sprintf("%s %s: %s -> %s", c.Effect, strings.Join(strings.Fields(place), " "), c.Old, c.New))
	}
	for _, c := range d.Node {
		line("", c)
	}
	for _, ch := range d.Channels {
		for _, c := range ch.Changes {
			line(ch.Channel, c)
		}
	}
	return out
}

const diffBase = `node: n
channels:
  a:
    driver: m.wasm
    connections: {main: {serial: /dev/ttyS0, baud: 9600}}
    settings: {mode: rtu, list: [1, 2], key: "${env:TOKEN}"}
    devices:
      d:
        settings: {unit: 1}
        points:
          p: {address: "holding:1", type: int16, access: rw, range: [0, 10]}
          q: {address: "holding:2", type: float32, report: change, deadband: 5%}
      e: {points: {r: {address: 1, type: bool}}}
  b: {driver: m.wasm, devices: {x: {points: {y: {address: 1, type: bool}}}}}
`

// TestDiff has one change each, and what it takes.
func TestDiff(t *testing.T) {
	for _, test := range []struct {
		name, old, now string
		want           []string
		effect         Effect
	}{
		{"nothing", "node: n\n", "node:   n # a comment\n", nil, EffectNone},
		{"the node", "node: n\n", "node: other\ndata: /var/d\nnats: {embedded: {listen: 127.0.0.1:4333}}\nhttp: {listen: 127.0.0.1:9464}\n", []string{
			"restart node: n -> other", "restart data: /etc/drover/data -> /var/d",
			"restart nats.embedded.listen: 127.0.0.1:4222 -> 127.0.0.1:4333", "restart http.listen:  -> 127.0.0.1:9464",
		}, EffectNone},
		{"scale", "type: float32", "type: float32, scale: 0.1, offset: 3, unit: bar", []string{
			"in-place a d points.q.scale: 1 -> 0.1", "in-place a d points.q.offset: 0 -> 3", "in-place a d points.q.unit:  -> bar",
		}, EffectInPlace},
		{"filters", "report: change, deadband: 5%", "heartbeat: 10m", []string{
			"in-place a d points.q.report: change -> always", "in-place a d points.q.deadband: 5% -> ",
			"in-place a d points.q.heartbeat:  -> 10m",
		}, EffectInPlace},
		{"range", "[0, 10]", "[0, 20]", []string{"in-place a d points.p.range: [0, 10] -> [0, 20]"}, EffectInPlace},
		{"limits", "    settings: {mode", "    limits: {cpu: 50%, samples: 10/s, memory: 64MiB}\n    settings: {mode", []string{
			"in-place a limits.cpu: 100% -> 50%", "in-place a limits.samples: 20000 -> 10", "swap a limits.memory: 32MiB -> 64MiB",
		}, EffectSwap},
		{"retry and others", "    settings: {mode", "    retry: {attempts: 3}\n    deadlines: {init: 3s}\n    quarantine: {crashes: never}\n" +
			"    delivery: stream\n    messages: point\n    integers: string\n    settings: {mode", []string{
			"in-place a retry.attempts: unlimited -> 3", "in-place a deadlines.init: 15s -> 3s", "in-place a quarantine.crashes: 5 -> never",
			"in-place a delivery: core -> stream", "in-place a messages: device -> point", "in-place a integers: number -> string",
		}, EffectInPlace},
		{"settings", "mode: rtu, list: [1, 2]", "list: [1, 3], fast: true", []string{
			"swap a settings.fast:  -> true", "swap a settings.list.1: 2 -> 3", `swap a settings.mode: "rtu" -> `,
		}, EffectSwap},
		{"order of settings", "mode: rtu, list: [1, 2]", "list: [1, 2], mode: rtu", nil, EffectNone},
		{"a secret", "${env:TOKEN}", "${env:OTHER}", []string{"swap a settings.key: [redacted] -> [redacted]"}, EffectSwap},
		{"points", `p: {address: "holding:1", type: int16, access: rw, range: [0, 10]}`, `z: {address: "coil:1", type: bool, count: 4}`, []string{
			`swap a d points.z:  -> bool at "coil:1"`, `swap a d points.p: int16 at "holding:1" -> `,
		}, EffectSwap},
		{"a point", `"holding:2", type: float32`, `"holding:3", type: float64, every: 5s, access: rw`, []string{
			`swap a d points.q.address: "holding:2" -> "holding:3"`, "swap a d points.q.type: float32 -> float64",
			"swap a d points.q.access: r -> rw", "swap a d points.q.every: 1s -> 5s",
		}, EffectSwap},
		{"devices", "e: {points", "f: {points", []string{"swap a f:  -> 1 point", "swap a e: 1 point -> "}, EffectSwap},
		{"a device", "unit: 1", "unit: 2", []string{"swap a d settings.unit: 1 -> 2"}, EffectSwap},
		{"order", "          p: {", "          q0: {address: 1, type: bool}\n          p: {", []string{"swap a d points.q0:  -> bool at 1"}, EffectSwap},
		{"connections", "/dev/ttyS0, baud: 9600", "/dev/ttyS0, baud: 19200, rs485: {}", []string{
			"reconnect a connections.main.serial.baud: 9600 -> 19200", "reconnect a connections.main.serial.rs485.rts_on_send:  -> true",
			"reconnect a connections.main.serial.rs485.rx_during_tx:  -> false",
		}, EffectReconnect},
		{"another kind", "{serial: /dev/ttyS0, baud: 9600}", "{tcp: h:502}", []string{
			"reconnect a connections.main.serial.baud: 9600 -> ", "reconnect a connections.main.serial.data_bits: 8 -> ",
			"reconnect a connections.main.serial.parity: none -> ", "reconnect a connections.main.serial.path: /dev/ttyS0 -> ",
			"reconnect a connections.main.serial.stop_bits: 1 -> ", "reconnect a connections.main.tcp.address:  -> h:502",
		}, EffectReconnect},
		{"grants", "    settings: {mode", "    grants: {tcp: [\"10.0.0.0/24:502\", \"meter.lan:80-90\"], udp: [\"[fd00::/64]:7\"]}\n    settings: {mode", []string{
			"reconnect a grants.tcp:  -> 10.0.0.0/24:502, meter.lan:80-90", "reconnect a grants.udp:  -> [fd00::/64]:7",
		}, EffectReconnect},
		{"tls and others", "{main: {serial: /dev/ttyS0, baud: 9600}}", "{s: {tcp: h:802, tls: {server_name: x}}, u: {udp: h:5, local: \"127.0.0.1:6\"}," +
			" l: {listen: \"127.0.0.1:7\", from: [10.0.0.0/8]}, main: {serial: /dev/ttyS0, baud: 9600}}", []string{
			"reconnect a connections.l:  -> there", "reconnect a connections.l.listen.address:  -> 127.0.0.1:7",
			"reconnect a connections.l.listen.from:  -> 10.0.0.0/8", "reconnect a connections.s:  -> there",
			"reconnect a connections.s.tcp.address:  -> h:802", "reconnect a connections.s.tcp.tls.server_name:  -> x",
			"reconnect a connections.u:  -> there", "reconnect a connections.u.udp.address:  -> h:5",
			"reconnect a connections.u.udp.local:  -> 127.0.0.1:6",
		}, EffectReconnect},
		{"driver", "driver: m.wasm\n    connections", "driver: modbus@1.3.0\n    connections", []string{
			"driver a driver: /etc/drover/m.wasm -> modbus@1.3.0",
		}, EffectDriver},
		{"channels", "  b: {driver", "  c: {driver", []string{
			"remove b: /etc/drover/m.wasm, 1 device, 1 point -> ", "add c:  -> /etc/drover/m.wasm, 1 device, 1 point",
		}, EffectRemove},
		{"order of channels and a move to a template", "  b: {driver: m.wasm, devices: {x: {points: {y: {address: 1, type: bool}}}}}",
			"  b: {use: t}\ntemplates: {t: {driver: m.wasm, devices: {x: {points: {y: {address: 1, type: bool}}}}}}", nil, EffectNone},
	} {
		t.Run(test.name, func(t *testing.T) {
			parse := func(text string) *Node {
				r := newTestReader("/etc/drover/drover.yaml")
				r.lookup = func(name string) (string, bool) { return "secret of " + name, true }
				n, err := r.parse([]byte(text))
				if err != nil {
					t.Fatal(err)
				}
				return n
			}
			if !strings.Contains(diffBase, test.old) {
				t.Fatalf("%q is not in the file", test.old)
			}
			before, after := parse(diffBase), parse(strings.Replace(diffBase, test.old, test.now, 1))
			d := Diff(before, after, nil)
			if diff := cmp.Diff(test.want, d.lines()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			effect := EffectNone
			if len(d.Channels) > 0 {
				effect = d.Channels[0].Effect
			}
			if effect != test.effect || d.Empty() != (len(test.want) == 0) {
				t.Errorf("effect %s, empty %t", effect, d.Empty())
			}
			if back := Diff(after, before, nil); len(back.lines()) != len(d.lines()) && test.name != "channels" {
				t.Errorf("the way back: %v", back.lines())
			}
		})
	}
}

// What a driver's schemas call secret shows nowhere either, and a change of it is one.
func TestDiffHidesWhatIsHidden(t *testing.T) {
	hidden := func(c *Channel, part *JSON) []string { return []string{"/pin", "/keys/0"} }
	parse := func(settings string) *Node {
		return mustParse(t, "node: n\nchannels: {a: {driver: m, settings: "+settings+"}}\n")
	}
	d := Diff(parse(`{pin: 1234, keys: [aaa, bbb]}`), parse(`{pin: 1235, keys: [aac, bbc]}`), hidden)
	want := []string{
		"swap a settings.keys.0: [redacted] -> [redacted]", `swap a settings.keys.1: "bbb" -> "bbc"`,
		"swap a settings.pin: [redacted] -> [redacted]",
	}
	if diff := cmp.Diff(want, d.lines()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestDiffKnowsEveryField: a key that is new in the configuration needs its place in the difference.
func TestDiffKnowsEveryField(t *testing.T) {
	places := map[string]bool{"Position": true, "DriverPosition": true, "File": true, "Files": true, "Name": true}
	for of, known := range map[reflect.Type][]string{
		reflect.TypeFor[Node]():       {"Data", "NATS", "HTTP", "Trust", "Channels"},
		reflect.TypeFor[Channel]():    {"Driver", "Connections", "Grants", "Limits", "Retry", "Deadlines", "Quarantine", "Delivery", "PointMessages", "IntegerText", "Settings", "Devices"},
		reflect.TypeFor[Device]():     {"Settings", "Points"},
		reflect.TypeFor[Point]():      {"Address", "Definition"},
		reflect.TypeFor[Definition](): {"Type", "Count", "Access", "Every", "Scale", "Offset", "Unit", "Report", "Range"},
	} {
		for i := range of.NumField() {
			f := of.Field(i)
			if f.IsExported() && !places[f.Name] && !strings.Contains(" "+strings.Join(known, " ")+" ", " "+f.Name+" ") {
				t.Errorf("%s.%s has no place in Diff", of.Name(), f.Name)
			}
		}
	}
}

// Of 500 meters whose template changes one scale, nothing is said but that.
func TestDiffOfATemplate(t *testing.T) {
	before, after := carried(t, metersFile(t, 500, "0.1")), carried(t, metersFile(t, 500, "0.01"))
	parse := func(b *Bundle) *Node {
		b.Dir = "/etc/drover" // both are meant to be the same file
		for i := range b.Files[1:] {
			b.Files[i+1].Path = "/etc/drover/meter.csv"
		}
		n, err := b.Parse()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	d := Diff(parse(before), parse(after), nil)
	if len(d.Node) != 0 || len(d.Channels) != 1 || d.Channels[0].Effect != EffectInPlace || len(d.Channels[0].Changes) != 500*40 {
		t.Fatalf("%d channels, %v", len(d.Channels), d.lines()[:10])
	}
}

// FuzzDiff: two configurations differ in the same places both ways, one of itself in none.
func FuzzDiff(f *testing.F) {
	f.Add(diffBase, strings.ReplaceAll(diffBase, "int16", "uint16"))
	f.Fuzz(func(t *testing.T, a, b string) {
		before, err := newTestReader("f.yaml").parse([]byte(a))
		after, err2 := newTestReader("f.yaml").parse([]byte(b))
		if err != nil || err2 != nil {
			return
		}
		if d := Diff(before, before, nil); !d.Empty() {
			t.Errorf("differs from itself: %v", d.lines())
		}
		there, back := Diff(before, after, nil), Diff(after, before, nil)
		if there.Empty() != back.Empty() {
			t.Errorf("%v one way, %v back", there.lines(), back.lines())
		}
	})
}
