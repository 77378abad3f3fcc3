package logs

import (
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

const (
	// keptLines and keptBytes bound what is kept of a channel's log.
	keptLines = 200
	keptBytes = 128 << 10
)

// channel is the log of one channel.
type channel struct {
	name  string
	hub   *Hub
	level atomic.Pointer[slog.Level] // nil: the node's
	until atomic.Int64               // it is followed until then, in Unix nanoseconds
	tail  tail
}

// printed says whether a line of this level goes to the node's log.
func (c *channel) printed(base bool, level slog.Level) bool {
	if own := c.level.Load(); own != nil {
		return level >= *own
	}
	return base
}

// enabled says whether anybody wants a line of this level: the last lines from info on are always kept.
func (c *channel) enabled(base bool, level slog.Level) bool {
	return level >= slog.LevelInfo || c.printed(base, level)
}

// take keeps a line, and publishes it while somebody follows.
func (c *channel) take(line message.Log, at time.Time) {
	line = c.tail.add(line)
	publish := c.hub.publish.Load()
	if publish != nil && at.UnixNano() < c.until.Load() {
		(*publish)(c.name, line)
	}
}

// tail has the last lines.
type tail struct {
	mu    sync.Mutex
	lines []message.Log
	bytes int
	seq   uint64
}

// add numbers a line and keeps it.
func (t *tail) add(line message.Log) message.Log {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.seq++
	line.Seq = t.seq
	t.lines = append(t.lines, line)
	t.bytes += size(line)
	drop := 0
	for len(t.lines)-drop > keptLines || t.bytes > keptBytes && drop < len(t.lines)-1 {
		t.bytes -= size(t.lines[drop])
		drop++
	}
	t.lines = append(t.lines[:0], t.lines[drop:]...)
	return line
}

// all returns a copy, oldest first.
func (t *tail) all() []message.Log {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]message.Log{}, t.lines...)
}

// lineBytes is what a line costs besides its texts.
const lineBytes = 160

func size(l message.Log) int {
	n := lineBytes + len(l.Message)
	for k, v := range l.Fields {
		n += len(k) + len(v)
	}
	return n
}
