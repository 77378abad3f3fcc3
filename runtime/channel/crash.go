package channel

import (
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/supervise"
)

// Crash is what is known of a failure whose code counts as a crash.
type Crash struct {
	Record failure.Record
	// Driver is what the driver says of itself; empty for one that could not be loaded.
	Driver driver.Metadata
	// Detail is what the failure itself says besides its summary, such as a stack of ours; often empty.
	Detail string
	// PostMortem is what the instance left; empty where there was none.
	PostMortem module.PostMortem
	// Lines are the last that the driver logged or printed in this attempt, oldest first.
	Lines []Line
	// Started is when the attempt began; zero for a driver that could not be loaded.
	Started time.Time
}

// Line is a line that a driver logged or printed.
type Line struct {
	Time time.Time
	// Printed lines went to stdout or stderr and have no level.
	Printed bool
	Level   slog.Level
	Text    string
}

// NewCrash returns what f says of the crash that r records.
func NewCrash(r failure.Record, f *failure.Failure) Crash {
	left, _ := f.Remains.(module.PostMortem)
	return Crash{Record: r, Detail: f.Detail, PostMortem: left}
}

const (
	// keptLogged and keptPrinted are how many lines of an attempt are kept for a post-mortem. A driver that dies may print
	// the stacks of all that it did.
	keptLogged  = 64
	keptPrinted = 128
	// keptText is where each of them is cut.
	keptText = 1 << 10
)

// lastLines are the last lines of an attempt. Any goroutine may use them: a crash is told of by the supervisor.
type lastLines struct {
	mu      sync.Mutex
	started time.Time
	logged  lineRing
	printed lineRing
}

// reset begins an attempt.
func (l *lastLines) reset(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.started, l.logged, l.printed = now, lineRing{}, lineRing{}
}

func (l *lastLines) add(line Line) {
	line.Text = cut(line.Text, keptText)
	l.mu.Lock()
	defer l.mu.Unlock()
	if line.Printed {
		l.printed.add(line, keptPrinted)
	} else {
		l.logged.add(line, keptLogged)
	}
}

// all returns the lines, oldest first, and when their attempt began.
func (l *lastLines) all() ([]Line, time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := append(l.logged.all(), l.printed.all()...)
	slices.SortStableFunc(lines, func(a, b Line) int { return a.Time.Compare(b.Time) })
	return lines, l.started
}

// lineRing has the last lines of one kind.
type lineRing struct {
	lines []Line
	next  int // the oldest one, when full
}

func (r *lineRing) add(line Line, most int) {
	if len(r.lines) < most {
		r.lines = append(r.lines, line)
		return
	}
	r.lines[r.next] = line
	r.next = (r.next + 1) % most
}

func (r *lineRing) all() []Line { return slices.Concat(r.lines[r.next:], r.lines[:r.next]) }

// printed keeps a line that the driver printed, logged one that it logged.
func (s *session) printed(text string) {
	s.lines.add(Line{Time: time.Now(), Printed: true, Text: text})
}

func (s *session) logged(level slog.Level, text string, attrs []slog.Attr) {
	for _, a := range attrs {
		text += " " + a.String()
	}
	s.lines.add(Line{Time: time.Now(), Level: level, Text: s.secrets().Text(text)})
}

// crashed tells of a crash of the attempt.
func (c *Channel) crashed(r failure.Record, f *failure.Failure) {
	crash := NewCrash(r, f)
	if s := c.attempt.Load(); s != nil {
		crash.Driver = s.edition().Module.Metadata()
		crash.Lines, crash.Started = s.lines.all()
	}
	c.config.Sink.Crashed(crash)
}

func (o *observer) Backoff(w supervise.Wait) { o.config.Sink.Backoff(w) }

func (o *observer) Quarantined(c supervise.CrashLoop) {
	o.counts.quarantines.Add(1)
	o.config.Sink.Quarantined(c)
}
