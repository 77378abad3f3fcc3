package sdk_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

// native is a driver whose session is a Loop.
type native struct {
	loop func(ctx *sdk.Context) *sdk.Loop
}

func (native) Describe() sdk.Metadata                         { return sdk.Metadata{Name: "native"} }
func (n native) Configure(*sdk.Config) (sdk.Connector, error) { return n, nil }
func (n native) Connect(*sdk.Context) (sdk.Session, error)    { return n, nil }
func (n native) Init(ctx *sdk.Context) (sdk.Handle, error)    { return ctx.Config().Serve(), nil }
func (n native) Run(ctx *sdk.Context) (sdk.Outcome, error)    { return n.loop(ctx).Run(ctx) }
func run(h *sdktest.Host, c sdk.Config, l *sdk.Loop) (driver.Outcome, error) {
	return h.Drive(sdk.NewLifecycle(native{func(ctx *sdk.Context) *sdk.Loop {
		l.Scheduler = sdk.NewScheduler(c.Points, ctx.Now())
		return l
	}}, h), c)
}

func twoPeriods() sdk.Config {
	return sdk.Config{
		Devices: []sdk.Device{{ID: 1}, {ID: 2}},
		Points: []sdk.Point{
			{ID: 1, Device: 1, Scalar: driver.ScalarTypeUint64, Period: 100 * ms},
			{ID: 2, Device: 2, Scalar: driver.ScalarTypeUint64, Period: 250 * ms, Phase: 50 * ms},
		},
	}
}

// story notes what happens, with the time.
type story struct {
	h     *sdktest.Host
	lines []string
}

func (s *story) tell(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf("%4d ", s.h.Elapsed().Milliseconds())+fmt.Sprintf(format, args...))
}

func (s *story) check(t *testing.T, want string) {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(want), "\n")
	for i := range lines {
		lines[i] = strings.TrimLeft(lines[i], "\t")
	}
	for i := range s.lines {
		s.lines[i] = strings.TrimLeft(s.lines[i], " ")
	}
	if diff := cmp.Diff(lines, s.lines); diff != "" {
		t.Error(diff)
	}
}

// poll reads every point of the group, and takes that long.
func (s *story) poll(work time.Duration) func(*sdk.Context, *sdk.Group, *sdk.Batch) error {
	return func(ctx *sdk.Context, g *sdk.Group, out *sdk.Batch) error {
		s.tell("poll %v", g.Points)
		for _, id := range g.Points {
			out.Good(id, sdk.Unsigned(1), time.Time{})
		}
		return ctx.Sleep(work)
	}
}

func TestLoopPolls(t *testing.T) {
	s := &story{h: sdktest.New(t)}
	s.h.At(320*ms, s.h.Stop)
	outcome, err := run(s.h, twoPeriods(), &sdk.Loop{Poll: s.poll(0)})
	if err != nil || outcome.Tag() != driver.OutcomeTagDisconnected {
		t.Error(outcome, err)
	}
	s.check(t, `
		0 poll [1]
		50 poll [2]
		100 poll [1]
		200 poll [1]
		300 poll [1]
		300 poll [2]`)
	if got := len(s.h.Cycles()); got != 6 {
		t.Errorf("%d calls of publish for 6 cycles", got)
	}
}

func TestLoopOverruns(t *testing.T) {
	s := &story{h: sdktest.New(t)}
	s.h.At(700*ms, s.h.Stop)
	if _, err := run(s.h, twoPeriods(), &sdk.Loop{Poll: s.poll(230 * ms)}); err != nil {
		t.Fatal(err)
	}
	s.check(t, `
		0 poll [1]
		230 poll [2]
		460 poll [1]
		690 poll [1]`)
	for device, want := range map[sdk.DeviceID]float64{1: 4, 2: 1} {
		if got, ok := s.h.Gauge(device, "overruns"); got != want || !ok {
			t.Errorf("device %d has %v overruns", device, got)
		}
	}
}

