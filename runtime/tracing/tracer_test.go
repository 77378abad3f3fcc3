package tracing

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.opentelemetry.io/otel/trace"
)

func newRecorder() (*Tracer, *tracetest.SpanRecorder) {
	spans := tracetest.NewSpanRecorder()
	return New(sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(spans)), "plant-1", "1.2.3"), spans
}

// attributes are those of a span as text.
func attributes(s sdktrace.ReadOnlySpan) map[string]string {
	all := map[string]string{}
	for _, a := range s.Attributes() {
		all[string(a.Key)] = a.Value.String()
	}
	return all
}

func TestAttempt(t *testing.T) {
	tracer, spans := newRecorder()
	attempt := tracer.Attempt(Attempt{
		Channel: "boiler", Driver: "modbus", Version: "0.2.0", Digest: "sha256:ab", Attempt: 3, Generation: 2, Takeover: true,
	})
	attempt.Phase("connect").End()
	run := attempt.Phase("run")
	run.Fail("io.reset", "reset by peer")
	run.End()
	attempt.Fail("io.reset", "reset by peer")
	attempt.End()
	ended := spans.Ended()
	if len(ended) != 3 || ended[0].Name() != "connect" || ended[1].Name() != "run" || ended[2].Name() != "attempt" {
		t.Fatalf("spans: %v", ended)
	}
	root := ended[2]
	for _, phase := range ended[:2] {
		if phase.Parent().SpanID() != root.SpanContext().SpanID() || phase.SpanContext().TraceID() != root.SpanContext().TraceID() {
			t.Errorf("%s is no part of the attempt", phase.Name())
		}
	}
	if root.Parent().IsValid() || ended[0].Status().Code == codes.Error {
		t.Errorf("parent %v, connect %v", root.Parent(), ended[0].Status())
	}
	if s := ended[1].Status(); s.Code != codes.Error || s.Description != "reset by peer" || attributes(ended[1])["drover.code"] != "io.reset" {
		t.Errorf("run: %v %v", s, attributes(ended[1]))
	}
	want := map[string]string{
		"drover.node": "plant-1", "drover.channel": "boiler", "drover.driver": "modbus", "drover.version": "0.2.0",
		"drover.digest": "sha256:ab", "drover.attempt": "3", "drover.generation": "2", "drover.takeover": "true",
		"drover.code": "io.reset",
	}
	if diff := cmp.Diff(want, attributes(root)); diff != "" {
		t.Error("-want +got:\n" + diff)
	}
	if scope := root.InstrumentationScope(); scope.Name != Scope || scope.Version != "1.2.3" {
		t.Errorf("scope %v", scope)
	}
}

// TestCommand holds traceparent against W3C Trace Context, 3.2: what is not well-formed begins a new trace.
func TestCommand(t *testing.T) {
	const traceID, spanID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
	for _, tt := range []struct {
		name, parent, state string
		continued           bool
	}{
		{"none", "", "", false},
		{"sampled", "00-" + traceID + "-" + spanID + "-01", "vendor=1", true},
		{"of a later version", "cc-" + traceID + "-" + spanID + "-01-more", "", true},
		{"version ff", "ff-" + traceID + "-" + spanID + "-01", "", false},
		{"upper case", strings.ToUpper("00-" + traceID + "-" + spanID + "-01"), "", false},
		{"no trace", "00-" + strings.Repeat("0", 32) + "-" + spanID + "-01", "", false},
		{"no span", "00-" + traceID + "-" + strings.Repeat("0", 16) + "-01", "", false},
		{"short", "00-" + traceID, "", false},
		{"noise", strings.Repeat("-", 1<<16), strings.Repeat(",", 1<<16), false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tracer, spans := newRecorder()
			arrived := time.Date(2026, 11, 23, 8, 20, 1, 0, time.UTC)
			span := tracer.Command(Command{Verb: "write", Channel: "boiler", Device: "water", Member: "setpoint", Arrived: arrived},
				func(header string) string {
					return map[string]string{"traceparent": tt.parent, "tracestate": tt.state}[header]
				})
			span.Reached("taken", arrived.Add(time.Second))
			span.Reached("never", time.Time{})
			span.End()
			got := spans.Ended()[0]
			continued := got.SpanContext().TraceID().String() == traceID && got.Parent().SpanID().String() == spanID
			if continued != tt.continued || got.Parent().IsValid() != tt.continued || got.SpanContext().TraceState().String() != tt.state && tt.continued {
				t.Errorf("trace %v, parent %v", got.SpanContext(), got.Parent())
			}
			if got.SpanKind() != trace.SpanKindServer || !got.StartTime().Equal(arrived) || len(got.Events()) != 1 {
				t.Errorf("kind %v from %v with %v", got.SpanKind(), got.StartTime(), got.Events())
			}
			if a := attributes(got); a["drover.device"] != "water" || a["drover.member"] != "setpoint" || got.Name() != "write" {
				t.Errorf("%s %v", got.Name(), a)
			}
		})
	}
}

// TestOff: without a provider nothing is made, and nothing allocated.
func TestOff(t *testing.T) {
	tracer := New(nil, "plant-1", "1.2.3")
	get := func(string) string { return "" }
	allocated := testing.AllocsPerRun(100, func() {
		attempt := tracer.Attempt(Attempt{Channel: "boiler"})
		phase := attempt.Phase("run")
		phase.Fail("io.reset", "reset")
		phase.End()
		attempt.End()
		command := tracer.Command(Command{Verb: "write"}, get)
		command.Reached("taken", time.Unix(1, 0))
		command.End()
	})
	if tracer != nil || allocated != 0 {
		t.Errorf("%v: %v allocations", tracer, allocated)
	}
}

func BenchmarkOff(b *testing.B) {
	tracer := New(nil, "plant-1", "1.2.3")
	for b.Loop() {
		attempt := tracer.Attempt(Attempt{Channel: "boiler"})
		attempt.Phase("run").End()
		attempt.End()
	}
}

// FuzzCommand: foreign headers never break anything, and a trace that is continued is one that was sent.
func FuzzCommand(f *testing.F) {
	f.Add("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "a=b,c=d")
	f.Add("00-", "=,=")
	tracer, _ := newRecorder()
	f.Fuzz(func(t *testing.T, parent, state string) {
		span := tracer.Command(Command{Verb: "read"}, func(header string) string {
			return map[string]string{"traceparent": parent, "tracestate": state}[header]
		})
		id := span.span.SpanContext().TraceID().String()
		span.End()
		if p := span.span.(sdktrace.ReadOnlySpan).Parent(); p.IsValid() && !strings.Contains(parent, id) {
			t.Errorf("trace %s of %q", id, parent)
		}
	})
}
