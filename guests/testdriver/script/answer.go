package script

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
)

// Answer is how a command is answered: steps, separated by blanks, one after the other. Without a last one that answers,
// the command is done then.
//
//	delay:DURATION      waits, deaf to a cancel
//	until-cancel        waits until the caller does not want it any more
//	progress:N          tells N percent
//	late:N              goes on after N more poll cycles, so that the driver goes on polling with the command in hand
//	refused:CODE        the device refused it; invalid, unsupported
//	not-sent:CAUSE, unknown:CAUSE    with an I/O cause by its name
//	ignore              no answer, until the session ends
//	other-kind          the answer to another request; short: no results
//	json:TEXT           an action's result, whatever it is
//	any Behaviour       with the command in hand: panic, exit:3, loop, io:reset, disconnected, ...
type Answer string

// step is one step of an answer. It says whether the command is over.
type step struct {
	late int
	do   func(s *session, ctx *sdk.Context, cmd *sdk.Command) (over bool, err error)
}

// lateAnswer is what is left of an answer, and the cycle in which it goes on.
type lateAnswer struct {
	cycle uint64
	ctx   *sdk.Context
	cmd   *sdk.Command
	steps []step
}

func parseAnswers(answers map[string]Answer) (map[string][]step, error) {
	parsed := map[string][]step{}
	var errs []error
	for name, a := range answers {
		for _, text := range strings.Fields(string(a)) {
			one, err := parseStep(text)
			if err != nil {
				errs = append(errs, fmt.Errorf("answers.%s: %w", name, err))
				continue
			}
			parsed[name] = append(parsed[name], one)
		}
	}
	return parsed, errors.Join(errs...)
}

func parseStep(text string) (step, error) {
	verb, arg, _ := strings.Cut(text, ":")
	switch verb {
	case "delay":
		d, err := sdk.ParseDuration(arg)
		return goOn(func(ctx *sdk.Context, _ *sdk.Command) { _ = ctx.Sleep(d) }), err // a stop ends it early
	case "until-cancel":
		return goOn(untilCancel), nil
	case "progress":
		n, err := strconv.Atoi(arg)
		return goOn(func(_ *sdk.Context, cmd *sdk.Command) { cmd.Progress("scripted", float64(n)/100) }), err
	case "late":
		n, err := strconv.ParseUint(arg, 10, 16)
		return step{late: int(n)}, err
	}
	if answer, err := parseError(verb, arg); answer != nil || err != nil {
		return end(func(_ *sdk.Context, cmd *sdk.Command) { cmd.Fail(answer) }), err
	}
	if f, ok := wrongAnswers(arg)[verb]; ok {
		return end(f), nil
	}
	behave, err := Behaviour(text).parse()
	return step{do: func(s *session, ctx *sdk.Context, _ *sdk.Command) (bool, error) {
		return false, behave(ctx, s.stream)
	}}, err
}

func goOn(f func(*sdk.Context, *sdk.Command)) step {
	return step{do: func(_ *session, ctx *sdk.Context, cmd *sdk.Command) (bool, error) { f(ctx, cmd); return false, nil }}
}

func end(f func(*sdk.Context, *sdk.Command)) step {
	return step{do: func(_ *session, ctx *sdk.Context, cmd *sdk.Command) (bool, error) { f(ctx, cmd); return true, nil }}
}

func untilCancel(ctx *sdk.Context, cmd *sdk.Command) {
	for !cmd.Cancelled() && ctx.Sleep(10*time.Millisecond) == nil {
	}
}

// parseError returns the error that a verb answers with, nil for others.
func parseError(verb, arg string) (error, error) {
	scripted := errors.New("scripted " + verb)
	switch verb {
	case "refused":
		return sdk.Refused(arg, scripted), nil
	case "invalid":
		return sdk.Invalid(scripted), nil
	case "unsupported":
		return sdk.Unsupported(), nil
	case "not-sent", "unknown":
		cause, ok := ioErrorNamed(arg)
		if !ok {
			return nil, fmt.Errorf("unknown I/O error %q", arg)
		}
		if verb == "unknown" {
			return sdk.Unknown(cause), nil
		}
		return sdk.NotSent(cause), nil
	}
	return nil, nil
}

// wrongAnswers are those that no good driver gives.
func wrongAnswers(arg string) map[string]func(*sdk.Context, *sdk.Command) {
	return map[string]func(*sdk.Context, *sdk.Command){
		"ignore": func(*sdk.Context, *sdk.Command) {},
		"json":   func(_ *sdk.Context, cmd *sdk.Command) { cmd.AnswerInvoke(arg) },
		"other-kind": func(_ *sdk.Context, cmd *sdk.Command) {
			if cmd.Request().Tag() == driver.RequestTagRead {
				cmd.AnswerWrite(nil)
				return
			}
			cmd.AnswerRead(nil)
		},
		"short": func(_ *sdk.Context, cmd *sdk.Command) {
			if cmd.Request().Tag() == driver.RequestTagRead {
				cmd.AnswerRead(nil)
				return
			}
			cmd.AnswerWrite(nil)
		},
	}
}

// scriptOf returns how the command is answered, if the script says so.
func (s *session) scriptOf(ctx *sdk.Context, cmd *sdk.Command) ([]step, bool) {
	if !s.scripted(ctx) {
		return nil, false
	}
	var names []string
	switch request := cmd.Request(); request.Tag() {
	case driver.RequestTagRead:
		for _, id := range request.Read() {
			names = append(names, nameOf(ctx, id))
		}
		names = append(names, "read")
	case driver.RequestTagWrite:
		for _, w := range request.Write() {
			names = append(names, nameOf(ctx, w.Point))
		}
		names = append(names, "write")
	case driver.RequestTagInvoke:
		names = []string{request.Invoke().Action, "invoke"}
	}
	i := slices.IndexFunc(names, func(name string) bool { return s.answers[name] != nil })
	if i < 0 {
		return nil, false
	}
	return s.answers[names[i]], true
}

func nameOf(ctx *sdk.Context, id sdk.PointID) string {
	if p := ctx.Config().Point(id); p != nil {
		return p.Name
	}
	return ""
}

// play does the steps of an answer.
func (s *session) play(ctx *sdk.Context, cmd *sdk.Command, steps []step) error {
	for i, one := range steps {
		if one.late > 0 {
			s.late = append(s.late, lateAnswer{s.cycle + uint64(one.late), ctx, cmd, steps[i+1:]})
			return nil
		}
		if over, err := one.do(s, ctx, cmd); over || err != nil {
			return err
		}
	}
	return s.do(ctx, cmd)
}

// answerLate goes on with the answers whose cycle it is.
func (s *session) answerLate() error {
	due := slices.Clone(s.late)
	s.late = slices.DeleteFunc(s.late, func(a lateAnswer) bool { return a.cycle <= s.cycle })
	for _, a := range due {
		if a.cycle > s.cycle {
			continue
		}
		if err := s.play(a.ctx, a.cmd, a.steps); err != nil {
			return err
		}
	}
	return nil
}
