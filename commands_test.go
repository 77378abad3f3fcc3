//go:build linux || darwin

package drover_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// commands goes the whole way, from a client that knows nothing of ours to a driver in its sandbox and back.
func (r *rig) commands(t *testing.T) {
	url, user, password := startServer(t)
	start(t, r.config(t, fmt.Sprintf("{url: %q, user: %q, password: %q, commands: all}", url, user, password), `
  boiler:
    driver: testdriver.wasm
    retry: {initial: 20ms, max: 50ms}
    every: 20ms
    devices:
      pump:
        points:
          count: {address: 1, type: uint64}
          set: {address: 2, type: int16, scale: 0.1, access: rw, range: [0, 100]}
  failed:
    driver: testdriver.wasm
    settings: {connect: "fail:fatal"}
    every: 1s
    devices: {pump: {points: {count: {address: 1, type: uint64}}}}
  broken:
    driver: nowhere.wasm
    every: 1s
    devices: {pump: {points: {count: {address: 1, type: uint64}}}}
`))
	o := operator{connect(t, url, nats.UserInfo(user, password)), t}
	events := listen(t, url, "drover.n1.boiler.event.>")
	o.until("boiler.read.pump", "")

	if got := o.call("boiler.write.pump.set", "", "42.5"); !strings.Contains(got, `"v":42.5`) {
		t.Errorf("write: %s", got)
	}
	if got := o.call("boiler.read.pump.set", "", ""); !strings.Contains(got, `"v":42.5`) {
		t.Errorf("read: %s", got)
	}
	e := events.on(t, "drover.n1.boiler.event.write")
	if !strings.Contains(e.payload, `"new":42.5`) || !strings.Contains(e.payload, `"status":200`) {
		t.Errorf("the event is %s", e.payload)
	}
	if got := o.call("boiler.invoke._.echo", "", `{"a":1}`); !strings.Contains(got, `"result":{"a":1}`) {
		t.Errorf("echo: %s", got)
	}
	var actions message.Actions
	ask(t, o.conn, "drover-call.n1.get.actions", "", &actions)
	if len(actions.Channels["boiler"]) == 0 || len(actions.Channels["failed"]) != 0 {
		t.Errorf("actions %+v", actions)
	}
	for _, tt := range []struct{ subject, header, body, want string }{
		{"boiler.write.pump.set", "", "100.1", "422 command.range"},
		{"boiler.write.pump.count", "", "1", "403 command.read-only"},
		{"boiler.write.pump.set", "Drover-Generation: 99", "1", "409 command.generation"},
		{"boiler.invoke._.dance", "", "", "404 call.not-found"},
		{"boiler.invoke.pump.dance", "", "", "404 call.not-found"},
		{"boiler.invoke._.refuse", "", "", "502 device.broken"},
		{"boiler.invoke._.ignore", "Drover-Timeout: 300ms", "", "500 command.unknown"},
		{"failed.read.pump", "", "", "503 call.not-ready"},
		{"broken.read.pump", "", "", "503 call.not-ready"},
		{"nothing.read.pump", "", "", "404 call.not-found"},
	} {
		if got := o.call(tt.subject, tt.header, tt.body); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.subject, got, tt.want)
		}
	}
	o.longAction(events)
	o.death()
	o.hammer()
}

// operator is a client that may command, and knows nothing of ours.
type operator struct {
	conn *nats.Conn
	t    *testing.T
}

// call returns the body of an answer, or the number and the code of an error.
func (o operator) call(subject, header, body string) string {
	o.t.Helper()
	m := &nats.Msg{Subject: "drover-call.n1." + subject, Header: nats.Header{}, Data: []byte(body)}
	if name, value, ok := strings.Cut(header, ": "); ok {
		m.Header.Set(name, value)
	}
	answer, err := o.conn.RequestMsg(m, patience)
	if err != nil {
		o.t.Fatalf("%s: %v", subject, err)
	}
	return told(answer)
}

