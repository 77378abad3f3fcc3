package natsbridge_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/supervise"
)

// TestCommands: what is answered when everything is well.
func TestCommands(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	startBridge(t, natsbridge.Config{Server: s, Epoch: "e1", Commands: plant{"boiler": newBoiler(t, obey)}})
	c := startCaller(t, s)
	const header = `{"ts":"TS","epoch":"e1"`
	for _, tt := range []struct{ subject, header, body, want string }{
		{"boiler.read.water.supply", "", "", header + `,"v":21.5}`},
		{"boiler.read.water", "", "anything", header + `,"points":{"limit":{"v":21.5,"ts":"TS"},` +
			`"setpoint":{"v":21.5,"ts":"TS"},"supply":{"v":21.5,"ts":"TS"}}}`},
		{"boiler.write.water.setpoint", "", "42.50", header + `,"v":42.5}`},
		{"boiler.write.water.order", "Drover-Timeout: 5s\nDrover-Not-After: 2100-01-01T00:00:00Z", " -1e1 ", header + `,"v":-10}`},
		{"boiler.write.water", "", `{"setpoint":42,"limit":7.1}`, header + `,"points":{"limit":{"v":7.1},"setpoint":{"v":42}}}`},
		{"boiler.invoke.water.reset", "Drover-Key: k1", `{"hard":true}`, header + `,"status":200,"id":"k1","result":{"hard":true}}`},
		{"boiler.invoke._.reset", "Drover-Key: k2", "", header + `,"status":200,"id":"k2","result":null}`},
	} {
		m := c.call(tt.subject, tt.header, tt.body)
		if got := times.ReplaceAllString(string(m.Data), `"TS"`); got != tt.want || m.Header.Get("Nats-Service-Error") != "" {
			t.Errorf("%s %s\n got %s\nwant %s", tt.subject, tt.body, got, tt.want)
		}
	}
}

var times = regexp.MustCompile(`"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z"`)

