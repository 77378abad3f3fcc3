//go:build linux || darwin

package drover_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

// saying has channels that say all there is to say: values of every type, in both forms, and everything that can happen.
const saying = `
  boiler:
    driver: testdriver.wasm
    settings: {status: degraded, answers: {refused: "refused:broken"}}
    every: 20ms
    devices:
      pump:
        points:
          bool: {address: 1, type: bool}
          int: {address: 1, type: int16, scale: 0.1, offset: -40, unit: bar, access: rw, range: [0, 100]}
          refused: {address: 1, type: uint8, access: rw, every: 1h}
          long: {address: 1, type: int64}
          longer: {address: 1, type: uint64, report: change, heartbeat: 1h}
          short: {address: 1, type: float32, scale: 0.1}
          double: {address: 1, type: float64}
          text: {address: 1, type: string}
          bytes: {address: 1, type: bytes}
          list: {address: 1, type: uint64, count: 3}
          bools: {address: 1, type: bool, count: 3}
  apart:
    driver: testdriver.wasm
    messages: point
    integers: string
    every: 20ms
    devices: {pump: {points: {
      long: {address: 1, type: int64}, list: {address: 1, type: uint64, count: 2}, half: {address: 1, type: int64, scale: 0.5}}}}
  flaky:
    driver: testdriver.wasm
    settings: {run: "io:reset", cycle: 3}
    retry: {initial: 20ms, max: 50ms}
    every: 20ms
    devices: {pump: {points: {count: {address: 1, type: uint8, heartbeat: 30ms}}}}
  crashing:
    driver: testdriver.wasm
    settings: {run: panic}
    retry: {initial: 20ms, max: 50ms}
    quarantine: {crashes: 2, window: 10m}
    every: 20ms
    devices: {pump: {points: {count: {address: 1, type: uint8}}}}
  curious:
    driver: testdriver.wasm
    settings: {connect: "dial:127.0.0.1:9"}
    retry: {attempts: 0}
    every: 20ms
    devices: {pump: {points: {count: {address: 1, type: uint8}}}}
`

// messages holds what a running node says and answers against the schemas: every message that anything here hears is.
func (r *rig) messages(t *testing.T) {
	url, user, password := startServer(t)
	e := listen(t, url, "drover.n1.>")
	start(t, r.config(t, fmt.Sprintf("{url: %q, user: %q, password: %q, commands: all}", url, user, password),
		saying))
	o := operator{connect(t, url, nats.UserInfo(user, password)), t}
	o.until("boiler.read.pump.int", "")
	o.until("apart.read.pump", "")
	for _, tt := range []struct{ subject, body, schema string }{
		{"boiler.read.pump.int", "", "reading"},
		{"apart.read.pump", "", "readings"},
		{"boiler.write.pump.int", "42.5", "written"},
		{"boiler.write.pump", `{"int": 1.5}`, "writes"},
		{"boiler.invoke._.echo", `{"a":[1]}`, "invoked"},
		{"boiler.invoke.pump.slow", `{"steps":2,"step":"1ms"}`, "invoked"},
		{"get.ping", "", "ping"},
		{"get.state", "", "snapshot"},
		{"get.last", "", "last"},
		{"get.ps", "", "ps"},
		{"get.actions", "", "actions"},
		{"get.show", `{"channel":"boiler"}`, "show"},
		{"get.show", `{"channel":"crashing"}`, "show"},
		{"get.logs", `{"channel":"flaky","follow":true}`, "logs"},
		{"ctl.log-level", `{"channel":"boiler","level":"debug"}`, "log-level"},
		{"get.logs", `{"channel":"nowhere"}`, "error"},
		{"ctl.log-level", `{"channel":"boiler","level":"loud"}`, "error"},
		{"boiler.write.pump.refused", "1", "error"},
		{"boiler.write.pump", `{"refused": 1, "int": 1000}`, "error"},
		{"boiler.invoke._.refuse", "", "error"},
		{"curious.read.pump", "", "error"},
		{"nothing.read.pump", "", "error"},
		{"get.nothing", "", "error"},
	} {
		if err := conforms(tt.schema, o.body(tt.subject, tt.body)); err != nil {
			t.Errorf("%s: %v: %s", tt.subject, err, o.body(tt.subject, tt.body))
		}
	}
	missing := []string{
		"data", "state", "device", "handle", "log", "failure", "backoff", "quarantine", "denied", "write", "action",
	}
	e.next(t, "every kind of message", func(h heard) bool {
		name, _ := schemaOf(h.subject) // what has none was complained of
		missing = slices.DeleteFunc(missing, func(kind string) bool { return kind == name })
		return len(missing) == 0
	})
	for _, tt := range []struct{ subject, body, schema string }{
		{"get.crashes", `{"channel":"crashing"}`, "crashes"}, {"get.crash", `{"channel":"crashing","n":1}`, "crash"},
	} {
		if err := conforms(tt.schema, o.body(tt.subject, tt.body)); err != nil {
			t.Errorf("%s: %v: %s", tt.subject, err, o.body(tt.subject, tt.body))
		}
	}
	r.forms(t, e, o)
}

