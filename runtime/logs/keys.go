package logs

import "log/slog"

// KeyChannel is the attribute by which a line belongs to a channel.
const KeyChannel = "channel"

// KeyText and KeyFields are what a driver logged: such a line has the message MessageGuest.
const (
	MessageGuest = "guest"
	KeyText      = "text"
	KeyFields    = "fields"
)

// Keys returns every attribute that a line of a node may have, besides time, level and msg, which are slog's. They are
// stable: what reads a log may rely on them. A driver's own attributes are in the group KeyFields.
func Keys() []string {
	return []string{
		slog.TimeKey, slog.LevelKey, slog.MessageKey,
		"address", "after", "answer", "attempt", "by", "call", KeyChannel, "channels", "check", "code", "component",
		"connection", "count", "digest", "duration", "endpoint", "epoch", "error", KeyFields, "file", "from", "gap",
		"kind", "line", "missing", "mode", "module", "modules", "name", "panic", "pending", "phase", "problem",
		"reason", "result", "role", "since", "source", "stack", "state", "stream", "streams", "subject", "summary",
		"suppressed", KeyText, "to", "url", "verb",
	}
}