// TestCommandErrors has every error that a command can have.
func TestCommandErrors(t *testing.T) {
	refused := driver.CommandErrorRefused(component.Tuple2[string, string]{F0: "illegal-value", F1: "exception\n3"})
	retry := time.Now().Add(time.Hour)
	answers := func(e driver.CommandError) func(*order) { return func(o *order) { o.fail(e) } }
	odd := func(r driver.Response) func(*order) {
		return func(o *order) { o.take(); o.end(component.OK[driver.CommandError](r), nil) }
	}
	full := newBoiler(t, leave)
	full.refuse = message.ErrBusy
	generation := newBoiler(t, leave)
	generation.refuse = message.ErrGeneration
	down := newBoiler(t, leave)
	down.down(supervise.Snapshot{State: supervise.Reconnecting, NextRetry: retry, LastFailure: &failure.Record{
		Code: failure.IORefused, Summary: "connect: refused",
	}}, message.ErrNotReady)
	quarantined := newBoiler(t, leave)
	quarantined.down(supervise.Snapshot{State: supervise.Quarantined}, message.ErrNotReady)
	starting := newBoiler(t, leave)
	starting.down(supervise.Snapshot{State: supervise.Initializing}, message.ErrNotReady)
	stopped := newBoiler(t, leave)
	stopped.down(supervise.Snapshot{State: supervise.Stopped, LastFailure: &failure.Record{Code: failure.IORefused}}, message.ErrNotReady)
	s := startServer(t, "127.0.0.1:0")
	b := startBridge(t, natsbridge.Config{Server: s, Commands: plant{
		"ok": newBoiler(t, obey), "full": full, "generation": generation, "down": down, "quarantined": quarantined,
		"starting": starting, "stopped": stopped, "slow": newBoiler(t, leave), "silent": newBoiler(t, ignore),
		"refused": newBoiler(t, answers(refused)), "invalid": newBoiler(t, answers(driver.CommandErrorInvalid("no"))),
		"late":        newBoiler(t, answers(driver.CommandErrorNotSent(driver.IOErrorTimeout))),
		"unreachable": newBoiler(t, answers(driver.CommandErrorNotSent(driver.IOErrorRefused))),
		"ending":      newBoiler(t, answers(driver.CommandErrorNotSent(driver.IOErrorCancelled))),
		"unknown":     newBoiler(t, answers(driver.CommandErrorUnknown(driver.IOErrorTimeout))),
		"unsupported": newBoiler(t, answers(driver.CommandErrorUnsupported())),
		"odd":         newBoiler(t, odd(driver.ResponseInvoke("{"))),
		"few":         newBoiler(t, odd(driver.ResponseRead(nil))),
		"other":       newBoiler(t, odd(driver.ResponseRead([]driver.Sample{{Point: 99}}))),
		"type":        newBoiler(t, odd(driver.ResponseRead([]driver.Sample{{Point: 10, Value: component.Some(driver.ValueText(""))}}))),
		"bug":         newBoiler(t, func(*order) { panic("oh") }),
	}})
	c := startCaller(t, s)
	const soon = "Drover-Timeout: 20ms"
	for _, tt := range []struct {
		subject, header, body string
		status                int
		code, text            string
	}{
		{"ok.write.water.setpoint", "", "", 400, "call.body", "not JSON"},
		{"ok.write.water.setpoint", "", "{", 400, "call.body", "not JSON"},
		{"ok.write.water", "", "42", 400, "call.body", "not an object"},
		{"ok.write.water", "", "{}", 400, "call.body", "empty"},
		{"ok.write.water", "", `{"setpoint":1,"setpoint":2}`, 400, "call.body", "twice"},
		{"ok.write.water", "", `{"set point":1}`, 400, "call.body", "a name is"},
		{"ok.write.water.setpoint", "", `"` + strings.Repeat("x", 64<<10) + `"`, 400, "call.body", "more than 65536"},
		{"ok.invoke.water.reset", "", "{", 400, "call.body", "not JSON"},
		{"ok.read.water", "Drover-Timeout: soon", "", 400, "call.body", "Drover-Timeout"},
		{"ok.read.water", "Drover-Not-After: later", "", 400, "call.body", "Drover-Not-After"},
		{"ok.write.water.setpoint", "Drover-Key: a b", "1", 400, "call.body", "Drover-Key"},
		{"ok.read.water", "Drover-Generation: 0", "", 400, "call.body", "Drover-Generation"},
		{"ok.write.water.supply", "", "1", 403, "command.read-only", "water.supply is read-only"},
		{"ok.read.water.order", "", "", 403, "command.write-only", "water.order is write-only"},
		{"nowhere.read.water", "", "", 404, "call.not-found", `no channel "nowhere"`},
		{"get.read.water", "", "", 404, "call.not-found", `no channel "get"`},
		{"ok.read.fire", "", "", 404, "call.not-found", `no device "fire"`},
		{"ok.write.fire", "", "{}", 404, "call.not-found", `no device "fire"`},
		{"ok.invoke.fire.reset", "", "", 404, "call.not-found", `no device "fire"`},
		{"ok.read.water.nothing", "", "", 404, "call.not-found", `no point "nothing"`},
		{"ok.write.water.nothing", "", "1", 404, "call.not-found", `no point "nothing"`},
		{"ok.write.water", "", `{"limit":1,"nothing":2}`, 404, "call.not-found", `no point "nothing"`},
		{"ok.read.water.supply.now", "", "", 404, "call.not-found", "not CHANNEL.read.DEVICE[.POINT]"},
		{"ok.invoke.water", "", "", 404, "call.not-found", "not CHANNEL.invoke.DEVICE.ACTION"},
		{"ok.cancel.nothing", "", "", 404, "call.not-found", `no action "nothing" on its way`},
		{"ok.cancel.a.b", "", "", 404, "call.not-found", "not CHANNEL.cancel.ID"},
		{"unsupported.invoke.water.reset", "", "", 404, "call.not-found", "no such action"},
		{"unsupported.write.water.limit", "", "1", 403, "command.read-only", "does not write"},
		{"unsupported.read.water.limit", "", "", 403, "command.write-only", "does not read"},
		{"generation.write.water.limit", "Drover-Generation: 3", "1", 409, "command.generation", ""},
		{"ok.write.water.setpoint", "", `"42"`, 422, "command.type", `the text "42"`},
		{"ok.write.water.setpoint", "", "null", 422, "command.type", "null"},
		{"ok.write.water.setpoint", "", "42.55", 422, "command.type", "no integer times 0.1"},
		{"ok.write.water.setpoint", "", "100.1", 422, "command.range", "not from 0 to 100"},
		{"ok.write.water.limit", "", "4000", 422, "command.range", "does not fit int16"},
		{"ok.write.water", "", `{"limit":1,"setpoint":101}`, 422, "command.range", "water.setpoint"},
		{"ok.invoke.water.reset", "", `"bad"`, 422, "command.invalid", "the arguments are bad"},
		{"invalid.write.water.limit", "", "1", 422, "command.invalid", "no"},
		{"full.write.water.limit", "", "1", 429, "call.busy", ""},
		{"silent.write.water.limit", soon, "1", 500, "command.unknown", ""},
		{"silent.invoke.water.reset", soon, "", 500, "command.unknown", ""},
		{"unknown.write.water.limit", "", "1", 500, "command.unknown", "io.timeout"},
		{"few.write.water.limit", "", "1", 500, "command.unknown", "does not fit"},
		{"few.invoke.water.reset", "", "1", 500, "command.unknown", "does not fit"},
		{"bug.write.water.limit", "", "1", 500, "call.internal", ""},
		{"refused.write.water.limit", "", "1", 502, "device.illegal-value", "exception 3"},
		{"odd.invoke.water.reset", "", "", 502, "command.answer", "not JSON"},
		{"few.read.water.supply", "", "", 502, "command.answer", ""},
		{"other.read.water.supply", "", "", 502, "command.answer", ""},
		{"type.read.water.supply", "", "", 502, "command.answer", "text where the point is signed"},
		{"down.write.water.limit", "", "1", 503, "call.not-ready", "is reconnecting: io.refused: connect: refused, again in "},
		{"starting.read.water", "", "", 503, "call.not-ready", "is starting (initializing)"},
		{"stopped.read.water", "", "", 503, "call.not-ready", `"stopped" is stopped`},
		{"quarantined.read.water", "", "", 503, "call.not-ready", "is quarantined"},
		{"unreachable.write.water.limit", "", "1", 503, "call.not-ready", "io.refused"},
		{"ending.write.water.limit", "", "1", 503, "call.not-ready", "was ended"},
		{"slow.write.water.limit", soon, "1", 504, "command.expired", "never sent"},
		{"late.write.water.limit", "", "1", 504, "command.expired", "never sent"},
		{"ok.write.water.limit", "Drover-Not-After: 2020-01-01T00:00:00Z", "1", 504, "command.expired", "never sent"},
	} {
		got := failed(t, c.call(tt.subject, tt.header, tt.body))
		if got.Status != tt.status || got.Code != tt.code || !strings.Contains(got.Message, tt.text) {
			t.Errorf("%s %.40s: got %d %s %q, want %d %s", tt.subject, tt.body, got.Status, got.Code, got.Message, tt.status, tt.code)
		}
	}
	if got := failed(t, c.call("down.read.water", "", "")); got.State != "reconnecting" || !got.NextRetry.Equal(retry) {
		t.Errorf("the channel that is down: %+v", got)
	}
	if err := b.Close(bounded(t)); err != nil {
		t.Error(err)
	}
}

