package natsbridge_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
)

var at = time.Date(2026, 11, 23, 9, 20, 1, 123456789, time.FixedZone("CET", 3600))

// TestMessages says everything that a channel can say, and compares what a plain subscriber gets with the contract.
func TestMessages(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	sub := subscribe(t, s.URL(), "drover.>")
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
	for name, payload := range map[string]string{
		"data":    `{` + header + `,"seq":1,"points":{"p":{}}}`,
		"state":   `{` + header + `,"state":"asleep","number":9,"attempt":1,"generation":1}`,
		"device":  `{` + header + `,"status":"online","gauges":{"x":"1"}}`,
		"failure": `{` + header + `,"detail":{"phase":"run"}}`,
		"event":   `{"ts":"2026-11-23T08:20:01Z","epoch":"e1"}`,
		"log":     `{` + header + `,"level":"loud","message":""}`,
		"handle":  `{` + header + `,"generation":1,"points":{"p":{"type":"int9","access":"r"}}}`,
	} {
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
	files, err := os.ReadDir("../../docs/schemas")
	if err != nil || len(files) != 7 {
		t.Errorf("%d schemas, %v", len(files), err)
	}
}

func TestDataIsSplit(t *testing.T) {
	s := startServer(t, "127.0.0.1:0")
	sub := subscribe(t, s.URL(), "drover.>")
	b := startBridge(t, natsbridge.Config{Server: s})
	text := newPoint(t, point.Definition{Name: "text", Device: "d", Scalar: driver.ScalarTypeText})
	word := text.Convert(driver.Sample{Value: someText(strings.Repeat("x", 200<<10))}, at)
	batch := point.Batch{Device: "d", Seq: 7, Time: at}
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		word.Name = name
		batch.Readings = append(batch.Readings, word)
	}
	word.Name, word.Time = "e", at.Add(time.Second) // again: an object has each name once
	batch.Readings = append(batch.Readings, word)
	if !b.Data("ch", batch) {
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
