package client

import (
	"errors"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/modbus/link"
	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/sdk"
)

// lookEvery is how often a poll cycle asks for commands, at most.
const lookEvery = 2 * time.Millisecond

// command answers a command at once.
func (s *session) command(_ *sdk.Context, cmd *sdk.Command) error {
	switch cmd.Request().Tag() {
	case driver.RequestTagRead:
		return s.readNow(cmd, cmd.Request().Read())
	case driver.RequestTagWrite:
		return s.writeNow(cmd)
	default:
		return s.invoke(cmd, cmd.Request().Invoke())
	}
}

// serveCommands does the commands that came during a poll cycle, between two of its requests.
func (s *session) serveCommands() error {
	if s.bus.idleSince.Sub(s.looked) < lookEvery {
		return nil
	}
	err := s.ctx.ServeCommands()
	s.looked = s.bus.idleSince
	return err
}

// left is how long a request for a command may take; 0 where its caller waits no more.
func left(cmd *sdk.Command, u *unit) time.Duration { return min(u.timeout, cmd.Remaining()) }

// outcome is the answer to a command whose request, which may have changed something, ended with err.
func outcome(err error) error {
	what, reason := judge(err)
	e, _ := errors.AsType[pdu.Exception](err)
	switch {
	case errors.Is(err, link.ErrUnsent):
		return sdk.NotSent(ioCause(err))
	case e == pdu.GatewayPath:
		return sdk.NotSent(sdk.ErrUnreachable)
	case e == pdu.GatewayTargetSilent: // the gateway has sent it
		return sdk.Unknown(sdk.ErrTimeout)
	case what == refused:
		return sdk.Refused(reason, err)
	}
	return sdk.Unknown(ioCause(err))
}

// ioCause returns the I/O error that stands for err.
func ioCause(err error) sdk.IOError {
	if e, ok := errors.AsType[sdk.IOError](err); ok {
		return e
	}
	if errors.Is(err, link.Silent) {
		return sdk.ErrTimeout
	}
	return sdk.ErrOther
}
