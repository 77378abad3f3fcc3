package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tetratelabs/wazero/sys"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
	"github.com/droverhq/drover/guests/testdriver/script"
)

// TestGuest builds the guest once for all that is tested with it.
func TestGuest(t *testing.T) {
	r := newRig(t)
	t.Run("describe", r.describe)
	t.Run("same as on the host", r.same)
	t.Run("faults", r.faults)
	t.Run("output", r.output)
	t.Run("sleep", r.sleep)
	t.Run("memory", r.memory)
}

func (r *rig) with(t *testing.T) *rig { return &rig{t, r.runtime, r.module} }

func config(settings string) sdk.Config {
	return sdk.Config{
		Settings:    settings,
		Connections: []sdk.Connection{{Name: "main", Kind: driver.ConnectionKindTCP}},
		Devices:     []sdk.Device{{ID: 1, Name: "pump"}, {ID: 2, Name: "meter"}},
		Points: []sdk.Point{
			{ID: 1, Device: 1, Name: "count", Scalar: driver.ScalarTypeUint16, Period: time.Second},
			{ID: 2, Device: 1, Name: "on", Scalar: driver.ScalarTypeBoolean, Period: time.Second, Access: driver.AccessReadWrite},
			{ID: 3, Device: 2, Name: "list", Scalar: driver.ScalarTypeFloat32, Count: 3, Period: time.Second},
			{ID: 4, Device: 2, Name: "text", Scalar: driver.ScalarTypeText, Period: 2 * time.Second},
			{ID: 5, Device: 2, Name: "in", Scalar: driver.ScalarTypeBytes},
		},
	}
}

