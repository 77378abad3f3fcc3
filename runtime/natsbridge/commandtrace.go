package natsbridge

import (
	"net/textproto"

	"github.com/nats-io/nats.go/micro"

	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/tracing"
)

// trace begins the command's span: a part of the caller's trace where its headers have one.
func (j *job) trace(h micro.Headers) {
	tracer := j.calls.bridge.config.Tracer
	if tracer == nil {
		return
	}
	j.span = tracer.Command(tracing.Command{
		Verb: j.verb, Channel: j.channel, Device: j.device, Member: j.name, Arrived: j.arrived,
	}, func(name string) string {
		if value := h.Get(name); value != "" {
			return value
		}
		return h.Get(textproto.CanonicalMIMEHeaderKey(name)) // from callers whose headers are those of HTTP
	})
}

// traced ends it, with what the caller was told.
func (j *job) traced(told *message.Error) {
	j.span.Reached("taken by the driver", j.taken)
	if told != nil {
		j.span.Fail(told.Code, told.Message)
	}
	j.span.End()
}