// TestWriteInPart: a result for each point, and an error over all.
func TestWriteInPart(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	startBridge(t, natsbridge.Config{Server: s, Epoch: "e1", Commands: plant{"boiler": newBoiler(t, func(o *order) {
		o.take()
		results := make([]component.Result[component.Unit, driver.CommandError], 2)
		results[1] = component.Err[component.Unit](driver.CommandErrorInvalid("too much"))
		o.end(component.OK[driver.CommandError](driver.ResponseWrite(results)), nil)
	})}})
	c := startCaller(t, s)
	for range 2 { // what was done in part is not done again
		m := c.call("boiler.write.water", "Drover-Key: k", `{"setpoint":42,"limit":7}`)
		answer := decoded[message.WritesAnswer](t, m.Data)
		if m.Header.Get("Nats-Service-Error-Code") != "422" || string(answer.Points["setpoint"].V) != "42" ||
			!errors.Is(answer.Points["limit"].Error, message.ErrInvalid) || answer.Points["limit"].V != nil {
			t.Errorf("%v %s", m.Header, m.Data)
		}
	}
}

// TestWriteEvents: who wrote what, over what, and what came of it.
func TestWriteEvents(t *testing.T) {
	boiler := newBoiler(t, obey)
	boiler.points[1].Accept(boiler.points[1].Convert(driver.Sample{Value: component.Some(driver.ValueSigned(300))}, at), at)
	s := startServer(t, "127.0.0.1:0")
	startBridge(t, natsbridge.Config{Server: s, Commands: plant{"boiler": boiler}})
	c := startCaller(t, s)
	events := c.listen("drover.n1.boiler.event.*")
	for _, tt := range []struct{ subject, header, body, want string }{
		{"boiler.write.water.setpoint", "Drover-Caller: alice\nDrover-Key: k1\nNats-Request-Info: {\"acc\":\"PLANT\",\"user\":\"u\"}", "42.0",
			`{"device":"water","points":{"setpoint":{"old":30,"new":42}},` +
				`"caller":{"name":"alice","account":"PLANT","user":"u"},"key":"k1","status":200,"duration":D}`},
		{"boiler.write.water", "", `{"limit":1,"setpoint":200}`,
			`{"device":"water","points":{"limit":{"new":1},"setpoint":{"old":30,"new":200,"error":ERROR}},` +
				`"caller":{},"status":422,"error":ERROR,"duration":D}`},
	} {
		c.call(tt.subject, tt.header, tt.body)
		got := string(decoded[message.Event](t, next(t, events).Data).Detail)
		got = regexp.MustCompile(`"duration":[\d.e-]+`).ReplaceAllString(got, `"duration":D`)
		got = regexp.MustCompile(`"error":\{[^}]*\}`).ReplaceAllString(got, `"error":ERROR`)
		if got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.subject, got, tt.want)
		}
	}
}

