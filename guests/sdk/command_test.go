package sdk_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

func refused(code, text string) driver.CommandError {
	return driver.CommandErrorRefused(component.Tuple2[string, string]{F0: code, F1: text})
}

func TestCommandError(t *testing.T) {
	_, decode := sdk.Decode(`{"x": 1}`, struct{}{})
	tests := []struct {
		err  error
		want driver.CommandError
	}{
		{sdk.Refused("busy", errors.New("exception 6")), refused("busy", "exception 6")},
		{fmt.Errorf("unit 3: %w", sdk.Refused("busy", errors.New("exception 6"))), refused("busy", "exception 6")},
		{sdk.Retryable("busy", "exception 6"), refused("busy", "exception 6")},
		{sdk.Invalid(errors.New("out of range")), driver.CommandErrorInvalid("out of range")},
		{decode, driver.CommandErrorInvalid("x: unknown; there are ")},
		{sdk.NotSent(sdk.ErrTimeout), driver.CommandErrorNotSent(driver.IOErrorTimeout)},
		{sdk.NotSent(errors.New("queue")), driver.CommandErrorNotSent(driver.IOErrorOther)},
		{sdk.Unknown(fmt.Errorf("read: %w", sdk.ErrReset)), driver.CommandErrorUnknown(driver.IOErrorReset)},
		{sdk.Unsupported(), driver.CommandErrorUnsupported()},
		{fmt.Errorf("write: %w", sdk.ErrClosed), driver.CommandErrorUnknown(driver.IOErrorClosed)},
		{errors.New("odd"), driver.CommandErrorUnknown(driver.IOErrorOther)},
	}
	for _, tt := range tests {
		t.Run(tt.err.Error(), func(t *testing.T) {
			h := sdktest.New(t)
			ctx := h.Context(sdk.Config{})
			id := h.Command(driver.RequestRead(nil), time.Second)
			cmd := ctx.Wait(0).Command
			cmd.Fail(tt.err)
			cmd.Fail(tt.err) // ignored
			a, ok := h.Answer(id)
			if diff := cmp.Diff(tt.want, a.Err, cmp.AllowUnexported(driver.CommandError{})); diff != "" || !ok {
				t.Error(diff)
			}
		})
	}
}

func TestServeWrites(t *testing.T) {
	h := sdktest.New(t)
	ctx := h.Context(sdk.Config{})
	id := h.Command(driver.RequestWrite([]driver.WriteRequest{{Point: 1}, {Point: 2}, {Point: 3}}), 150*ms)
	cmd := ctx.Wait(0).Command
	var done []sdk.PointID
	cmd.ServeWrites(func(p sdk.PointID, _ sdk.Value) error {
		done = append(done, p)
		h.Advance(100 * ms)
		if p == 2 {
			return sdk.Refused("no", errors.New("no"))
		}
		return nil
	})
	a, _ := h.Answer(id)
	r := a.Value.Write()
	if len(r) != 3 || r[0].Failed || r[1].Err.Tag() != driver.CommandErrorTagRefused ||
		r[2].Err.NotSent() != driver.IOErrorTimeout || r[2].Err.Tag() != driver.CommandErrorTagNotSent || len(done) != 2 {
		t.Errorf("%+v, wrote %v", r, done)
	}
	if !cmd.Expired() || cmd.Remaining() != 0 || !cmd.Answered() {
		t.Error("not expired")
	}
}

func TestServeWritesCancelled(t *testing.T) {
	h := sdktest.New(t)
	ctx := h.Context(sdk.Config{})
	id := h.Command(driver.RequestWrite([]driver.WriteRequest{{Point: 1}, {Point: 2}}), time.Second)
	cmd := ctx.Wait(0).Command
	cmd.ServeWrites(func(sdk.PointID, sdk.Value) error { h.Cancel(id); return nil })
	a, _ := h.Answer(id)
	if r := a.Value.Write(); r[0].Failed || r[1].Err.NotSent() != driver.IOErrorCancelled {
		t.Errorf("%+v", r)
	}
}

// TestLateAnswer answers a command long after the call that brought it, and hears that it is cancelled meanwhile.
func TestLateAnswer(t *testing.T) {
	h := sdktest.New(t)
	var id uint64
	h.At(10*ms, func() { id = h.Command(driver.RequestInvoke(driver.ActionRequest{Action: "home"}), time.Minute) })
	h.At(20*ms, func() { h.Cancel(id); h.Cancel(id + 7) })
	h.At(90*ms, h.Stop)
	_, err := run(h, sdk.Config{}, &sdk.Loop{
		Command: func(_ *sdk.Context, cmd *sdk.Command) error { cmd.Progress("on my way", 0.5); return nil },
		Cancel: func(_ *sdk.Context, cmd *sdk.Command) error {
			if !cmd.Cancelled() {
				t.Error("not cancelled")
			}
			cmd.AnswerInvoke(`"stopped"`)
			cmd.Progress("ignored", 1)
			return nil
		},
	})
	if a, ok := h.Answer(id); err != nil || !ok || a.Value.Invoke() != `"stopped"` {
		t.Error(a, ok, err)
	}
	if got := h.ProgressOf(id); len(got) != 1 || got[0] != "on my way" {
		t.Errorf("progress %q", got)
	}
}

// TestOpenCommandsAreAnswered ends a run with a command that was begun and one that was not.
func TestOpenCommandsAreAnswered(t *testing.T) {
	h := sdktest.New(t)
	var begun, queued uint64
	h.At(10*ms, func() { begun = h.Command(driver.RequestRead(nil), time.Minute) })
	h.At(15*ms, func() { queued = h.Command(driver.RequestRead(nil), time.Minute) })
	h.At(20*ms, h.Stop)
	_, err := run(h, sdk.Config{}, &sdk.Loop{Command: func(ctx *sdk.Context, _ *sdk.Command) error {
		return ctx.Sleep(time.Hour)
	}})
	if err != nil {
		t.Fatal(err)
	}
	// An error of Command answers it: cancelled while it was at work.
	if a, _ := h.Answer(begun); a.Err.Tag() != driver.CommandErrorTagUnknown || a.Err.Unknown() != driver.IOErrorCancelled {
		t.Errorf("begun: %+v", a)
	}
	if a, _ := h.Answer(queued); a.Err.Tag() != driver.CommandErrorTagNotSent || a.Err.NotSent() != driver.IOErrorCancelled {
		t.Errorf("queued: %+v", a)
	}
}

func TestCommandsWithoutHandler(t *testing.T) {
	h := sdktest.New(t)
	id := h.Command(driver.RequestRead(nil), time.Minute)
	h.At(20*ms, h.Stop)
	if _, err := run(h, sdk.Config{}, &sdk.Loop{}); err != nil {
		t.Fatal(err)
	}
	if a, _ := h.Answer(id); a.Err.Tag() != driver.CommandErrorTagUnsupported || !a.Failed {
		t.Errorf("%+v", a)
	}
}
