package script

import (
	"errors"
	"fmt"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
)

// The actions of the channel and of each device:
//
//	echo       answers its arguments
//	slow       takes {"steps": 3, "step": "100ms"}, tells its progress, ends early when it is cancelled
//	refuse     is refused by the device, with the code broken
//	ignore     is never answered
//	trap       panics
//	reconnect  asks for a reconnect and answers whether it was taken
//	flood      takes {"what": "log", "count": 1000}, does it that often (flood.go) and answers how often it was refused
//	do         takes {"what": "trap:conversion"}, a Behaviour, and answers null if it comes back
func actions(config *sdk.Config) []sdk.Action {
	var all []sdk.Action
	for _, name := range []string{"echo", "slow", "refuse", "ignore", "trap", "reconnect", "flood", "do"} {
		action := sdk.Action{Name: name, Arguments: "true", Result: "true"}
		all = append(all, action)
		for _, d := range config.Devices {
			action.Device = component.Some(d.ID)
			all = append(all, action)
		}
	}
	return all
}

func (s *session) command(ctx *sdk.Context, cmd *sdk.Command) error {
	if steps, scripted := s.scriptOf(ctx, cmd); scripted {
		return s.play(ctx, cmd, steps)
	}
	return s.do(ctx, cmd)
}

// do does what is asked for.
func (s *session) do(ctx *sdk.Context, cmd *sdk.Command) error {
	switch cmd.Request().Tag() {
	case driver.RequestTagRead:
		batch := sdk.NewBatch(ctx)
		for _, id := range cmd.Request().Read() {
			s.sample(ctx, id, nil, batch)
		}
		cmd.AnswerRead(batch.Samples())
	case driver.RequestTagWrite:
		cmd.ServeWrites(func(id sdk.PointID, v sdk.Value) error { return s.write(ctx, id, v) })
	case driver.RequestTagInvoke:
		return s.invoke(ctx, cmd)
	}
	return nil
}

func (s *session) write(ctx *sdk.Context, id sdk.PointID, v sdk.Value) error {
	p := ctx.Config().Point(id)
	if p == nil || !p.Writable() {
		return sdk.Invalid(errors.New("the point cannot be written"))
	}
	if err := p.Fits(v); err != nil {
		return sdk.Invalid(err)
	}
	s.written[id] = v
	return nil
}

func (s *session) invoke(ctx *sdk.Context, cmd *sdk.Command) error {
	request := cmd.Request().Invoke()
	switch request.Action {
	case "echo":
		cmd.AnswerInvoke(request.Arguments)
	case "slow":
		s.slow(ctx, cmd, request.Arguments)
	case "refuse":
		cmd.Fail(sdk.Refused("broken", errors.New("scripted refusal")))
	case "ignore":
	case "trap":
		panic("scripted panic")
	case "reconnect":
		cmd.AnswerInvoke(fmt.Sprint(ctx.RequestReconnect("by action")))
	case "flood", "do":
		return s.misbehave(ctx, cmd, request.Action, request.Arguments)
	default:
		cmd.Fail(sdk.Unsupported())
	}
	return nil
}

// misbehave does the actions flood and do.
func (s *session) misbehave(ctx *sdk.Context, cmd *sdk.Command, action, arguments string) error {
	args, err := sdk.Decode(arguments, struct {
		What  string `json:"what"`
		Count int    `json:"count"`
	}{Count: 1})
	if err != nil {
		cmd.Fail(err)
		return nil
	}
	if action == "flood" {
		one, err := oneOf(args.What)
		if err != nil {
			cmd.Fail(sdk.Invalid(err))
			return nil
		}
		cmd.AnswerInvoke(fmt.Sprintf(`{"refused":%d}`, flood(ctx, one, args.Count)))
		return nil
	}
	behave, err := Behaviour(args.What).parse()
	if err != nil {
		cmd.Fail(sdk.Invalid(err))
		return nil
	}
	if err := behave(ctx, s.stream); err != nil {
		return err
	}
	cmd.AnswerInvoke("null")
	return nil
}

func (s *session) slow(ctx *sdk.Context, cmd *sdk.Command, arguments string) {
	args, err := sdk.Decode(arguments, struct {
		Steps int          `json:"steps"`
		Step  sdk.Duration `json:"step"`
	}{3, sdk.Duration(100 * time.Millisecond)})
	if err != nil {
		cmd.Fail(err)
		return
	}
	for i := range args.Steps {
		if ctx.Sleep(time.Duration(args.Step)) != nil || cmd.Cancelled() {
			cmd.Fail(sdk.Unknown(sdk.ErrCancelled))
			return
		}
		cmd.Progress(fmt.Sprintf("step %d of %d", i+1, args.Steps), float64(i+1)/float64(args.Steps))
	}
	cmd.AnswerInvoke(fmt.Sprintf(`{"steps":%d}`, args.Steps))
}
