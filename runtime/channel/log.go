package channel

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

const (
	// lineWindow is how long lines are counted: what a second allows is allowed for all of it at once.
	lineWindow = 10 * time.Second
	// flood is how many times what is allowed makes each line that is dropped a strike.
	flood = 10
	// maxFields is how many fields a line may have; maxText is where its text is cut.
	maxFields = 32
	maxText   = 4096
)

// guestLog is the part of the channel's log that a guest writes to: marked as the guest's, and no more lines than the
// rate allows. It is used by the session's goroutine.
type guestLog struct {
	logger  *slog.Logger
	most    int // lines in a window
	begin   time.Time
	lines   int
	dropped int
	counted *atomic.Uint64 // of the channel
}

// Log implements host.Log.
func (s *session) Log(ctx context.Context, level driver.Level, text string, fields []component.Tuple2[string, string]) {
	s.tune()
	fields = fields[:min(len(fields), maxFields)]
	text = s.secrets().Text(text)
	attrs := make([]slog.Attr, len(fields))
	for i, f := range fields {
		attrs[i] = slog.String(cut(f.F0, maxName), cut(s.secrets().Text(f.F1), maxLine))
	}
	s.logged(slogLevel(level), text, attrs)
	s.line(ctx, slogLevel(level), cut(text, maxText), attrs)
}

// output takes the guest's stdout and stderr.
func (s *session) output(line string) {
	s.printed(line)
	s.line(context.Background(), slog.LevelInfo, line, nil)
}

func (s *session) line(ctx context.Context, level slog.Level, text string, attrs []slog.Attr) {
	if s.log.write(ctx, level, text, attrs); s.log.lines > flood*s.log.most {
		s.strike("it floods the log")
	}
}

func (l *guestLog) write(ctx context.Context, level slog.Level, text string, attrs []slog.Attr) {
	now := time.Now()
	if now.Sub(l.begin) >= lineWindow {
		l.count()
		l.begin, l.lines = now, 0
	}
	if l.lines++; l.lines > l.most {
		l.dropped++
		l.counted.Add(1)
		return
	}
	l.logger.LogAttrs(ctx, level, "guest", slog.String("text", text), slog.Attr{Key: "fields", Value: slog.GroupValue(attrs...)})
}

// count says how many lines were dropped since it said so last.
func (l *guestLog) count() {
	if l.dropped > 0 {
		l.logger.Warn("guest log lines dropped", "count", l.dropped)
	}
	l.dropped = 0
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