func (r *rig) describe(t *testing.T) {
	m, err := r.with(t).instance(sdktest.New(t)).Describe(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := sdk.NewLifecycle(script.Driver{}, sdktest.New(t)).Describe()
	if diff := cmp.Diff(want, m); diff != "" {
		t.Error(diff)
	}
}

// scenario is a life that must look the same natively and as a guest.
type scenario struct {
	name     string
	settings string
	script   func(h *sdktest.Host, l *sdktest.Line)
}

func scenarios() []scenario {
	stop := func(h *sdktest.Host, _ *sdktest.Line) { h.At(3500*time.Millisecond, h.Stop) }
	return []scenario{
		{"publish", `{"keep": true}`, stop},
		{"failed", `{"connect": "io:refused"}`, nil},
		{"fatal", `{"init": "fail:fatal"}`, nil},
		{"own code", `{"run": "own:broken", "cycle": 3}`, nil},
		{"reconnect outcome", `{"run": "reconnect:enough", "cycle": 2}`, nil},
		{"fatal outcome", `{"run": "fatal"}`, nil},
		{"unknown setting", `{"colour": "red"}`, nil},
		{"refused batch", `{"publish": "wrong-type"}`, nil},
		{"yield", `{"keep": true, "finish": "200ms"}`, func(h *sdktest.Host, _ *sdktest.Line) {
			h.At(1500*time.Millisecond, h.Yield)
		}},
		{"request and forward", `{"connection": "main", "request": "hello?"}`, stop},
		{"forward", `{"connection": "main", "forward": true}`, func(h *sdktest.Host, l *sdktest.Line) {
			l.Push(sdktest.Reply{After: 1200 * time.Millisecond, Data: []byte("unasked")})
			l.Push(sdktest.Reply{After: 2200 * time.Millisecond, Err: sdk.ErrReset})
		}},
		{"obey", `{"connection": "main", "obey": true}`, func(h *sdktest.Host, l *sdktest.Line) {
			l.Push(sdktest.Reply{After: 1200 * time.Millisecond, Data: []byte("ok\nfail:retr")})
			l.Push(sdktest.Reply{After: 1400 * time.Millisecond, Data: []byte("yable\nexit:3\n")})
		}},
		{"no room", `{"log": ["warn tight"]}`, func(h *sdktest.Host, l *sdktest.Line) {
			h.Room = 4
			h.At(2500*time.Millisecond, func() { h.Room = -1; h.RoomAgain() })
			stop(h, l)
		}},
		{"commands", `{}`, func(h *sdktest.Host, l *sdktest.Line) {
			h.At(1500*time.Millisecond, func() {
				h.Command(driver.RequestWrite([]driver.WriteRequest{{Point: 2, Value: driver.ValueBoolean(true)}, {Point: 1}}), time.Second)
				h.Command(driver.RequestRead([]driver.PointID{2, 3}), time.Second)
				h.Command(driver.RequestInvoke(driver.ActionRequest{Action: "echo", Arguments: `{"a":[1,2]}`}), time.Second)
				h.Command(driver.RequestInvoke(driver.ActionRequest{Action: "slow", Arguments: `{"steps":2}`}), time.Second)
				h.Command(driver.RequestInvoke(driver.ActionRequest{Action: "refuse"}), time.Second)
				h.Command(driver.RequestInvoke(driver.ActionRequest{Action: "ignore"}), time.Second)
				h.Command(driver.RequestInvoke(driver.ActionRequest{Action: "what"}), time.Second)
			})
			stop(h, l)
		}},
	}
}

// same runs each scenario twice over fakes that are scripted alike.
func (r *rig) same(t *testing.T) {
	for _, s := range scenarios() {
		t.Run(s.name, func(t *testing.T) {
			want := s.live(t, func(h *sdktest.Host, c sdk.Config) (driver.Outcome, error) {
				return h.Run(script.Driver{}, c)
			})
			got := s.live(t, func(h *sdktest.Host, c sdk.Config) (driver.Outcome, error) {
				return h.Drive(r.with(t).instance(h), c)
			})
			if diff := cmp.Diff(want, got, cmpopts.EquateComparable(), cmp.AllowUnexported(allowed()...)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func allowed() []any {
	return []any{
		driver.Outcome{}, driver.Value{}, driver.Cause{}, driver.Response{}, driver.CommandError{},
	}
}

// life is what is seen of a driver from outside.
type life struct {
	Outcome driver.Outcome
	Err     error
	Cycles  []sdktest.Cycle
	Answers map[uint64]sdktest.Answer
	Logs    []string
	State   []byte
	Written [][]byte
	Elapsed time.Duration
}

func (s scenario) live(t *testing.T, run func(*sdktest.Host, sdk.Config) (driver.Outcome, error)) life {
	h := sdktest.New(t)
	l := h.Connect("main", driver.ConnectionKindTCP, func(request []byte) []sdktest.Reply {
		return []sdktest.Reply{{After: 5 * time.Millisecond, Data: append([]byte("you said "), request...)}}
	})
	if s.script != nil {
		s.script(h, l)
	}
	out := life{Answers: map[uint64]sdktest.Answer{}}
	out.Outcome, out.Err = run(h, config(s.settings))
	for id := range uint64(10) {
		if a, ok := h.Answer(id); ok {
			out.Answers[id] = a
		}
	}
	out.Cycles, out.Logs, out.State, out.Written = h.Cycles(), h.Logs(), h.State(), l.Written()
	out.Elapsed = h.Elapsed().Round(time.Millisecond)
	return out
}

// faults ends instances in every way that returns; loop, oom and recurse need the host's limits.
func (r *rig) faults(t *testing.T) {
	tests := []struct {
		settings, want, output string
	}{
		{`{"configure": "panic"}`, "unreachable", "scripted panic"},
		{`{"connect": "panic"}`, "unreachable", "scripted panic"},
		{`{"init": "nil"}`, "", "nil pointer"},
		{`{"run": "divide", "cycle": 2}`, "", "divide by zero"},
		{`{"run": "exit:3"}`, "exit_code(3)", ""},
		{`{"init": "trap:unreachable"}`, "unreachable", ""},
		{`{"init": "trap:memory-bounds"}`, "out of bounds memory access", ""},
		{`{"init": "trap:table-bounds"}`, "invalid table access", ""},
		{`{"init": "trap:indirect-call"}`, "indirect call type mismatch", ""},
		{`{"init": "trap:divide-by-zero"}`, "integer divide by zero", ""},
		{`{"init": "trap:integer-overflow"}`, "integer overflow", ""},
		{`{"init": "trap:conversion"}`, "invalid conversion to integer", ""},
		{`{"init": "encoding"}`, "UTF-8", ""},
	}
	for _, tt := range tests {
		t.Run(tt.settings, func(t *testing.T) {
			h := sdktest.New(t)
			x := r.with(t).instance(h)
			_, err := h.Drive(x, config(tt.settings))
			if x.err == nil {
				t.Fatalf("the instance lives: %v", err)
			}
			if !strings.Contains(x.err.Error(), tt.want) || !strings.Contains(x.output.String(), tt.output) {
				t.Errorf("ended with %v, and wrote %q", x.err, x.output.String())
			}
			if exit, ok := errors.AsType[*sys.ExitError](x.err); ok && tt.want != "" && exit.ExitCode() != 3 {
				t.Errorf("exit code %d", exit.ExitCode())
			}
		})
	}
}

func (r *rig) output(t *testing.T) {
	h := sdktest.New(t)
	x := r.with(t).instance(h)
	h.At(100*time.Millisecond, h.Stop)
	if _, err := h.Drive(x, config(`{"stdout": "to out", "stderr": "to err"}`)); err != nil {
		t.Fatal(err)
	}
	if got := x.output.String(); got != "to out\nto err\n" {
		t.Errorf("wrote %q", got)
	}
}

// sleep sees that a guest's own sleep passes the host's clock.
func (r *rig) sleep(t *testing.T) {
	h := sdktest.New(t)
	h.At(10*time.Second, h.Stop)
	if _, err := h.Drive(r.with(t).instance(h), config(`{"connect": "sleep:4s"}`)); err != nil {
		t.Fatal(err)
	}
	if first := h.Cycles()[0].At.Round(time.Millisecond); first != 4*time.Second {
		t.Errorf("the first cycle was at %v", first)
	}
}

// memory sees that polling numbers takes no more memory in an hour than it does in minutes: an instance has 3 to 5 MiB.
func (r *rig) memory(t *testing.T) {
	h := sdktest.New(t)
	x := r.with(t).instance(h)
	c := config(`{}`)
	c.Points = c.Points[:2]
	var early uint32
	h.At(5*time.Minute, func() { early = x.module.Memory().Size() })
	h.At(time.Hour, h.Stop)
	if _, err := h.Drive(x, c); err != nil {
		t.Fatal(err)
	}
	if late := x.module.Memory().Size(); late > early+1<<20 || late > 6<<20 {
		t.Errorf("%d KiB after 5 minutes, %d KiB after an hour", early>>10, late>>10)
	}
}