// TestReadBack: what the driver published of the point while it did the write.
func TestReadBack(t *testing.T) {
	boiler := newBoiler(t, nil)
	setpoint := boiler.points[1]
	boiler.drive = func(o *order) {
		o.take()
		now := time.Now().Add(time.Millisecond)
		setpoint.Accept(setpoint.Convert(driver.Sample{Value: component.Some(driver.ValueSigned(419))}, now), now)
		obey(&order{Command: o.Command, done: make(chan struct{})})
		o.end(component.OK[driver.CommandError](driver.ResponseWrite(make([]component.Result[component.Unit, driver.CommandError], 1))), nil)
	}
	s := startServer(t, "127.0.0.1:0")
	startBridge(t, natsbridge.Config{Server: s, Commands: plant{"boiler": boiler}})
	answer := decoded[message.WriteAnswer](t, startCaller(t, s).call("boiler.write.water.setpoint", "", "42").Data)
	if string(answer.V) != "42" || answer.Read == nil || string(answer.Read.V) != "41.9" {
		t.Errorf("got %+v", answer)
	}
}

// TestSomebodyListens: a wildcard over the calls does not keep a caller from being told that the channel is down.
func TestSomebodyListens(t *testing.T) {
	boiler := newBoiler(t, leave)
	boiler.down(supervise.Snapshot{State: supervise.Reconnecting}, message.ErrNotReady)
	s := startServer(t, "127.0.0.1:0")
	startBridge(t, natsbridge.Config{Server: s, Commands: plant{"boiler": boiler}})
	c := startCaller(t, s)
	c.listen("drover-call.>")
	if got := failed(t, c.call("boiler.write.water.setpoint", "Drover-Timeout: 10m", "1")); got.Status != 503 {
		t.Errorf("got %+v", got)
	}
}

