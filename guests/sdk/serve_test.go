package sdk_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

// TestServeCommandsWithinAPoll has commands come at the second of four steps of a poll.
func TestServeCommandsWithinAPoll(t *testing.T) {
	h := sdktest.New(t)
	config := sdk.Config{Points: []sdk.Point{point(1, time.Second, 0)}}
	var story []string
	var first uint64
	nested := errors.New("not called")
	loop := sdk.Loop{
		Scheduler: sdk.NewScheduler(config.Points, h.Now()),
		Poll: func(ctx *sdk.Context, _ *sdk.Group, _ *sdk.Batch) error {
			for i := range 4 {
				if i == 1 {
					first = h.Command(driver.RequestInvoke(driver.ActionRequest{Action: "a"}), time.Second)
					for range 20 {
						h.Command(driver.RequestInvoke(driver.ActionRequest{Action: "b"}), time.Second)
					}
					h.Cancel(first)
				}
				if err := ctx.ServeCommands(); err != nil {
					return err
				}
				story = append(story, "request")
			}
			h.Stop()
			return nil
		},
		Command: func(ctx *sdk.Context, cmd *sdk.Command) error {
			nested = ctx.ServeCommands()
			story = append(story, cmd.Request().Invoke().Action)
			cmd.AnswerInvoke("1")
			return nil
		},
	}
	if _, err := loop.Run(h.Context(config)); err != nil {
		t.Fatal(err)
	}
	want := slices.Concat([]string{"request", "a"}, slices.Repeat([]string{"b"}, 15), []string{"request"},
		slices.Repeat([]string{"b"}, 5), []string{"request", "request"})
	if !slices.Equal(story, want) || nested != nil {
		t.Errorf("%q, want %q; %v", story, want, nested)
	}
	if a, ok := h.Answer(first); !ok || a.Failed {
		t.Errorf("%v %+v", ok, a)
	}
}

// TestServeCommandsEndsAPoll hands an error through, and does nothing outside a loop.
func TestServeCommandsEndsAPoll(t *testing.T) {
	h := sdktest.New(t)
	config := sdk.Config{Points: []sdk.Point{point(1, time.Second, 0)}}
	ctx := h.Context(config)
	id := h.Command(driver.RequestInvoke(driver.ActionRequest{Action: "a"}), time.Second)
	if err := ctx.ServeCommands(); err != nil {
		t.Fatal(err)
	}
	if _, answered := h.Answer(id); answered {
		t.Fatal("done outside a loop")
	}
	loop := sdk.Loop{
		Scheduler: sdk.NewScheduler(config.Points, h.Now()),
		Poll: func(ctx *sdk.Context, _ *sdk.Group, _ *sdk.Batch) error {
			h.Command(driver.RequestInvoke(driver.ActionRequest{Action: "b"}), time.Second)
			return ctx.ServeCommands()
		},
		Command: func(_ *sdk.Context, cmd *sdk.Command) error {
			if cmd.Request().Invoke().Action == "b" {
				return sdk.ErrReset
			}
			cmd.AnswerInvoke("1")
			return nil
		},
	}
	if _, err := loop.Run(ctx); !errors.Is(err, sdk.ErrReset) {
		t.Error(err)
	}
	if a, ok := h.Answer(id + 1); !ok || a.Err.Unknown() != driver.IOErrorReset {
		t.Errorf("%v %+v", ok, a)
	}
}
