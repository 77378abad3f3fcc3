package natsbridge_test

import (
	"context"
	"encoding/json"
	"math"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
)

var at = time.Date(2026, 11, 23, 9, 20, 1, 123456789, time.FixedZone("CET", 3600))

// TestMessages says everything that a channel can say, and compares what a plain subscriber gets with the contract: one
// with a role, because log lines are not for anybody.
func TestMessages(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	admin, err := s.Admin().Credentials.Options()
	if err != nil {
		t.Fatal(err)
	}
	sub := subscribe(t, s.URL(), "drover.>", admin...)
	b := startBridge(t, natsbridge.Config{Server: s, Epoch: "e1"})
	retries := 2
	record := failure.Record{
		Phase: failure.PhaseConnect, Kind: failure.Retryable, Code: failure.IORefused, Summary: "connect \"main\"",
		Attempt: 3, Generation: 1, Time: at, NextRetry: at.Add(1500 * time.Millisecond),
	}
	pressure := newPoint(t, point.Definition{
		Name: "pressure", Device: "pump1", Scalar: driver.ScalarTypeFloat32, Scale: 0.1, Unit: "bar",
	})
	setpoint := newPoint(t, point.Definition{
		Name: "setpoint", Device: "pump1", Scalar: driver.ScalarTypeUint16, Count: 2, Access: driver.AccessReadWrite,
		Range: &point.Range{Min: 0, Max: 100},
	})
	const (
		failed = `"phase":"connect","kind":"retryable","code":"io.refused","summary":"connect \"main\"","attempt":3,` +
			`"generation":1,"time":"2026-11-23T08:20:01.123456789Z","next_retry":"2026-11-23T08:20:02.623456789Z"`
		now = `{"ts":"NOW","epoch":"e1",`
	)
	tests := []struct {
		say           func()
		subject, want string
		schema        string
	}{
		{func() {
			b.Data("boiler", point.Batch{Device: "pump1", Seq: 42, Time: at, Readings: []point.Reading{
				reading(t, "pressure", 21.5, at), {Name: "flow", Quality: driver.QualityBad, Code: "io.timeout", Time: at},
			}})
		}, "drover.n1.boiler.data.pump1", `{"ts":"2026-11-23T08:20:01.123456789Z","epoch":"e1","seq":42,` +
			`"points":{"pressure":{"v":21.5},"flow":{"q":"bad","code":"io.timeout"}}}`, "data"},
		{func() {
			old := reading(t, "level", -0.25, at.Add(-time.Second))
			old.Quality, old.Code = driver.QualityUncertain, "driver.stale"
			b.Data("boiler", point.Batch{Device: "pump1", Seq: 43, Time: at, Readings: []point.Reading{old}})
		}, "drover.n1.boiler.data.pump1", `{"ts":"2026-11-23T08:20:01.123456789Z","epoch":"e1","seq":43,"points":{"level":` +
			`{"v":-0.25,"q":"uncertain","code":"driver.stale","ts":"2026-11-23T08:20:00.123456789Z"}}}`, "data"},
		{func() {
			b.State("boiler", message.State{
				State: "connected", Number: 3, Since: message.Time{Time: at}, Attempt: 3, Generation: 1,
			})
		}, "drover.n1.boiler.state", now + `"state":"connected","number":3,"since":"2026-11-23T08:20:01.123456789Z",` +
			`"attempt":3,"generation":1}`, "state"},
		{func() {
			last := natsbridge.FailureOf(record)
			b.State("boiler", message.State{
				State: "reconnecting", Number: 4, Reason: "io.refused", Since: message.Time{Time: at}, Attempt: 3,
				Generation: 1, Backoff: 1.5, NextRetry: last.NextRetry, RetriesLeft: &retries, LastFailure: &last,
			})
		}, "drover.n1.boiler.state", now + `"state":"reconnecting","number":4,"reason":"io.refused",` +
			`"since":"2026-11-23T08:20:01.123456789Z","attempt":3,"generation":1,"backoff":1.5,` +
			`"next_retry":"2026-11-23T08:20:02.623456789Z","retries_left":2,"last_failure":{` + failed + `}}`, "state"},
		{func() {
			b.Device("boiler", point.DeviceState{
				Device: "pump1", Status: driver.StatusDegraded, Reason: "io.timeout", Since: at,
				Gauges: map[string]float64{"crc_errors": 2, "round_trip": 0.0125, "broken": math.NaN()},
			})
		}, "drover.n1.boiler.device.pump1", now + `"status":"degraded","reason":"io.timeout",` +
			`"since":"2026-11-23T08:20:01.123456789Z","gauges":{"crc_errors":2,"round_trip":0.0125}}`, "device"},
		{func() { b.Event("boiler", "failure", record) }, "drover.n1.boiler.event.failure", now + `"detail":{` + failed + `}}`, "failure"},
		{func() {
			b.Event("boiler", "backoff", message.Backoff{
				Attempt: 3, Reason: "io.refused", Delay: 1.5, Until: message.Time{Time: record.NextRetry},
			})
		}, "drover.n1.boiler.event.backoff", now +
			`"detail":{"attempt":3,"reason":"io.refused","delay":1.5,"until":"2026-11-23T08:20:02.623456789Z"}}`, "backoff"},
		{func() {
			b.Event("boiler", "quarantine", message.Quarantine{
				Channel: "boiler", Reason: "5 crashes", Count: 5, Window: 600, Since: message.Time{Time: at}, Digest: "sha256:ab",
				LastFailure: natsbridge.FailureOf(record),
			})
		}, "drover.n1.boiler.event.quarantine", now + `"detail":{"channel":"boiler","reason":"5 crashes","count":5,"window":600,` +
			`"since":"2026-11-23T08:20:01.123456789Z","digest":"sha256:ab","last_failure":{` + failed + `}}}`, "quarantine"},
		{func() { b.Event("boiler", "swap", map[string]int{"gap_ms": 12}) }, "drover.n1.boiler.event.swap",
			now + `"detail":{"gap_ms":12}}`, "event"},
		{func() {
			b.Log("boiler", message.Log{Level: "warn", Message: "late", Guest: true, Fields: map[string]string{"unit": "1"}})
		}, "drover.n1.boiler.log", now + `"level":"warn","message":"late","guest":true,"fields":{"unit":"1"}}`, "log"},
		{func() { b.Handle("boiler", "pump1", 1, pressure, setpoint) }, "drover.n1.handle.boiler.pump1",
			now + `"generation":1,"points":{"pressure":{"type":"float32","access":"r","unit":"bar","scale":0.1},` +
				`"setpoint":{"type":"uint16","count":2,"access":"rw","range":{"min":0,"max":100}}}}`, "handle"},
		{func() { b.Revoke("boiler") }, "drover.n1.handle.boiler.pump1", now + `"generation":1,"revoked":true,"points":{}}`, "handle"},
	}
	for _, tt := range tests {
		tt.say()
		m := next(t, sub)
		if m.Subject != tt.subject {
			t.Errorf("subject %s, want %s", m.Subject, tt.subject)
		}
		want := tt.want
		if strings.HasPrefix(want, now) {
			want = strings.Replace(want, "NOW", stamp(t, m.Data), 1)
		}
		if string(m.Data) != want {
			t.Errorf("%s:\n got %s\nwant %s", m.Subject, m.Data, want)
		}
		validate(t, tt.schema, m.Data)
	}
	b.Revoke("boiler") // nothing is left to revoke
	b.Event("boiler", "end", nil)
	if m := next(t, sub); m.Subject != "drover.n1.boiler.event.end" {
		t.Errorf("got %s %s", m.Subject, m.Data)
	}
}

