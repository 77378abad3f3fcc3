package sdk_test

import (
	"bytes"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

func TestContext(t *testing.T) {
	h := sdktest.New(t)
	h.Session = driver.Session{Attempt: 7, Generation: 3, Takeover: true}
	ctx := h.Context(sdk.Config{Settings: "{}"})
	if ctx.Attempt() != 7 || ctx.Generation() != 3 || !ctx.Takeover() || ctx.Config().Settings != "{}" || !ctx.Now().Equal(h.Now()) {
		t.Error("the context tells something else")
	}
	ctx.SetDeviceStatus(2, driver.StatusDegraded, "slow\nvery")
	if s, _ := h.StatusOf(2); s.Status != driver.StatusDegraded || s.Reason != "slow; very" {
		t.Errorf("%+v", s)
	}
	ctx.SetGauges(2, sdk.Gauge{F0: "round_trip", F1: 0.5}, sdk.Gauge{F0: "crc_errors", F1: 3})
	if f, ok := h.Gauge(2, "crc_errors"); f != 3 || !ok {
		t.Error(f, ok)
	}
	if !ctx.RequestReconnect("why") || ctx.RequestReconnect("again") || !ctx.Stopping() {
		t.Error("reconnects are not coalesced")
	}
}

func TestState(t *testing.T) {
	h := sdktest.New(t)
	ctx := h.Context(sdk.Config{})
	if blob, ok := ctx.LoadState(); ok || blob != nil {
		t.Error("a state from nowhere")
	}
	if err := ctx.SaveState(bytes.Repeat([]byte{1}, sdk.MaxState)); err != nil {
		t.Error(err)
	}
	if err := ctx.SaveState(make([]byte, sdk.MaxState+1)); err == nil || err.Error() != "save state of 65537 bytes: too-large" {
		t.Error(err)
	}
	if blob, ok := ctx.LoadState(); !ok || len(blob) != sdk.MaxState || blob[0] != 1 {
		t.Error(len(blob), ok)
	}
}

func TestLog(t *testing.T) {
	h := sdktest.New(t)
	log := h.Context(sdk.Config{}).Log()
	log.Debug("a")
	log.With("unit", 7).Info("b", "err", errors.New("x"))
	log.WithGroup("bus").With("n", 1).WithGroup("rtu").Warn("c", slog.Group("crc", "got", 2), "at", time.Second)
	log.Error("bad \xff", "k\xff", "v\xff")
	log.WithGroup("").Info("d", slog.Attr{}, slog.Group("", "inline", true))
	want := []string{
		"debug a", "info b unit=7 err=x", "warn c bus.n=1 bus.rtu.crc.got=2 bus.rtu.at=1s", "error bad � k�=v�",
		"info d inline=true",
	}
	if diff := cmp.Diff(want, h.Logs()); diff != "" {
		t.Error(diff)
	}
}

func TestLogHandlersDoNotShareFields(t *testing.T) {
	h := sdktest.New(t)
	base := h.Context(sdk.Config{}).Log().With("a", 1, "b", 2, "c", 3)
	one, two := base.With("d", 4), base.With("d", 5)
	one.Info("m", "e", 6)
	two.Info("m", "e", 7)
	want := []string{"info m a=1 b=2 c=3 d=4 e=6", "info m a=1 b=2 c=3 d=5 e=7"}
	if diff := cmp.Diff(want, h.Logs()); diff != "" {
		t.Error(diff)
	}
}

func TestRandom(t *testing.T) {
	h := sdktest.New(t)
	one, two := h.Context(sdk.Config{}), h.Context(sdk.Config{})
	a, b := one.Random().Uint64(), two.Random().Uint64()
	if again := one.Random(); a == b || again != one.Random() {
		t.Error("two instances have the same numbers")
	}
}

func TestSleep(t *testing.T) {
	tests := []struct {
		name  string
		at    func(h *sdktest.Host)
		held  bool
		err   error
		after time.Duration
	}{
		{"undisturbed", func(*sdktest.Host) {}, false, nil, 100 * ms},
		{"commands are kept", func(h *sdktest.Host) { h.Command(driver.RequestRead(nil), time.Second) }, false, nil, 100 * ms},
		{"yield", (*sdktest.Host).Yield, false, sdk.ErrCancelled, 50 * ms},
		{"yield, held", (*sdktest.Host).Yield, true, nil, 100 * ms},
		{"stop", (*sdktest.Host).Stop, false, sdk.ErrCancelled, 50 * ms},
		{"stop, held", (*sdktest.Host).Stop, true, sdk.ErrCancelled, 50 * ms},
		{"yield and stop, held", func(h *sdktest.Host) { h.Yield(); h.After(20*ms, h.Stop) }, true, sdk.ErrCancelled, 70 * ms},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := sdktest.New(t)
			ctx := h.Context(sdk.Config{})
			h.At(50*ms, func() { tt.at(h) })
			if tt.held {
				ctx.Hold()
			}
			if err := ctx.Sleep(100 * ms); err != tt.err || h.Elapsed() != tt.after {
				t.Errorf("%v after %v", err, h.Elapsed())
			}
		})
	}
}

// TestWaitOrder has everything happen at once.
func TestWaitOrder(t *testing.T) {
	h, l, ctx, s := open(t, nil)
	id := h.Command(driver.RequestRead(nil), time.Second)
	if first := ctx.Wait(sdk.Forever, s); first.Kind != driver.EventTagCommand || first.Command.Request().Tag() != driver.RequestTagRead {
		t.Fatal(first.Kind)
	}
	l.Push(sdktest.Reply{Data: []byte("x")})
	h.RoomAgain()
	h.Command(driver.RequestRead(nil), time.Second)
	h.Cancel(id)
	ctx.Stopping() // takes events before Wait, and keeps their order
	var got []driver.EventTag
	for range 4 {
		got = append(got, ctx.Wait(time.Second, s).Kind)
	}
	h.Yield()
	got = append(got, ctx.Wait(time.Second, s).Kind, ctx.Wait(time.Second, s).Kind)
	h.Stop()
	got = append(got, ctx.Wait(time.Second, s).Kind, ctx.Wait(time.Second, s).Kind)
	want := []driver.EventTag{
		driver.EventTagCancel, driver.EventTagCommand, driver.EventTagWritable, driver.EventTagReadable,
		driver.EventTagYield, driver.EventTagYield, driver.EventTagStop, driver.EventTagStop,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if h.Elapsed() != 0 {
		t.Errorf("waited %v", h.Elapsed())
	}
}

func TestWaitTimeout(t *testing.T) {
	h, _, ctx, s := open(t, nil)
	if e := ctx.Wait(70*ms, s); e.Kind != driver.EventTagTimeout || h.Elapsed() != 70*ms {
		t.Errorf("%v after %v", e.Kind, h.Elapsed())
	}
	h.At(100*ms, func() { h.Cancel(99) }) // of a command that is gone: no event
	if e := ctx.Wait(70*ms, s); e.Kind != driver.EventTagTimeout || h.Elapsed() != 140*ms {
		t.Errorf("%v after %v", e.Kind, h.Elapsed())
	}
}

func TestFlags(t *testing.T) {
	h := sdktest.New(t)
	ctx := h.Context(sdk.Config{})
	if ctx.Yielding() || ctx.Stopping() {
		t.Error("from the start")
	}
	h.Yield()
	if !ctx.Yielding() || ctx.Stopping() {
		t.Error("not yielding")
	}
	h.Stop()
	if !ctx.Stopping() {
		t.Error("not stopping")
	}
}
