package sdk

import (
	"context"
	"log/slog"
	"slices"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

type field = component.Tuple2[string, string]

// logHandler lowers records to the contract's log. Groups become prefixes: "group.key".
type logHandler struct {
	host   Host
	prefix string
	fields []field
}

func (h *logHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *logHandler) Handle(_ context.Context, r slog.Record) error {
	fields := slices.Clip(h.fields)
	r.Attrs(func(a slog.Attr) bool {
		fields = appendAttr(fields, h.prefix, a)
		return true
	})
	h.host.Log(levelOf(r.Level), clean(r.Message), fields)
	return nil
}

func (h *logHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.fields = slices.Clip(h.fields)
	for _, a := range attrs {
		next.fields = appendAttr(next.fields, h.prefix, a)
	}
	return &next
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	next := *h
	next.prefix += name + "."
	return &next
}

func appendAttr(fields []field, prefix string, a slog.Attr) []field {
	v := a.Value.Resolve()
	if v.Kind() != slog.KindGroup {
		if a.Key == "" {
			return fields
		}
		return append(fields, field{F0: clean(prefix + a.Key), F1: clean(v.String())})
	}
	if a.Key != "" {
		prefix += a.Key + "."
	}
	for _, member := range v.Group() {
		fields = appendAttr(fields, prefix, member)
	}
	return fields
}

func levelOf(l slog.Level) driver.Level {
	switch {
	case l < slog.LevelInfo:
		return driver.LevelDebug
	case l < slog.LevelWarn:
		return driver.LevelInfo
	case l < slog.LevelError:
		return driver.LevelWarn
	}
	return driver.LevelError
}
