package channel

import (
	"context"
	"errors"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/supervise"
)

// ioMargin is how long before its phase's deadline a guest's I/O ends, so that the guest can say what it waited for.
const ioMargin = 500 * time.Millisecond

// connector makes the sessions of the channel's module.
type connector struct{ channel *Channel }

var (
	_ supervise.Connector = (*connector)(nil)
	_ supervise.Digester  = (*connector)(nil)
)

// Digest implements supervise.Digester.
func (c *connector) Digest() string { return c.channel.config.Module.Digest() }

// Connect implements supervise.Connector: a new instance, configure, connect.
func (c *connector) Connect(ctx *supervise.Context) (supervise.Session, error) {
	s := newSession(c.channel, ctx)
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close(false))
	}
	return s, nil
}

// handle is what a session serves: the points by id, and the actions.
type handle struct {
	points   []driver.PointID
	actions  []driver.Action
	commands *commands
}

// session is one instance of the driver at work. It serves the guest's imports on the goroutine that calls the guest.
type session struct {
	channel  *Channel
	guest    *module.Instance
	io       module.SessionHost
	signals  signals
	commands *commands
	log      guestLog
	phase    failure.Phase
	request  func(reason string) bool
	wake     chan struct{} // holds one: a stream became readable
}

var (
	_ supervise.Session = (*session)(nil)
	_ host.Data         = (*session)(nil)
	_ host.Control      = (*session)(nil)
	_ host.State        = (*session)(nil)
	_ host.Log          = (*session)(nil)
)

func newSession(c *Channel, ctx *supervise.Context) *session {
	s := &session{channel: c, commands: newCommands(), wake: make(chan struct{}, 1), request: ctx.RequestReconnect}
	s.signals.asked = ctx.Yield()
	s.log.logger = ctx.Logger()
	s.io = c.config.Host.Session(&s.signals)
	return s
}

func (s *session) open(ctx *supervise.Context) error {
	imports := host.Imports{Serial: s.io, Socket: s.io, Data: s, Control: s, State: s, Log: s}
	s.phase = failure.PhaseConfigure
	var err error
	s.guest, err = s.channel.config.Module.Instantiate(ctx, s.phase, module.InstanceConfig{
		Imports: imports, Memory: s.channel.config.Memory, Output: s.output, IODetail: s.io.LastError,
	})
	if err != nil {
		return err
	}
	err = s.in(ctx, failure.PhaseConfigure, func(ctx context.Context, _ driver.Session) error {
		return s.guest.Configure(ctx, s.channel.guest)
	})
	if err != nil {
		return err
	}
	return s.in(ctx, failure.PhaseConnect, func(ctx context.Context, session driver.Session) error {
		return s.guest.Connect(ctx, session)
	})
}

// Init implements supervise.Session.
func (s *session) Init(ctx *supervise.Context) (supervise.Handle, error) {
	h := &handle{commands: s.commands}
	err := s.in(ctx, failure.PhaseInit, func(ctx context.Context, session driver.Session) error {
		served, err := s.guest.Init(ctx, session)
		h.points, h.actions = served.Points, served.Actions
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, id := range h.points {
		if int(id) >= len(s.channel.points) {
			return nil, failure.New(failure.PhaseInit, failure.ABIEncoding, "the handle has a point that was not configured")
		}
	}
	return h, nil
}

// Run implements supervise.Session.
func (s *session) Run(ctx *supervise.Context) (supervise.Outcome, error) {
	defer s.commands.close()
	var outcome driver.Outcome
	err := s.in(ctx, failure.PhaseRun, func(ctx context.Context, session driver.Session) (err error) {
		outcome, err = s.guest.Run(ctx, session)
		return err
	})
	if err != nil {
		return supervise.OutcomeDisconnected(), err
	}
	switch outcome.Tag() {
	case driver.OutcomeTagReconnect:
		return supervise.OutcomeReconnect(outcome.Reconnect()), nil
	case driver.OutcomeTagFatal:
		return supervise.OutcomeFatal(s.guest.Failure(failure.PhaseRun, outcome.Fatal())), nil
	case driver.OutcomeTagYielded:
		return supervise.OutcomeYielded(), nil
	default:
		return supervise.OutcomeDisconnected(), nil
	}
}

// in runs one phase. Its I/O, which configure has none of, ends ioMargin before the phase does, and a guest that is still
// calling the host when waiting is over is ended at its next call.
func (s *session) in(ctx *supervise.Context, phase failure.Phase, call func(context.Context, driver.Session) error) error {
	s.phase, s.log.logger = phase, ctx.Logger()
	s.signals.io.Store(phase != failure.PhaseConfigure)
	defer s.signals.io.Store(false)
	var guestCtx context.Context = ctx
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		guestCtx, cancel = context.WithDeadline(ctx, deadline.Add(-ioMargin))
		defer cancel()
	}
	done := make(chan struct{})
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		select {
		case <-ctx.Forced():
			s.guest.Abort(failure.New(phase, failure.LimitDeadline, "the driver did not return in time"))
		case <-done:
		}
	}()
	defer func() { close(done); <-watched }()
	return call(guestCtx, driver.Session{Attempt: ctx.Attempt(), Generation: ctx.Generation(), Takeover: ctx.Takeover()})
}

// Close implements supervise.Session.
func (s *session) Close(keep bool) error {
	s.commands.close()
	err := s.io.Close(keep)
	if s.guest != nil {
		err = errors.Join(err, s.guest.Close(context.Background()))
		s.guest = nil
	}
	return err
}