func TestLoopCommandsGoFirst(t *testing.T) {
	s := &story{h: sdktest.New(t)}
	s.h.At(100*ms, func() {
		for range 3 {
			s.h.Command(driver.RequestRead([]driver.PointID{1}), time.Second)
		}
	})
	s.h.At(150*ms, s.h.Stop)
	loop := &sdk.Loop{Poll: s.poll(0), Command: func(ctx *sdk.Context, cmd *sdk.Command) error {
		s.tell("read %v", cmd.Request().Read())
		cmd.AnswerRead([]sdk.Sample{sdk.Good(1, sdk.Unsigned(5), ctx.Now())})
		return ctx.Sleep(10 * ms)
	}}
	if _, err := run(s.h, twoPeriods(), loop); err != nil {
		t.Fatal(err)
	}
	s.check(t, `
		0 poll [1]
		50 poll [2]
		100 read [1]
		110 read [1]
		120 read [1]
		130 poll [1]`)
	if a, ok := s.h.Answer(2); !ok || a.Value.Read()[0].Value.Value.Unsigned() != 5 {
		t.Error(a, ok)
	}
}

// TestLoopCommandsDoNotStarvePolls has more commands than there is time for.
func TestLoopCommandsDoNotStarvePolls(t *testing.T) {
	s := &story{h: sdktest.New(t)}
	s.h.At(0, func() {
		for range 100 {
			s.h.Command(driver.RequestRead(nil), time.Minute)
		}
	})
	s.h.At(time.Second, s.h.Stop)
	polls := 0
	loop := &sdk.Loop{
		Poll:    func(*sdk.Context, *sdk.Group, *sdk.Batch) error { polls++; return nil },
		Command: func(ctx *sdk.Context, cmd *sdk.Command) error { cmd.AnswerRead(nil); return ctx.Sleep(10 * ms) },
	}
	if _, err := run(s.h, twoPeriods(), loop); err != nil {
		t.Fatal(err)
	}
	if polls < 6 {
		t.Errorf("%d polls beside 100 commands", polls)
	}
}

func TestLoopYield(t *testing.T) {
	s := &story{h: sdktest.New(t)}
	s.h.At(110*ms, s.h.Yield)
	loop := &sdk.Loop{
		Poll: func(ctx *sdk.Context, g *sdk.Group, out *sdk.Batch) error {
			defer s.tell("end of poll %v", g.Points)
			return s.poll(80*ms)(ctx, g, out)
		},
		Yield: func(ctx *sdk.Context) error { s.tell("save"); return ctx.SaveState([]byte("x")) },
	}
	outcome, err := run(s.h, twoPeriods(), loop)
	if err != nil || outcome.Tag() != driver.OutcomeTagYielded || string(s.h.State()) != "x" {
		t.Error(outcome, err)
	}
	s.check(t, `
		0 poll [1]
		80 end of poll [1]
		80 poll [2]
		160 end of poll [2]
		160 save`)
	if got := len(s.h.Cycles()); got != 2 {
		t.Errorf("%d cycles published", got)
	}
}

func TestLoopErrors(t *testing.T) {
	boom := sdk.Retryable("boom", "boom")
	tests := []struct {
		name string
		ask  func(*sdktest.Host)
		err  error
		want driver.OutcomeTag
		fail bool
	}{
		{"error", func(*sdktest.Host) {}, boom, 0, true},
		{"cancelled by nobody", func(*sdktest.Host) {}, sdk.ErrCancelled, 0, true},
		{"cancelled by a stop", (*sdktest.Host).Stop, fmt.Errorf("x: %w", sdk.ErrCancelled), driver.OutcomeTagDisconnected, false},
		{"cancelled by a yield", (*sdktest.Host).Yield, sdk.ErrCancelled, driver.OutcomeTagYielded, false},
		{"another error during a yield", (*sdktest.Host).Yield, boom, 0, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := sdktest.New(t)
			saved := false
			outcome, err := run(h, twoPeriods(), &sdk.Loop{
				Poll: func(_ *sdk.Context, _ *sdk.Group, out *sdk.Batch) error {
					out.Good(1, sdk.Unsigned(1), time.Time{})
					tt.ask(h)
					return tt.err
				},
				Yield: func(*sdk.Context) error { saved = true; return nil },
			})
			if (err != nil) != tt.fail || !tt.fail && outcome.Tag() != tt.want {
				t.Errorf("%v, %v", outcome.Tag(), err)
			}
			if saved != (tt.want == driver.OutcomeTagYielded) {
				t.Errorf("saved: %v", saved)
			}
			if len(h.Cycles()) != 1 {
				t.Error("what was read before the error is not published")
			}
		})
	}
}