// stamp returns the ts of a message, which must be now, in the contract's form.
func stamp(t *testing.T, payload []byte) string {
	t.Helper()
	m := regexp.MustCompile(`^\{"ts":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z)"`).FindSubmatch(payload)
	if m == nil {
		t.Fatalf("no ts: %s", payload)
	}
	ts, err := time.Parse(time.RFC3339Nano, string(m[1]))
	if err != nil || time.Since(ts).Abs() > time.Minute {
		t.Errorf("ts %s, %v", m[1], err)
	}
	return string(m[1])
}

func validate(t *testing.T, name string, payload []byte) {
	t.Helper()
	schema, err := jsonschema.NewCompiler().Compile(filepath.Join("../../docs/schemas", name+".schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(string(payload)))
	if err != nil {
		t.Fatal(err)
	}
	if err := schema.Validate(instance); err != nil {
		t.Errorf("%s: %v", payload, err)
	}
}

// The schemas must be able to refuse, or the test above means nothing.
func TestSchemasRefuse(t *testing.T) {
	const header = `"ts":"2026-11-23T08:20:01.123456789Z","epoch":"e1"`
	refused := map[string]string{
		"data":    `{` + header + `,"seq":1,"points":{"p":{}}}`,
		"state":   `{` + header + `,"state":"asleep","number":9,"attempt":1,"generation":1}`,
		"device":  `{` + header + `,"status":"online","gauges":{"x":"1"}}`,
		"failure": `{` + header + `,"detail":{"phase":"run"}}`,
		"event":   `{"ts":"2026-11-23T08:20:01Z","epoch":"e1"}`,
		"backoff": `{` + header + `,"detail":{"attempt":0,"reason":"exit","delay":1,"until":"2026-11-23T08:20:01.123456789Z"}}`,
		"quarantine": `{` + header + `,"detail":{"channel":"c","reason":"r","count":5,"window":600,` +
			`"since":"2026-11-23T08:20:01.123456789Z","digest":"","last_failure":{"phase":"run"}}}`,
		"heartbeat": `{` + header + `,"node":"n1","version":"1.0.0"}`,
		"delivery":  `{` + header + `,"detail":{"status":"slow","waiting":1,"dropped":0}}`,
		"log":       `{` + header + `,"level":"loud","message":""}`,
		"handle":    `{` + header + `,"generation":1,"points":{"p":{"type":"int9","access":"r"}}}`,
	}
	for name, payload := range refused {
		schema, err := jsonschema.NewCompiler().Compile(filepath.Join("../../docs/schemas", name+".schema.json"))
		if err != nil {
			t.Fatal(err)
		}
		instance, err := jsonschema.UnmarshalJSON(strings.NewReader(payload))
		if err != nil {
			t.Fatal(err)
		}
		if schema.Validate(instance) == nil {
			t.Errorf("%s took %s", name, payload)
		}
	}
}

// TestClock: while the kernel says that nobody keeps the clock, every message says so.
func TestClock(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	sub := subscribe(t, s.URL(), "drover.n1.boiler.>")
	b := startBridge(t, natsbridge.Config{Server: s, Epoch: "e1", Unsynced: func() bool { return true }})
	for _, say := range []func(){
		func() {
			b.Data("boiler", point.Batch{Device: "d", Seq: 1, Time: at, Readings: []point.Reading{reading(t, "p", 1, at)}})
		},
		func() { b.State("boiler", message.State{State: "connected", Number: 3, Attempt: 1}) },
		func() { b.Event("boiler", "x", nil) },
	} {
		say()
		if m := next(t, sub); !strings.Contains(string(m.Data), `","epoch":"e1","clock":"unsynced",`) {
			t.Errorf("%s: %s", m.Subject, m.Data)
		}
	}
}

// TestPointData: a batch of one point has a subject of its own, which a watch of its device hears as well.
func TestPointData(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	sub := subscribe(t, s.URL(), "drover.n1.boiler.data.pump.*")
	b := startBridge(t, natsbridge.Config{Server: s, Epoch: "e1"})
	watching, stop := context.WithCancel(bounded(t))
	heard := make(chan string, 8)
	ended := make(chan error, 1)
	c := startClient(t, s)
	go func() {
		ended <- c.Watch(watching, client.Filter{Channel: "boiler", Device: "pump", Kinds: []message.Kind{message.KindData}},
			func(m client.Message) error { heard <- m.Device + "/" + m.Point; return nil })
	}()
	publish := func(name string) bool {
		return b.Data("boiler", point.Batch{Device: "pump", Point: name, Seq: 7, Time: at, Readings: []point.Reading{reading(t, "flow", 1, at)}})
	}
	if publish("a.b") || publish("*") {
		t.Error("a point whose name is no token was taken")
	}
	eventually(t, "the watch hears a point", func() bool { publish("flow"); return len(heard) > 0 })
	if got := <-heard; got != "pump/flow" {
		t.Errorf("heard %s", got)
	}
	if m := next(t, sub); m.Subject != "drover.n1.boiler.data.pump.flow" {
		t.Errorf("subject %s", m.Subject)
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestDataIsSplit(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	sub := subscribe(t, s.URL(), "drover.>")
	b := startBridge(t, natsbridge.Config{Server: s})
	if !b.Data("ch", largeBatch(t)) {
		t.Fatal("not taken")
	}
	for i, want := range [][]string{{"a", "b"}, {"c", "d"}, {"e"}, {"e"}} {
		m := next(t, sub)
		if len(m.Data) > 512<<10 {
			t.Errorf("%d bytes", len(m.Data))
		}
		validate(t, "data", m.Data)
		d, err := message.Decode[message.Data](m.Data)
		if err != nil {
			t.Fatal(err)
		}
		if d.Seq != 7 || d.Part != i+1 || d.Parts != 4 || len(d.Points) != len(want) {
			t.Fatalf("part %d of %d with %d points", d.Part, d.Parts, len(d.Points))
		}
		for _, name := range want {
			if _, ok := d.Points[name]; !ok {
				t.Errorf("part %d has no %q", d.Part, name)
			}
		}
	}
}

// largeBatch has more than one message takes.
func largeBatch(t *testing.T) point.Batch {
	t.Helper()
	text := newPoint(t, point.Definition{Name: "text", Device: "d", Scalar: driver.ScalarTypeText})
	word := text.Convert(driver.Sample{Value: someText(strings.Repeat("x", 200<<10))}, at)
	batch := point.Batch{Device: "d", Seq: 7, Time: at}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		word.Name = name
		batch.Readings = append(batch.Readings, word)
	}
	word.Name, word.Time = "e", at.Add(time.Second) // again: an object has each name once
	batch.Readings = append(batch.Readings, word)
	return batch
}

func TestBadNamesAreRefused(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	sub := subscribe(t, s.URL(), "drover.>")
	b := startBridge(t, natsbridge.Config{Server: s})
	for _, channel := range []string{"", "a.b", "a b", "*", ">", "ctl", "get", "handle", strings.Repeat("x", 129)} {
		if b.Data(channel, point.Batch{Device: "d"}) {
			t.Errorf("channel %q was taken", channel)
		}
	}
	for _, device := range []string{"", "_", "a.b", "ü"} {
		if b.Data("ch", point.Batch{Device: device}) {
			t.Errorf("device %q was taken", device)
		}
	}
	b.Event("ch", "a.b", nil)
	b.Event("ch", "ok", func() {}) // no JSON
	b.Event("ch", "ok", json.RawMessage(`1`))
	if m := next(t, sub); string(m.Data[len(m.Data)-12:]) != `,"detail":1}` {
		t.Errorf("got %s %s", m.Subject, m.Data)
	}
	if got := b.Stats().Refused; got != 9+4+2 {
		t.Errorf("%d refused", got)
	}
}