func told(answer *nats.Msg) string {
	if code := answer.Header.Get("Nats-Service-Error-Code"); code != "" {
		return code + " " + answer.Header.Get("Drover-Error-Code")
	}
	return string(answer.Data)
}

// until calls until the channel is ready.
func (o operator) until(subject, body string) {
	o.t.Helper()
	for deadline := time.Now().Add(patience); ; {
		got := o.call(subject, "", body)
		if !strings.HasPrefix(got, "503") {
			return
		}
		if time.Now().After(deadline) {
			o.t.Fatalf("never ready: %s", got)
		}
	}
}

// longAction is told to go on, is cancelled, and ends.
func (o operator) longAction(events *ear) {
	t := o.t
	t.Helper()
	m := o.call("boiler.invoke._.slow", "Drover-Timeout: 300ms", `{"steps":1000,"step":"50ms"}`)
	var running message.ActionAnswer
	if err := json.Unmarshal([]byte(m), &running); err != nil || running.Status != 202 || running.ID == "" {
		t.Fatalf("slow: %s, %v", m, err)
	}
	if got := o.call("boiler.cancel."+running.ID, "", ""); !strings.Contains(got, running.ID) {
		t.Errorf("cancel: %s", got)
	}
	progress := 0
	events.next(t, "the end of the action", func(h heard) bool {
		if !strings.Contains(h.payload, running.ID) {
			return false
		}
		if strings.Contains(h.payload, `"status":202`) {
			progress++
		}
		return strings.Contains(h.payload, `"code":"command.unknown"`)
	})
	if progress == 0 {
		t.Errorf("no progress was told; heard:\n%s", events)
	}
}

// death: the one that the driver has when it traps is unknown, and is not tried again under its key.
func (o operator) death() {
	o.t.Helper()
	for range 2 {
		if got := o.call("boiler.invoke._.trap", "Drover-Key: once", ""); got != "500 command.unknown" {
			o.t.Errorf("trap: %s", got)
		}
	}
	o.until("boiler.read.pump", "")
	if got := o.call("boiler.invoke._.trap", "Drover-Key: once", ""); got != "500 command.unknown" {
		o.t.Errorf("trap again: %s", got)
	}
	if got := o.call("boiler.read.pump", "", ""); strings.HasPrefix(got, "503") {
		o.t.Errorf("the key did not keep it from being done again: %s", got)
	}
}

// hammer has callers at once while the channel is restarted under them: each call is answered once, with an answer or a
// definite error.
func (o operator) hammer() {
	t := o.t
	t.Helper()
	const callers, each = 4, 50
	answers, err := o.conn.SubscribeSync("answers.>")
	if err != nil {
		t.Fatal(err)
	}
	var calling sync.WaitGroup
	for i := range callers {
		calling.Go(func() {
			for k := range each {
				m := &nats.Msg{Subject: "drover-call.n1.boiler.write.pump.set", Data: []byte("7"), Reply: fmt.Sprintf("answers.%d.%d", i, k)}
				if k%3 == 0 {
					m.Subject, m.Data = "drover-call.n1.boiler.invoke._.echo", []byte("1")
				}
				if i == 0 && k%10 == 5 {
					m.Subject, m.Data = "drover-call.n1.ctl.restart", []byte(`{"channel":"boiler"}`)
				}
				if err := o.conn.PublishMsg(m); err != nil {
					t.Error(err)
				}
			}
		})
	}
	calling.Wait()
	seen := make(map[string]int)
	for range callers * each {
		m, err := answers.NextMsg(patience)
		if err != nil {
			t.Fatalf("%d of %d are answered: %v", len(seen), callers*each, err)
		}
		if seen[m.Subject]++; seen[m.Subject] > 1 {
			t.Errorf("%s is answered twice", m.Subject)
		}
		switch got := told(m); got {
		case "429 call.busy", "500 command.unknown", "503 call.not-ready", "504 command.expired":
		default:
			if strings.HasPrefix(got, "4") || strings.HasPrefix(got, "5") {
				t.Errorf("%s: %s", m.Subject, got)
			}
		}
	}
}
