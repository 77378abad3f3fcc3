package logs

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

const (
	// maxText and maxField are where texts of a line that is kept are cut, maxFields is how many attributes it has.
	maxText   = 1 << 10
	maxField  = 256
	maxFields = 24
)

// handler is a slog.Handler in front of another, which keeps what it is given in any case.
type handler struct {
	hub  *Hub
	base slog.Handler
	// channel is that of the attribute KeyChannel; nil where there was none so far.
	channel *channel
	// fields are the other attributes so far, prefix is that of the open groups.
	fields map[string]string
	prefix string
}

var _ slog.Handler = (*handler)(nil)

// Enabled implements slog.Handler. The level of a channel that only the line itself names is looked at in Handle.
func (h *handler) Enabled(ctx context.Context, level slog.Level) bool {
	base := h.base.Enabled(ctx, level)
	if h.channel == nil {
		return base || level >= slog.LevelInfo
	}
	return h.channel.enabled(base, level)
}

// WithAttrs implements slog.Handler.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := *h
	next.base, next.fields = h.base.WithAttrs(attrs), maps.Clone(h.fields)
	for _, a := range attrs {
		next.add(a)
	}
	return &next
}

// WithGroup implements slog.Handler.
func (h *handler) WithGroup(name string) slog.Handler {
	next := *h
	next.base = h.base.WithGroup(name)
	next.prefix = join(h.prefix, name)
	return &next
}

// Handle implements slog.Handler.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	base := h.base.Enabled(ctx, r.Level)
	line := *h
	line.fields = maps.Clone(h.fields)
	r.Attrs(func(a slog.Attr) bool {
		line.add(a)
		return true
	})
	if c := line.channel; c != nil {
		if c.enabled(base, r.Level) {
			c.take(line.message(r), r.Time)
		}
		base = c.printed(base, r.Level)
	}
	if !base {
		return nil
	}
	return h.base.Handle(ctx, r)
}

// add takes an attribute: the channel's name, or a field.
func (h *handler) add(a slog.Attr) {
	if a.Key == KeyChannel && h.prefix == "" {
		if c := h.hub.lookup(a.Value.String()); c != nil {
			h.channel = c
			return
		}
	}
	h.field(h.prefix, a)
}

// field flattens an attribute: the members of a group are named after it.
func (h *handler) field(prefix string, a slog.Attr) {
	v := a.Value.Resolve()
	name := join(prefix, a.Key)
	if v.Kind() == slog.KindGroup {
		for _, member := range v.Group() {
			h.field(name, member)
		}
		return
	}
	if h.fields == nil {
		h.fields = make(map[string]string)
	}
	if len(h.fields) < maxFields && a.Key != "" {
		h.fields[cut(name, maxField)] = cut(v.String(), maxField)
	}
}

// message is a line as it is kept and published. A driver's is its text; its fields have their own names.
func (h *handler) message(r slog.Record) message.Log {
	line := message.Log{
		Header: message.Header{TS: message.Time{Time: r.Time}}, Level: LevelName(r.Level),
		Message: cut(r.Message, maxText), Fields: h.fields,
	}
	if r.Message != MessageGuest {
		return line
	}
	line.Guest = true
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == KeyText {
			line.Message = cut(a.Value.String(), maxText)
		}
		return a.Key != KeyText
	})
	delete(line.Fields, KeyText)
	for _, key := range slices.Collect(maps.Keys(line.Fields)) {
		if own, is := strings.CutPrefix(key, KeyFields+"."); is {
			line.Fields[own] = line.Fields[key]
			delete(line.Fields, key)
		}
	}
	return line
}

func join(prefix, name string) string {
	if prefix == "" || name == "" {
		return prefix + name
	}
	return prefix + "." + name
}

// LevelName is the name of a level; what is in between has that of the one below.
func LevelName(l slog.Level) string {
	switch {
	case l < slog.LevelInfo:
		return "debug"
	case l < slog.LevelWarn:
		return "info"
	case l < slog.LevelError:
		return "warn"
	default:
		return "error"
	}
}

// cut shortens a text to n bytes of whole characters.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// Levels are the names of the levels, the least first.
func Levels() []string { return []string{"debug", "info", "warn", "error"} }
