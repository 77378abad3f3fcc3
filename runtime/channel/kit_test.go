package channel

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
)

// The tests of package channel have the parts, without a driver; those of package channel_test have whole channels.

// sink keeps what the parts of a channel say, as lines.
type sink struct {
	mu    sync.Mutex // what is repeated comes from a timer
	lines []string
}

var _ Sink = (*sink)(nil)

func (s *sink) Data(b point.Batch) {
	line := "data " + b.Device
	if b.Point != "" {
		line += "." + b.Point
	}
	line += fmt.Sprint(" ", b.Seq)
	for _, r := range b.Readings {
		value, _ := r.Value.MarshalJSON()
		line += fmt.Sprintf(" %s=%.40s", r.Name, value)
		if r.Quality != driver.QualityGood {
			line += fmt.Sprintf(":%s:%s", r.Quality, r.Code)
		}
	}
	s.say(line)
}

func (s *sink) say(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

func (s *sink) Device(d point.DeviceState) {
	s.say(fmt.Sprintf("device %s %s %q %v", d.Device, d.Status, d.Reason, d.Gauges))
}

func (s *sink) State(supervise.Snapshot)              {}
func (s *sink) Failure(failure.Record)                {}
func (s *sink) Crashed(Crash)                         {}
func (s *sink) Quarantined(supervise.CrashLoop)       {}
func (s *sink) Backoff(supervise.Wait)                {}
func (s *sink) Handle(string, uint64, []*point.Point) {}
func (s *sink) Revoke()                               {}
func (s *sink) Removed(device string)                 { s.say("removed " + device) }
func (s *sink) Event(name string, detail any) {
	s.say(fmt.Sprintf("event %s %+v", name, detail))
}

// take returns the lines since the last call.
func (s *sink) take() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	lines := s.lines
	s.lines = nil
	return lines
}

// expect compares what was said since the last call.
func (s *sink) expect(t *testing.T, want ...string) {
	t.Helper()
	if got := s.take(); !slices.Equal(got, want) {
		t.Errorf("said %q, want %q", got, want)
	}
}

// parts is a running session of a channel without a driver.
func parts(t *testing.T, devices ...Device) (*session, *sink) {
	t.Helper()
	out := &sink{}
	c := &Channel{
		config: Config{Name: "boiler", Sink: out, Logger: slog.New(slog.DiscardHandler)},
		queue:  newQueue(),
	}
	e := &edition{codes: map[string]string{"bad-crc": "driver.bad-crc"}}
	if err := c.number(&maker{edition: e}, devices); err != nil {
		t.Fatal(err)
	}
	c.current.Store(newConnector(c, e))
	s := &session{
		channel: c, by: c.current.Load(), commands: newCommands(c.queue), wake: make(chan struct{}, 1), phase: failure.PhaseRun,
	}
	s.signals.asked, s.signals.session = make(chan struct{}), s
	s.log.counted = &c.counts.logDropped
	s.abort = func(error) {}
	s.strikes, s.denials = newStrikes(maxStrikes), newDenials()
	s.progress = bucket{rate: progressRate, span: time.Second}
	s.limit(e)
	return s, out
}

// twoDevices have the points 0 count, 1 text, 2 order (written only) of pump, and 3 on of meter.
func twoDevices() []Device {
	number := func(name string, s driver.ScalarType, a driver.Access) Point {
		return Point{Definition: point.Definition{Name: name, Scalar: s, Access: a}}
	}
	return []Device{
		{Name: "pump", Points: []Point{
			number("count", driver.ScalarTypeUint16, driver.AccessRead),
			number("text", driver.ScalarTypeText, driver.AccessReadWrite),
			number("order", driver.ScalarTypeUint8, driver.AccessWrite),
		}},
		{Name: "meter", Points: []Point{number("on", driver.ScalarTypeBoolean, driver.AccessRead)}},
	}
}

func good(id driver.PointID, v driver.Value) driver.Sample {
	return driver.Sample{Point: id, Value: component.Some(v), Quality: driver.QualityGood}
}

func bad(id driver.PointID, reason string) driver.Sample {
	return driver.Sample{Point: id, Quality: driver.QualityBad, Reason: component.Some(reason)}
}

// stream is one that a guest waits for. It has no more than that.
type stream struct {
	host.Stream
	readable atomic.Bool
	poked    atomic.Pointer[chan<- struct{}] // nil, or where to
}

var _ module.Waitable = (*stream)(nil)

func (s *stream) Readable() bool { return s.readable.Load() }

func (s *stream) Notify(c chan<- struct{}) {
	if c == nil {
		s.poked.Store(nil)
		return
	}
	s.poked.Store(&c)
}

func (s *stream) poke() { *s.poked.Load() <- struct{}{} }

// within returns a context of a call that the caller waits for that long.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// pass lets virtual time pass.
func pass(d time.Duration) { <-time.After(d) }

// textLog is a logger without times.
func textLog(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		},
	}))
}
