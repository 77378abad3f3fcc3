package channel

import (
	"context"
	"errors"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/supervise"
	"github.com/droverhq/drover/runtime/tracing"
)

// trace begins the span of an attempt.
func (c *Channel) trace(e *edition, ctx *supervise.Context) tracing.Span {
	if c.config.Tracer == nil {
		return tracing.Span{}
	}
	metadata := e.Module.Metadata()
	return c.config.Tracer.Attempt(tracing.Attempt{
		Channel: c.config.Name, Driver: metadata.Name, Version: metadata.Version, Digest: e.Module.Digest(),
		Attempt: ctx.Attempt(), Generation: ctx.Generation(), Takeover: ctx.Takeover(),
	})
}

// traced ends the span of a phase. What failed it failed the attempt; to be stopped is no failure.
func (s *session) traced(phase tracing.Span, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		code, summary := string(failure.DriverOther), s.forPeople(err.Error())
		if f, ok := errors.AsType[*failure.Failure](err); ok {
			code, summary = string(f.Code), f.Summary
		}
		phase.Fail(code, summary)
		s.span.Fail(code, summary)
	}
	phase.End()
}