// body is that of an answer, or of an error.
func (o operator) body(subject, body string) []byte {
	o.t.Helper()
	answer, err := o.conn.Request("drover-call.n1."+subject, []byte(body), patience)
	if err != nil {
		o.t.Fatalf("%s: %v", subject, err)
	}
	return answer.Data
}

// forms holds the JSON of values, subjects and losses against the contract.
func (r *rig) forms(t *testing.T, e *ear, o operator) {
	whole := e.next(t, "a whole cycle", func(h heard) bool {
		return strings.HasPrefix(h.subject, "drover.n1.boiler.data.pump") && len(h.Points) == 10
	})
	n := string(whole.Points["long"].V)
	for name, want := range map[string]string{
		"double": `^` + n + `$`, "short": `^\d+(\.\d)?$`, "text": `^"` + n + `"$`, "bytes": `^"[A-Za-z0-9+/]+=*"$`,
		"list": `^\[` + n + `,\d+,\d+\]$`, "bools": `^\[(true|false),(true|false),(true|false)\]$`, "bool": `^(true|false)$`,
	} {
		if got := string(whole.Points[name].V); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s is %s, want %s", name, got, want)
		}
	}
	var seq uint64
	for _, point := range []string{"long", "list", "half", "long", "list", "half"} {
		h := e.next(t, "a message of a point", func(h heard) bool {
			return strings.HasPrefix(h.subject, "drover.n1.apart.data.") && h.Points[point].V != nil
		})
		if h.subject != "drover.n1.apart.data.pump."+point || len(h.Points) != 1 || seq != 0 && h.Seq != seq+1 {
			t.Errorf("%s after seq %d: %s", h.subject, seq, h.payload)
		}
		seq = h.Seq
		want := map[string]string{"long": `^"\d+"$`, "list": `^\["\d+","\d+"\]$`, "half": `^\d+(\.5)?$`}[point]
		if got := string(h.Points[point].V); !regexp.MustCompile(want).MatchString(got) {
			t.Errorf("%s is %s, want %s", point, got, want)
		}
	}
	r.losses(t, e, o)
}

// losses stops channels: what they served is bad, once, and again at the heartbeat.
func (r *rig) losses(t *testing.T, e *ear, o operator) {
	for _, channel := range []string{"boiler", "flaky"} {
		if answer := o.body("ctl.stop", fmt.Sprintf(`{"channel":%q}`, channel)); strings.Contains(string(answer), "error") {
			t.Fatalf("%s", answer)
		}
	}
	bad := e.next(t, "the points of a stopped channel", func(h heard) bool {
		return h.subject == "drover.n1.boiler.data.pump" && h.Points["int"].Code == "channel.stopped"
	})
	if len(bad.Points) != 11 {
		t.Errorf("%d points are bad: %s", len(bad.Points), bad.payload)
	}
	offline := e.on(t, "drover.n1.boiler.device.pump")
	if offline.Status != "offline" || offline.Reason != "stopped" {
		t.Errorf("the device of a stopped channel is %s", offline.payload)
	}
	last := bad
	for range 3 {
		h := e.next(t, "the heartbeat of a point that is lost", func(h heard) bool {
			return h.subject == "drover.n1.flaky.data.pump" && h.Points["count"].Q == "bad" && h.TS != last.TS
		})
		last = h
	}
	e.isNever(t, "told twice that the points of a stopped channel are bad", func(h heard) bool {
		return h.subject == "drover.n1.boiler.data.pump" && h.Points["int"].Code == "channel.stopped"
	}, 1)
}
