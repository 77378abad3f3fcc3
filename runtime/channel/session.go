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
	"github.com/droverhq/drover/runtime/tracing"
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
	c.channel.lines.reset(time.Now())
	s := newSession(c.channel, ctx)
	s.span = c.channel.trace(ctx)
	if err := s.open(ctx); err != nil {
		return nil, errors.Join(err, s.Close(false))
	}
	return s, nil
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
	wake     chan struct{} // holds one: a stream became readable, or the sink has room
	abort    func(error)   // ends the guest at its next call of the host

	pace     pace
	strikes  bucket
	denials  denials
	progress bucket

	span tracing.Span // of the attempt
}

var (
	_ supervise.Session = (*session)(nil)
	_ host.Data         = (*session)(nil)
	_ host.Control      = (*session)(nil)
	_ host.State        = (*session)(nil)
	_ host.Log          = (*session)(nil)
)

func newSession(c *Channel, ctx *supervise.Context) *session {
	s := &session{
		channel: c, commands: newCommands(c.queue), wake: make(chan struct{}, 1), request: ctx.RequestReconnect,
		log: guestLog{logger: ctx.Logger(), counted: &c.counts.logDropped},
	}
	s.limit(c.config.Limits)
	s.signals.asked, s.signals.session = ctx.Yield(), s
	s.io = c.config.Host.Session(&s.signals)
	return s
}

func (s *session) open(ctx *supervise.Context) error {
	imports := host.Imports{Serial: s.io, Socket: s.io, Data: s, Control: s, State: s, Log: s}
	s.phase = failure.PhaseConfigure
	starting, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	s.abort = abort
	var err error
	s.guest, err = s.channel.config.Module.Instantiate(starting, s.phase, module.InstanceConfig{
		Imports: imports, Limits: s.channel.config.Limits.Limits, Secrets: s.channel.config.Secrets, Output: s.output,
		IODetail: s.io.LastError,
	})
	if err != nil {
		s.channel.usage.lost(err)
		s.traced(s.span.Phase(string(s.phase)), err)
		return err
	}
	s.channel.usage.begin(s.guest)
	s.abort = s.guest.Abort
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
		if err != nil {
			return err
		}
		h.points, h.actions = served.Points, served.Actions
		return s.channel.checkHandle(served)
	})
	if err != nil {
		return nil, err
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
		return supervise.OutcomeReconnect(s.forPeople(outcome.Reconnect())), nil
	case driver.OutcomeTagFatal:
		f := s.guest.Failure(failure.PhaseRun, outcome.Fatal())
		f.Summary = s.forPeople(f.Summary)
		return supervise.OutcomeFatal(f), nil
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
	span := s.span.Phase(string(phase))
	err := call(guestCtx, driver.Session{Attempt: ctx.Attempt(), Generation: ctx.Generation(), Takeover: ctx.Takeover()})
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		f.Summary = s.forPeople(f.Summary)
	}
	s.traced(span, err)
	return err
}

// Close implements supervise.Session.
func (s *session) Close(keep bool) error {
	s.commands.close()
	s.channel.catchUp(time.Now(), true)
	s.log.count()
	s.span.End()
	err := s.io.Close(keep)
	if s.guest != nil {
		s.channel.usage.end(s.guest)
		err = errors.Join(err, s.guest.Close(context.Background()))
		s.guest = nil
	}
	return err
}