// TestPolicy: a node that is a client of somebody's server takes only what it is told to.
func TestPolicy(t *testing.T) {
	s := startForeign(t, "127.0.0.1:0")
	for _, tt := range []struct {
		policy natsbridge.CommandPolicy
		refuse string
	}{
		{"", "write invoke cancel ctl"}, {natsbridge.CommandsRead, "write invoke cancel ctl"}, {natsbridge.CommandsAll, ""},
		{natsbridge.CommandsNone, "read write invoke cancel ctl"},
	} {
		t.Run("policy "+string(tt.policy), func(t *testing.T) {
			b := startBridge(t, natsbridge.Config{
				URL: s.ClientURL(), CommandPolicy: tt.policy, Commands: plant{"boiler": newBoiler(t, obey)},
			})
			defer b.Close(bounded(t)) // the next has its name
			c := callerOf(t, s.ClientURL())
			eventually(t, "the node answers", func() bool {
				_, err := c.RequestMsg(request("get.ping", "", ""), time.Second)
				return err == nil
			})
			for verb, subject := range map[string]string{
				"get": "get.ping", "ctl": "ctl.stop", "read": "boiler.read.water", "write": "boiler.write.water.limit",
				"invoke": "boiler.invoke.water.reset", "cancel": "boiler.cancel.x",
			} {
				m := c.call(subject, "", "1")
				refused := m.Header.Get("Drover-Error-Code") == "call.not-permitted"
				if want := strings.Contains(" "+tt.refuse+" ", " "+verb+" "); refused != want {
					t.Errorf("%s: refused %v, want %v: %s", verb, refused, want, m.Data)
				}
			}
		})
	}
}

// TestWritesKeepTheirOrder: also those of a caller who does not wait.
func TestWritesKeepTheirOrder(t *testing.T) {
	const n = 500
	written := make(chan int64, n)
	s := startServer(t, "127.0.0.1:0")
	startBridge(t, natsbridge.Config{Server: s, Commands: plant{"boiler": newBoiler(t, func(o *order) {
		written <- o.Request.Write()[0].Value.Signed()
		obey(o)
	})}})
	c := startCaller(t, s)
	for i := range n {
		if err := c.PublishMsg(request("boiler.write.water.limit", "", fmt.Sprint(i))); err != nil {
			t.Fatal(err)
		}
	}
	for i := range int64(n) {
		if got := <-written; got != 10*i {
			t.Fatalf("%d came in place of %d", got, 10*i)
		}
	}
}

// TestCommandStats: $SRV.STATS counts errors that were answered later than the handler returned.
func TestCommandStats(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	startBridge(t, natsbridge.Config{Server: s, Commands: plant{"boiler": newBoiler(t, func(o *order) {
		go o.fail(driver.CommandErrorRefused(component.Tuple2[string, string]{F0: "busy", F1: "later"}))
	}), "silent": newBoiler(t, leave)}})
	c := startCaller(t, s)
	for range 3 {
		c.call("boiler.write.water.limit", "", "1")
	}
	c.call("silent.write.water.limit", "Drover-Timeout: 1ms", "1")
	c.call("nowhere.write.water.limit", "", "1")
	m, err := c.Request("$SRV.STATS.drover-n1", nil, patience)
	if err != nil {
		t.Fatal(err)
	}
	var stats struct {
		Endpoints []struct {
			Name     string                   `json:"name"`
			Requests int                      `json:"num_requests"`
			Data     natsbridge.EndpointStats `json:"data"`
		} `json:"endpoints"`
	}
	if err := json.Unmarshal(m.Data, &stats); err != nil {
		t.Fatal(err)
	}
	for _, e := range stats.Endpoints {
		d := e.Data
		if e.Name == "write" && (e.Requests != 5 || d.Answered != 5 || d.Failed != 5 || d.Codes["device.*"] != 3 ||
			d.Codes["command.expired"] != 1 || d.Codes["call.not-found"] != 1 || d.LastError == "") {
			t.Errorf("got %+v", e)
		}
	}
	if len(stats.Endpoints) != 6 {
		t.Errorf("endpoints %+v", stats.Endpoints)
	}
}

