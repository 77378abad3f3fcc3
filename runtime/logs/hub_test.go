package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// newHub returns a hub in front of a text log from info on, without times.
func newHub(channels ...string) (*Hub, *bytes.Buffer) {
	var out bytes.Buffer
	return New(slog.NewTextHandler(&out, &slog.HandlerOptions{
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}), channels...), &out
}

func linesOf(t *testing.T, h *Hub, channel string) []message.Log {
	t.Helper()
	lines, err := h.Tail(channel)
	if err != nil {
		t.Fatal(err)
	}
	return lines
}

func TestLinesOfAChannel(t *testing.T) {
	h, out := newHub("boiler", "meter")
	log := h.Logger()
	of := log.With("channel", "boiler").With("attempt", 1)
	of.Info("state", "state", "connected")
	of.WithGroup("fields").Warn("grouped", "code", 7)
	log.Error("by the line itself", "channel", "boiler", "error", errors.New("lost"))
	of.LogAttrs(context.Background(), slog.LevelInfo, MessageGuest,
		slog.String(KeyText, "hello"), slog.Attr{Key: KeyFields, Value: slog.GroupValue(slog.Int("n", 3), slog.Int("attempt", 9))})
	of.Debug("nobody wants it")
	log.Info("of the node")
	log.Info("of a channel that there is not", "channel", "nowhere")
	want := []message.Log{
		{Seq: 1, Level: "info", Message: "state", Fields: map[string]string{"attempt": "1", "state": "connected"}},
		{Seq: 2, Level: "warn", Message: "grouped", Fields: map[string]string{"attempt": "1", "fields.code": "7"}},
		{Seq: 3, Level: "error", Message: "by the line itself", Fields: map[string]string{"error": "lost"}},
		{Seq: 4, Level: "info", Message: "hello", Guest: true, Fields: map[string]string{"attempt": "9", "n": "3"}},
	}
	if diff := cmp.Diff(want, linesOf(t, h, "boiler"), cmpopts.IgnoreFields(message.Header{}, "TS")); diff != "" {
		t.Error("-want +got:\n" + diff)
	}
	if got := linesOf(t, h, "meter"); len(got) != 0 {
		t.Errorf("another channel has %v", got)
	}
	const text = `level=INFO msg=state channel=boiler attempt=1 state=connected
level=WARN msg=grouped channel=boiler attempt=1 fields.code=7
level=ERROR msg="by the line itself" channel=boiler error=lost
level=INFO msg=guest channel=boiler attempt=1 text=hello fields.n=3 fields.attempt=9
level=INFO msg="of the node"
level=INFO msg="of a channel that there is not" channel=nowhere
`
	if diff := cmp.Diff(text, out.String()); diff != "" {
		t.Error("what is behind the hub gets other lines (-want +got):\n" + diff)
	}
}

// A channel's level is its own from the moment it is set, up and down; the last lines have info and above all the same.
func TestLevels(t *testing.T) {
	h, out := newHub("boiler", "meter")
	boiler, meter := h.Logger().With("channel", "boiler"), h.Logger().With("channel", "meter")
	all := func() {
		for _, log := range []*slog.Logger{boiler, meter} {
			log.Debug("fine")
			log.Info("usual")
			log.Error("bad")
		}
	}
	for _, step := range []struct {
		do     func() error
		level  string
		own    bool
		boiler string
		kept   int
	}{
		{func() error { return nil }, "info", false, "usual bad", 2},
		{func() error { return h.SetLevel("boiler", slog.LevelDebug) }, "debug", true, "fine usual bad", 3},
		{func() error { return h.SetLevel("boiler", slog.LevelError) }, "error", true, "bad", 2},
		{func() error { return h.ResetLevel("boiler") }, "info", false, "usual bad", 2},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		out.Reset()
		before := len(linesOf(t, h, "boiler"))
		all()
		var got []string
		for line := range strings.Lines(out.String()) {
			if strings.Contains(line, "channel=boiler") {
				got = append(got, strings.TrimPrefix(strings.Fields(line)[1], "msg="))
			}
		}
		level, own, err := h.Level("boiler")
		if err != nil || LevelName(level) != step.level || own != step.own {
			t.Errorf("level %v, own %t, %v; want %s, %t", level, own, err, step.level, step.own)
		}
		if text := strings.Join(got, " "); text != step.boiler {
			t.Errorf("at %s: %q is logged, want %q", step.level, text, step.boiler)
		}
		if kept := len(linesOf(t, h, "boiler")) - before; kept != step.kept {
			t.Errorf("at %s: %d lines are kept, want %d", step.level, kept, step.kept)
		}
		if strings.Count(out.String(), "channel=meter") != 2 {
			t.Errorf("at %s another channel's lines changed:\n%s", step.level, out)
		}
	}
}

