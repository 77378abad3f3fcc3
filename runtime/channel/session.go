package channel

import (
	"context"
	"errors"
	"sync"
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

// session is one instance of the driver at work. It serves the guest's imports on the goroutine that calls the guest.
type session struct {
	channel  *Channel
	by       *connector
	tuned    *edition // the one whose limits hold
	guest    *module.Instance
	io       module.SessionHost
	signals  signals
	commands *commands
	log      guestLog
	phase    failure.Phase
	request  func(reason string) bool
	lines    lastLines
	takeover bool // from a session that yielded
	ready    bool
	closing  sync.Once
	wake     chan struct{} // holds one: a stream became readable, or the sink has room
	timer    *time.Timer   // of the guest's waits; nil before the first
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

func newSession(by *connector) *session {
	c := by.channel
	s := &session{
		channel: c, by: by, commands: newCommands(c.queue), wake: make(chan struct{}, 1),
		log: guestLog{logger: c.config.Logger.With("channel", c.config.Name), counted: &c.counts.logDropped},
	}
	s.strikes, s.denials = newStrikes(maxStrikes), newDenials()
	s.progress = bucket{rate: progressRate, span: time.Second}
	s.limit(by.edition.Load())
	s.signals.session = s
	by.opened()
	s.io = s.tuned.Host.Session(&s.signals)
	return s
}

// edition is what the session's driver was told, with what was changed in place since.
func (s *session) edition() *edition { return s.by.edition.Load() }

// configure makes the instance and gives it the configuration. Neither can reach anything outside. A guest that has not
// returned when forced ends is ended.
func (s *session) configure(ctx, forced context.Context) error {
	e := s.edition()
	imports := host.Imports{Serial: s.io, Socket: s.io, Data: s, Control: s, State: s, Log: s}
	s.phase = failure.PhaseConfigure
	s.lines.reset(time.Now())
	starting, abort := context.WithCancelCause(ctx)
	defer abort(nil)
	s.abort = abort
	span := s.span.Phase(string(s.phase))
	var err error
	s.guest, err = e.Module.Instantiate(starting, s.phase, module.InstanceConfig{
		Imports: imports, Limits: e.Limits.Limits, Secrets: e.Secrets, Output: s.output,
		IODetail: s.io.LastError,
	})
	if err != nil {
		s.channel.usage.lost(err)
		s.traced(span, err)
		return err
	}
	s.channel.usage.begin(s.guest)
	s.abort = s.guest.Abort
	defer s.endWith(forced)()
	err = s.forPeopleOf(s.guest.Configure(ctx, e.told()))
	s.traced(span, err)
	return err
}

// attempt makes the session that of an attempt.
func (s *session) attempt(ctx *supervise.Context) {
	s.request, s.signals.asked = ctx.RequestReconnect, ctx.Yield()
	s.log.logger, s.takeover = ctx.Logger(), ctx.Takeover()
	s.span = s.channel.trace(s.edition(), ctx)
	s.channel.attempt.Store(s)
}

func (s *session) connect(ctx *supervise.Context) error {
	return s.in(ctx, failure.PhaseConnect, func(ctx context.Context, session driver.Session) error {
		return s.guest.Connect(ctx, session)
	})
}

// Init implements supervise.Session.
func (s *session) Init(ctx *supervise.Context) (supervise.Handle, error) {
	h := &handle{by: s.by, commands: s.commands}
	err := s.in(ctx, failure.PhaseInit, func(ctx context.Context, session driver.Session) error {
		served, err := s.guest.Init(ctx, session)
		if err != nil {
			return err
		}
		h.points, h.actions = served.Points, served.Actions
		return s.edition().checkHandle(served)
	})
	if err != nil {
		return nil, err
	}
	s.ready = true
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

// in runs one phase. Its I/O ends ioMargin before the phase does, and a guest that is still calling the host when waiting is
// over is ended at its next call.
func (s *session) in(ctx *supervise.Context, phase failure.Phase, call func(context.Context, driver.Session) error) error {
	s.phase, s.log.logger = phase, ctx.Logger()
	s.signals.io.Store(true)
	defer s.signals.io.Store(false)
	var guestCtx context.Context = ctx
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		guestCtx, cancel = context.WithDeadline(ctx, deadline.Add(-ioMargin))
		defer cancel()
	}
	defer s.endWith(ctx.Forced())()
	span := s.span.Phase(string(phase))
	err := s.forPeopleOf(call(guestCtx, driver.Session{
		Attempt: ctx.Attempt(), Generation: ctx.Generation(), Takeover: ctx.Takeover(),
	}))
	s.traced(span, err)
	return err
}

// endWith ends the guest when forced ends, until the function that it returns is called.
func (s *session) endWith(forced context.Context) (release func()) {
	phase, aborted := s.phase, make(chan struct{})
	stop := context.AfterFunc(forced, func() {
		defer close(aborted)
		s.guest.Abort(failure.New(phase, failure.LimitDeadline, "the driver did not return in time"))
	})
	return func() {
		if !stop() {
			<-aborted
		}
	}
}

// forPeopleOf returns err with a summary for people.
func (s *session) forPeopleOf(err error) error {
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		f.Summary = s.forPeople(f.Summary)
	}
	return err
}

// Close implements supervise.Session.
func (s *session) Close(keep bool) error {
	s.commands.close()
	s.channel.catchUp(time.Now(), true)
	s.log.count()
	s.span.End()
	err := s.leave(keep)
	if s.guest != nil {
		s.channel.usage.end(s.guest)
		err = errors.Join(err, s.guest.Close(context.Background()))
		s.guest = nil
	}
	s.closing.Do(s.by.closed)
	return err
}

// leave ends the session's hold of ports and connections. One that took over and was never Ready leaves what it has not
// touched to the session that takes its place; one that gives way to an edition with other connections keeps nothing.
func (s *session) leave(keep bool) error {
	if s.takeover && !s.ready {
		return s.io.Abandon()
	}
	return s.io.Close(keep && s.channel.handsOver.Load())
}