// TestCloseAnswers: who waits when the node ends is told what became of it.
func TestCloseAnswers(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	var got sync.WaitGroup
	got.Add(2)
	b := startBridge(t, natsbridge.Config{Server: s, Commands: plant{
		"waits":  newBoiler(t, func(*order) { got.Done() }),
		"inhand": newBoiler(t, func(o *order) { o.take(); got.Done() }),
	}})
	c := startCaller(t, s)
	answers := c.listen("answers.*")
	for _, channel := range []string{"waits", "inhand"} {
		m := request(channel+".write.water.limit", "Drover-Timeout: 10m", "1")
		m.Reply = "answers." + channel
		if err := c.PublishMsg(m); err != nil {
			t.Fatal(err)
		}
	}
	got.Wait()
	if err := b.Close(bounded(t)); err != nil {
		t.Fatal(err)
	}
	want := map[string]string{"answers.waits": "call.not-ready", "answers.inhand": "command.unknown"}
	for range want {
		if m := next(t, answers); m.Header.Get("Drover-Error-Code") != want[m.Subject] {
			t.Errorf("%s: %s", m.Subject, m.Data)
		}
	}
}

// TestCommandsHammer has callers at once, drivers that answer, die, forget and refuse: each call is answered once.
func TestCommandsHammer(t *testing.T) {
	const callers, each = 8, 100
	boiler := newBoiler(t, nil)
	var number int
	var mu sync.Mutex
	boiler.drive = func(o *order) {
		mu.Lock()
		number++
		n := number
		mu.Unlock()
		switch n % 5 {
		case 0:
			go obey(o)
		case 1:
			ignore(o)
		case 2:
			o.end(natsbridge.CommandAnswer{}, message.ErrNotReady)
		case 3:
			go o.fail(driver.CommandErrorUnknown(driver.IOErrorReset))
		default:
			obey(o)
		}
	}
	s := startServer(t, "127.0.0.1:0")
	startBridge(t, natsbridge.Config{Server: s, Commands: plant{"boiler": boiler}})
	c := startCaller(t, s)
	answers := c.listen("answers.>")
	if err := answers.SetPendingLimits(-1, -1); err != nil {
		t.Fatal(err)
	}
	var calling sync.WaitGroup
	for i := range callers {
		calling.Go(func() {
			for k := range each {
				m := request("boiler.write.water.limit", "Drover-Timeout: 50ms", "1")
				if k%2 == 0 {
					m = request("boiler.invoke.water.reset", "Drover-Timeout: 50ms", "1")
				}
				m.Reply = fmt.Sprintf("answers.%d.%d", i, k)
				if k%10 < 3 {
					m.Header.Set(message.HeaderKey, fmt.Sprint("key", k%10, m.Subject[len(m.Subject)-5:]))
				}
				if err := c.PublishMsg(m); err != nil {
					t.Error(err)
				}
			}
		})
	}
	calling.Wait()
	seen := make(map[string]int)
	for range callers * each {
		m := next(t, answers)
		if seen[m.Subject]++; seen[m.Subject] > 1 {
			t.Errorf("%s is answered twice", m.Subject)
		}
	}
	if m, err := answers.NextMsg(10 * time.Millisecond); !errors.Is(err, nats.ErrTimeout) {
		t.Errorf("one more: %v, %v", m, err)
	}
}
