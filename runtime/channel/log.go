package channel

import (
	"context"
	"log/slog"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

const (
	// maxLines is how many lines a guest may log in a window.
	maxLines = 200
	// lineWindow is how long that counts.
	lineWindow = 10 * time.Second
)

// guestLog is the part of the channel's log that a guest writes to: marked as the guest's, and no more lines than the
// rate allows. It is used by the session's goroutine.
type guestLog struct {
	logger  *slog.Logger
	begin   time.Time
	lines   int
	dropped int
}

// Log implements host.Log.
func (s *session) Log(ctx context.Context, level driver.Level, text string, fields []component.Tuple2[string, string]) {
	attrs := make([]slog.Attr, 0, len(fields))
	for _, f := range fields {
		attrs = append(attrs, slog.String(f.F0, f.F1))
	}
	s.log.write(ctx, slogLevel(level), text, attrs)
}

// output takes the guest's stdout and stderr.
func (s *session) output(line string) { s.log.write(context.Background(), slog.LevelInfo, line, nil) }

func (l *guestLog) write(ctx context.Context, level slog.Level, text string, attrs []slog.Attr) {
	now := time.Now()
	if now.Sub(l.begin) >= lineWindow {
		if l.dropped > 0 {
			l.logger.Warn("guest log lines dropped", "count", l.dropped)
		}
		l.begin, l.lines, l.dropped = now, 0, 0
	}
	if l.lines++; l.lines > maxLines {
		l.dropped++
		return
	}
	l.logger.LogAttrs(ctx, level, "guest", slog.String("text", text), slog.Attr{Key: "fields", Value: slog.GroupValue(attrs...)})
}

func slogLevel(l driver.Level) slog.Level {
	switch l {
	case driver.LevelDebug:
		return slog.LevelDebug
	case driver.LevelWarn:
		return slog.LevelWarn
	case driver.LevelError:
		return slog.LevelError
	default:
		return slog.LevelInfo
	}
}
