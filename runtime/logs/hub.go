package logs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// ErrNoChannel is the error for a channel that the hub does not have.
var ErrNoChannel = errors.New("no such channel")

// Hub is a node's log by channel. Its methods may be called from any goroutine; none blocks.
type Hub struct {
	base    slog.Handler
	publish atomic.Pointer[func(channel string, line message.Log)]

	mu       sync.RWMutex
	channels map[string]*channel
}

// New returns a hub in front of a handler, for the channels of these names.
func New(base slog.Handler, channels ...string) *Hub {
	h := &Hub{base: base, channels: make(map[string]*channel, len(channels))}
	h.Add(channels...)
	return h
}

// Add has channels in the hub from now on; one that is there already stays as it is. Loggers that were given the name
// before know nothing of it: who has them asks Logger again.
func (h *Hub) Add(channels ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range channels {
		if h.channels[name] == nil {
			h.channels[name] = &channel{name: name, hub: h}
		}
	}
}

// Remove takes channels out, with what is kept of them. A line that is logged for one all the same is kept nowhere.
func (h *Hub) Remove(channels ...string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, name := range channels {
		delete(h.channels, name)
	}
}

// Logger returns a logger whose lines go through the hub.
func (h *Hub) Logger() *slog.Logger { return slog.New(&handler{hub: h, base: h.base}) }

// Publish has f take the lines of channels that are followed, on the goroutine that logs: f must not block, and must not
// log for a channel. nil ends it.
func (h *Hub) Publish(f func(channel string, line message.Log)) {
	if f == nil {
		h.publish.Store(nil)
		return
	}
	h.publish.Store(&f)
}

// Tail returns the last lines of a channel, oldest first.
func (h *Hub) Tail(name string) ([]message.Log, error) {
	c, err := h.channel(name)
	if err != nil {
		return nil, err
	}
	return c.tail.all(), nil
}

// Follow has the lines of a channel published until a time; one that is later than all before prolongs it. Nothing is
// published to nobody: whoever follows renews it.
func (h *Hub) Follow(name string, until time.Time) error {
	c, err := h.channel(name)
	if err != nil {
		return err
	}
	for {
		was := c.until.Load()
		if was >= until.UnixNano() || c.until.CompareAndSwap(was, until.UnixNano()) {
			return nil
		}
	}
}

// SetLevel sets from which level on the lines of a channel are logged. It lasts as long as the hub; ResetLevel gives back
// the node's.
func (h *Hub) SetLevel(name string, level slog.Level) error {
	c, err := h.channel(name)
	if err == nil {
		c.level.Store(&level)
	}
	return err
}

// ResetLevel has a channel follow the node's level again.
func (h *Hub) ResetLevel(name string) error {
	c, err := h.channel(name)
	if err == nil {
		c.level.Store(nil)
	}
	return err
}

// Level returns the level of a channel, and whether it has one of its own.
func (h *Hub) Level(name string) (level slog.Level, own bool, err error) {
	c, err := h.channel(name)
	if err != nil {
		return 0, false, err
	}
	if set := c.level.Load(); set != nil {
		return *set, true, nil
	}
	return least(h.base), false, nil
}

func (h *Hub) channel(name string) (*channel, error) {
	h.mu.RLock()
	defer h.mu.RUnlock()
	c, ok := h.channels[name]
	if !ok {
		return nil, fmt.Errorf("%w: %q of %s", ErrNoChannel, name, strings.Join(slices.Sorted(maps.Keys(h.channels)), ", "))
	}
	return c, nil
}

// lookup is channel without the words: nil for one that is not there.
func (h *Hub) lookup(name string) *channel {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.channels[name]
}

// least is the lowest of the usual levels that a handler takes.
func least(h slog.Handler) slog.Level {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn} {
		if h.Enabled(context.Background(), level) {
			return level
		}
	}
	return slog.LevelError
}
