//go:build linux || darwin

package drover_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/runtime/natsbridge/dial"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// observed has a channel that works, one that fails again and again, and one that has no driver.
const observed = `
  lab:
    driver: testdriver.wasm
    settings: {status: online, log: ["info hello", "debug fine"]}
    every: 20ms
    devices: {pump: {points: {count: {address: 1, type: uint8, access: rw}}}}
  flaky:
    driver: testdriver.wasm
    settings: {run: "io:reset", cycle: 1}
    retry: {initial: 20ms, max: 50ms}
    every: 20ms
    devices: {pump: {points: {count: {address: 1, type: uint8}}}}
  broken:
    driver: nowhere.wasm
    devices: {}
`

// observability looks at a running node as those who run it do: by HTTP, by its log, by its spans.
func (r *rig) observability(t *testing.T) {
	c := r.config(t, "{embedded: {listen: 127.0.0.1:0}}", observed)
	c.HTTP.Listen = "127.0.0.1:0"
	spans := tracetest.NewSpanRecorder()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	n, err := drover.Start(ctx, c, drover.Options{
		Logger: slog.New(slog.DiscardHandler), Version: "1.2.3",
		TracerProvider: sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)),
	})
	if err != nil {
		t.Fatal(err)
	}
	conn := connect(t, n.URL(), admin(t, c.Data)...)
	o := operator{conn, t}
	o.until("lab.read.pump.count", "")
	o.scrapes(n.HTTP())
	o.logs()
	o.traced(spans)
	o.taken(r, n.HTTP())
	stop(t, n)
	if conn, err := net.DialTimeout("tcp", n.HTTP(), patience); err == nil {
		t.Errorf("HTTP is answered after the end: %v", conn.Close())
	}
	http.DefaultClient.CloseIdleConnections()
}

// get is what HTTP answers.
func get(t *testing.T, url string) (int, string) {
	t.Helper()
	answer, err := http.Get(url) //nolint:noctx // it is answered by this process
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(body)
}

func (o operator) scrapes(address string) {
	t := o.t
	t.Helper()
	if code, body := get(t, "http://"+address+"/healthz"); code != 200 || body != "ok\n" {
		t.Errorf("/healthz: %d %s", code, body)
	}
	if code, body := get(t, "http://"+address+"/readyz"); code != 503 || body != "channel broken has not started: io.not-found\n" {
		t.Errorf("/readyz: %d %s", code, body)
	}
	if code, _ := get(t, "http://"+address+"/other"); code != 404 {
		t.Errorf("/other: %d", code)
	}
	wanted := []string{
		`drover_build_info{abi="0.1.0",version="1.2.3"} 1`, `drover_channel_state{channel="lab"} 3`,
		`drover_channel_state{channel="broken"} 5`, `drover_channel_devices{channel="lab",status="online"} 1`,
		`drover_channel_points_total{channel="lab",quality="good"} [1-9]`, `drover_channel_polls_total{channel="lab"} [1-9]`,
		`drover_channel_failures_total{channel="flaky",code="io.reset",phase="run"} [1-9]`,
		`drover_channel_failures_total{channel="broken",code="io.not-found",phase="describe"} 1`,
		`drover_channel_cpu_seconds_total{channel="lab"} [0-9.e-]*[1-9]`, `drover_channel_memory_bytes{channel="lab"} [1-9]`,
		`drover_calls_total{code="ok",verb="read"} [1-9]`, `drover_nats_connected 1`,
		`drover_nats_publish_seconds_count [1-9]`, `drover_stream_acked_total{stream="events"} [1-9]`, `go_goroutines [1-9]`,
	}
	var body string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); {
		if _, body = get(t, "http://"+address+"/metrics"); len(missing(body, wanted)) == 0 {
			return
		}
		o.until("lab.read.pump.count", "")
	}
	t.Errorf("%v missing in:\n%s", missing(body, wanted), body)
}

func missing(body string, wanted []string) []string {
	var out []string
	for _, w := range wanted {
		w = strings.NewReplacer(`{`, `\{`, `}`, `\}`).Replace(w)
		if !regexp.MustCompile("(?m)^" + w).MatchString(body) {
			out = append(out, w)
		}
	}
	return out
}

