package tracing

import (
	"context"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/trace"
)

// Scope is the name of the instrumentation.
const Scope = "github.com/droverhq/drover"

// The attributes of spans.
const (
	KeyNode       = attribute.Key("drover.node")
	KeyChannel    = attribute.Key("drover.channel")
	KeyDevice     = attribute.Key("drover.device")
	KeyMember     = attribute.Key("drover.member")
	KeyDriver     = attribute.Key("drover.driver")
	KeyVersion    = attribute.Key("drover.version")
	KeyDigest     = attribute.Key("drover.digest")
	KeyAttempt    = attribute.Key("drover.attempt")
	KeyGeneration = attribute.Key("drover.generation")
	KeyTakeover   = attribute.Key("drover.takeover")
	KeyCode       = attribute.Key("drover.code")
)

// Tracer makes spans. A nil Tracer makes none.
type Tracer struct {
	tracer trace.Tracer
	node   string
}

// New returns the tracer of a node with a provider; nil for none.
func New(p trace.TracerProvider, node, version string) *Tracer {
	if p == nil {
		return nil
	}
	return &Tracer{p.Tracer(Scope, trace.WithInstrumentationVersion(version)), node}
}

// Attempt is what is known of an attempt when it begins.
type Attempt struct {
	Channel, Driver, Version, Digest string
	Attempt, Generation              uint64
	Takeover                         bool
}

// Attempt begins the span of an attempt: a root.
func (t *Tracer) Attempt(a Attempt) Span {
	if t == nil {
		return Span{}
	}
	return t.start(context.Background(), "attempt", trace.WithNewRoot(), trace.WithAttributes(
		KeyNode.String(t.node), KeyChannel.String(a.Channel), KeyDriver.String(a.Driver), KeyVersion.String(a.Version),
		KeyDigest.String(a.Digest), KeyAttempt.Int64(int64(a.Attempt)), KeyGeneration.Int64(int64(a.Generation)),
		KeyTakeover.Bool(a.Takeover),
	))
}

// Command is what is known of a command when it arrives.
type Command struct {
	Verb, Channel, Device, Member string
	Arrived                       time.Time
}

// Command begins the span of a command, as a part of the caller's trace where get finds one: it returns the headers of
// the call by name (W3C Trace Context: traceparent, tracestate).
func (t *Tracer) Command(c Command, get func(header string) string) Span {
	if t == nil {
		return Span{}
	}
	ctx := propagation.TraceContext{}.Extract(context.Background(), headers(get))
	return t.start(ctx, c.Verb, trace.WithSpanKind(trace.SpanKindServer), trace.WithTimestamp(c.Arrived), trace.WithAttributes(
		KeyNode.String(t.node), KeyChannel.String(c.Channel), KeyDevice.String(c.Device), KeyMember.String(c.Member),
	))
}

func (t *Tracer) start(ctx context.Context, name string, options ...trace.SpanStartOption) Span {
	ctx, span := t.tracer.Start(ctx, name, options...)
	return Span{tracer: t, ctx: ctx, span: span}
}

// Span is a span; the zero value is none, and everything done to it nothing. Any goroutine may use it.
type Span struct {
	tracer *Tracer
	ctx    context.Context
	span   trace.Span
}

// Phase begins a span within an attempt's.
func (s Span) Phase(name string) Span {
	if s.span == nil {
		return Span{}
	}
	return s.tracer.start(s.ctx, name)
}

// Reached notes that something happened at a time.
func (s Span) Reached(event string, at time.Time) {
	if s.span != nil && !at.IsZero() {
		s.span.AddEvent(event, trace.WithTimestamp(at))
	}
}

// Fail says that it failed, with a code of ours and a summary.
func (s Span) Fail(code, summary string) {
	if s.span != nil {
		s.span.SetAttributes(KeyCode.String(code))
		s.span.SetStatus(codes.Error, summary)
	}
}

// End ends it.
func (s Span) End() {
	if s.span != nil {
		s.span.End()
	}
}

// headers are those of a call.
type headers func(string) string

var _ propagation.TextMapCarrier = headers(nil)

// Get implements propagation.TextMapCarrier.
func (h headers) Get(key string) string { return h(key) }

// Set implements propagation.TextMapCarrier: answers carry no trace.
func (h headers) Set(string, string) {}

// Keys implements propagation.TextMapCarrier.
func (h headers) Keys() []string { return nil }