func TestLoopYieldFails(t *testing.T) {
	h := sdktest.New(t)
	h.At(10*ms, h.Yield)
	_, err := run(h, sdk.Config{}, &sdk.Loop{Yield: func(*sdk.Context) error { return errors.New("cannot save") }})
	if err == nil || err.Error() != "run: cannot save" {
		t.Error(err)
	}
}

func TestLoopStreams(t *testing.T) {
	s := &story{h: sdktest.New(t)}
	l := s.h.Connect("plc", driver.ConnectionKindTCP, nil)
	l.Push(sdktest.Reply{After: 30 * ms, Data: []byte("a")}, sdktest.Reply{After: 60 * ms, Data: []byte("b"), Err: sdk.ErrReset})
	config := connections()
	_, err := h(s, config, func(ctx *sdk.Context) *sdk.Loop {
		stream, err := ctx.Open("plc")
		if err != nil {
			t.Fatal(err)
		}
		return &sdk.Loop{
			Streams: []*sdk.Stream{stream},
			Readable: func(_ *sdk.Context, stream *sdk.Stream, _ *sdk.Batch) error {
				var buf [8]byte
				n, err := stream.Read(buf[:])
				s.tell("read %q %v", buf[:n], err)
				return err
			},
		}
	})
	if e, ok := errors.AsType[*sdktest.Error](err); !ok || e.Failure.Cause.IO() != driver.IOErrorReset {
		t.Error(err)
	}
	s.check(t, `
		30 read "a" <nil>
		60 read "b" <nil>
		60 read "" connection reset`)
}

// h runs a loop that needs its context.
func h(s *story, c sdk.Config, loop func(*sdk.Context) *sdk.Loop) (driver.Outcome, error) {
	return s.h.Drive(sdk.NewLifecycle(native{loop}, s.h), c)
}

func TestLoopBackpressure(t *testing.T) {
	s := &story{h: sdktest.New(t)}
	s.h.Room = 1
	s.h.At(220*ms, func() { s.h.Room = -1; s.h.RoomAgain() })
	s.h.At(250*ms, s.h.Stop)
	if _, err := run(s.h, twoPeriods(), &sdk.Loop{Poll: s.poll(0)}); err != nil {
		t.Fatal(err)
	}
	var at []int64
	for _, c := range s.h.Cycles() {
		at = append(at, c.At.Milliseconds())
	}
	if diff := cmp.Diff([]int64{0, 220, 220, 220}, at); diff != "" {
		t.Error(diff)
	}
}

func TestLoopWarnsOfDroppedSamples(t *testing.T) {
	h := sdktest.New(t)
	h.Room = 0
	h.At(3*time.Second, h.Stop)
	_, err := run(h, twoPeriods(), &sdk.Loop{Poll: func(_ *sdk.Context, _ *sdk.Group, out *sdk.Batch) error {
		for range 1000 {
			out.Good(1, sdk.Unsigned(1), time.Time{})
		}
		return nil
	}})
	if err != nil || len(h.Logs()) != 1 || !strings.HasPrefix(h.Logs()[0], "warn samples dropped") {
		t.Error(err, h.Logs())
	}
}

// asked counts how often a driver publishes.
type asked struct {
	*sdktest.Host
	times int
}

func (a *asked) Publish(samples []driver.Sample) component.Result[uint32, driver.PublishError] {
	a.times++
	return a.Host.Publish(samples)
}

// TestLoopWaitsForRoom: a host that has no room is asked once, and again when it has.
func TestLoopWaitsForRoom(t *testing.T) {
	h := &asked{Host: sdktest.New(t)}
	h.Room = 0
	h.At(550*ms, func() {
		if h.times != 1 {
			t.Errorf("the driver asked %d times", h.times)
		}
		h.Room = -1
		h.RoomAgain()
	})
	h.At(2*time.Second, h.Stop)
	c := twoPeriods()
	s := &story{h: h.Host}
	_, err := h.Drive(sdk.NewLifecycle(native{func(ctx *sdk.Context) *sdk.Loop {
		return &sdk.Loop{Scheduler: sdk.NewScheduler(c.Points, ctx.Now()), Poll: s.poll(0)}
	}}, h), c)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(h.Samples(1)); n != 20 {
		t.Errorf("%d samples arrived, want 20", n)
	}
}