// logs follows a channel's log: what there is, what comes while it is asked for, and its level.
func (o operator) logs() {
	t := o.t
	t.Helper()
	lines := listenOn(t, o.conn, "drover.n1.lab.log")
	var kept message.Logs
	ask(t, o.conn, "drover-call.n1.get.logs", `{"channel":"lab"}`, &kept)
	if _, found := lineOf(kept.Lines, "hello"); !found || !kept.Until.IsZero() {
		t.Errorf("the last lines are %v until %v", kept.Lines, kept.Until)
	}
	if _, found := lineOf(kept.Lines, "fine"); found {
		t.Error("a line for debugging is kept")
	}
	var level message.LogLevel
	ask(t, o.conn, "drover-call.n1.ctl.log-level", `{"channel":"lab","level":"debug"}`, &level)
	if level != (message.LogLevel{Channel: "lab", Level: "debug", Own: true}) {
		t.Errorf("level %v", level)
	}
	ask(t, o.conn, "drover-call.n1.get.logs", `{"channel":"lab","follow":true}`, &kept)
	o.body("ctl.restart", `{"channel":"lab"}`)
	last := kept.Lines[len(kept.Lines)-1].Seq
	for m := range lines {
		line, err := message.Decode[message.Log](m.Data)
		if err != nil {
			t.Fatal(err)
		}
		published(t, m.Subject, m.Data)
		if line.Seq != last+1 {
			t.Errorf("line %d after %d", line.Seq, last)
		}
		if last = line.Seq; line.Message == "fine" {
			if !line.Guest || line.Level != "debug" || line.Epoch != kept.Epoch {
				t.Errorf("line %s", m.Data)
			}
			return
		}
	}
	t.Error("the debug line never came")
}

func lineOf(lines []message.Log, text string) (message.Log, bool) {
	for _, l := range lines {
		if l.Message == text {
			return l, true
		}
	}
	return message.Log{}, false
}

// listenOn gives what comes on a subject, until patience is over.
func listenOn(t *testing.T, conn *nats.Conn, subject string) func(func(*nats.Msg) bool) {
	t.Helper()
	sub, err := conn.SubscribeSync(subject)
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(*nats.Msg) bool) {
		for {
			m, err := sub.NextMsg(patience)
			if err != nil || !yield(m) {
				return
			}
		}
	}
}

// traced continues a caller's trace, and finds the attempts with their phases.
func (o operator) traced(spans *tracetest.SpanRecorder) {
	t := o.t
	t.Helper()
	const traceID, spanID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	o.until("lab.read.pump.count", "")
	m := nats.NewMsg("drover-call.n1.lab.write.pump.count")
	m.Data = []byte("7")
	m.Header.Set("traceparent", "00-"+traceID+"-"+spanID+"-01")
	if _, err := o.conn.RequestMsg(m, patience); err != nil {
		t.Fatal(err)
	}
	found := map[string]bool{}
	for deadline := time.Now().Add(patience); len(found) < 4 && time.Now().Before(deadline); {
		for _, s := range spans.Ended() {
			switch {
			case s.SpanContext().TraceID().String() == traceID:
				found["command"] = s.Name() == "write" && s.Parent().SpanID().String() == spanID
			case s.Name() == "connect" || s.Name() == "run" || s.Name() == "attempt":
				found[s.Name()] = true
			}
		}
		o.until("lab.read.pump.count", "")
	}
	for _, name := range []string{"command", "connect", "run", "attempt"} {
		if !found[name] {
			t.Errorf("no span %s of %v", name, found)
		}
	}
}

// taken starts a second node on the first one's address: it says so, and nothing of it starts.
func (o operator) taken(r *rig, address string) {
	t := o.t
	t.Helper()
	c := r.config(t, "{embedded: {listen: 127.0.0.1:0}}", observed)
	c.HTTP.Listen = address
	started := time.Now()
	_, err := drover.Start(t.Context(), c, drover.Options{})
	if err == nil || !strings.Contains(err.Error(), "http.listen: listen tcp "+address) {
		t.Errorf("after %s: %v", time.Since(started), err)
	}
}

// admin is the way in for those who may do everything.
func admin(t *testing.T, data string) []nats.Option {
	t.Helper()
	c, err := dial.ReadContext(filepath.Join(data, "credentials", "admin.json"))
	if err != nil {
		t.Fatal(err)
	}
	var credentials dial.Credentials
	c.Fill(&credentials)
	options, err := credentials.Options()
	if err != nil {
		t.Fatal(err)
	}
	return append(options, nats.CustomInboxPrefix(c.InboxPrefix))
}