func TestNoChannel(t *testing.T) {
	h, _ := newHub("boiler")
	_, tailErr := h.Tail("x")
	_, _, levelErr := h.Level("x")
	for i, err := range []error{tailErr, levelErr, h.SetLevel("x", 0), h.ResetLevel("x"), h.Follow("x", time.Now())} {
		if !errors.Is(err, ErrNoChannel) || !strings.Contains(err.Error(), "boiler") {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// Lines are published while somebody follows and no longer, and numbered so that what is missed is seen.
func TestFollow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h, _ := newHub("boiler")
		var got []uint64
		h.Publish(func(channel string, line message.Log) { got = append(got, line.Seq) })
		log := h.Logger().With("channel", "boiler")
		follow := func(d time.Duration) {
			if err := h.Follow("boiler", time.Now().Add(d)); err != nil {
				t.Fatal(err)
			}
		}
		log.Info("before anybody follows") // 1
		follow(10 * time.Second)
		log.Info("followed") // 2
		time.Sleep(9 * time.Second)
		follow(time.Second / 2) // does not shorten
		time.Sleep(time.Second - time.Millisecond)
		log.Info("still") // 3
		time.Sleep(time.Millisecond)
		log.Info("over") // 4
		follow(10 * time.Second)
		log.Info("again") // 5
		h.Publish(nil)
		log.Info("after the end") // 6
		if diff := cmp.Diff([]uint64{2, 3, 5}, got); diff != "" {
			t.Error("-want +got:\n" + diff)
		}
		if n := len(linesOf(t, h, "boiler")); n != 6 {
			t.Errorf("%d lines are kept", n)
		}
	})
}

// Whatever a driver logs, what is kept of it is bounded.
func TestBounds(t *testing.T) {
	h := New(slog.DiscardHandler, "many", "large")
	many, large := h.Logger().With("channel", "many"), h.Logger().With("channel", "large")
	for range 3 * keptLines {
		many.Info("short")
	}
	if lines := linesOf(t, h, "many"); len(lines) != keptLines || lines[0].Seq != 2*keptLines+1 {
		t.Errorf("%d lines, the first is %d", len(lines), lines[0].Seq)
	}
	long := strings.Repeat("é", maxText)
	var attrs []any
	for i := range 100 {
		attrs = append(attrs, fmt.Sprint(i, long), long)
	}
	for range 2 * keptLines {
		large.Info(long, attrs...)
	}
	bytes := 0
	lines := linesOf(t, h, "large")
	for _, l := range lines {
		bytes += size(l)
		if len(l.Message) > maxText || len(l.Fields) > maxFields {
			t.Fatalf("a line has %d bytes and %d fields", len(l.Message), len(l.Fields))
		}
	}
	if bytes > keptBytes || len(lines) < 2 {
		t.Errorf("%d lines of %d bytes are kept", len(lines), bytes)
	}
}

// Everything at once, for the race detector.
func TestHammer(t *testing.T) {
	var lock sync.Mutex
	heard := map[uint64]bool{}
	h := New(slog.DiscardHandler, "boiler")
	h.Publish(func(_ string, line message.Log) {
		lock.Lock()
		defer lock.Unlock()
		if heard[line.Seq] {
			t.Errorf("line %d twice", line.Seq)
		}
		heard[line.Seq] = true
	})
	if err := h.Follow("boiler", time.Now().Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			log := h.Logger().With("channel", "boiler")
			for i := range 200 {
				log.Info("line", "count", i)
				_ = h.SetLevel("boiler", slog.LevelDebug)
				_, _ = h.Tail("boiler")
				_ = h.ResetLevel("boiler")
			}
		})
	}
	all.Wait()
	if len(heard) != 800 {
		t.Errorf("%d of 800 lines were published", len(heard))
	}
}

// A line that nobody wants costs nothing.
func TestUnwantedLinesDoNotAllocate(t *testing.T) {
	h, _ := newHub("boiler")
	log := h.Logger().With("channel", "boiler")
	if n := testing.AllocsPerRun(100, func() { log.Debug("fine") }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Channels come and go: a logger that is made for one that is there has its lines kept.
func TestChannelsComeAndGo(t *testing.T) {
	h, _ := newHub("boiler")
	h.Logger().Info("one", "channel", "boiler")
	h.Add("boiler", "meter")
	h.Logger().With("channel", "meter").Info("two")
	if lines := linesOf(t, h, "boiler"); len(lines) != 1 {
		t.Errorf("adding it again has lost its lines: %v", lines)
	}
	if lines := linesOf(t, h, "meter"); len(lines) != 1 || lines[0].Message != "two" {
		t.Errorf("the new one has %v", lines)
	}
	old := h.Logger().With("channel", "boiler")
	h.Remove("boiler")
	old.Info("three")
	if _, err := h.Tail("boiler"); !errors.Is(err, ErrNoChannel) {
		t.Errorf("the removed one: %v", err)
	}
	h.Add("boiler")
	if lines := linesOf(t, h, "boiler"); len(lines) != 0 {
		t.Errorf("another of the name has %v", lines)
	}
}
