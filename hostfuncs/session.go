package hostfuncs

import (
	"errors"
	"sync"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/lease"
	"github.com/droverhq/drover/hostfuncs/stream"
)

// Signals is what a session's runtime tells the I/O that runs for it, and hears of it. Its methods must not block.
type Signals interface {
	stream.Signals
	// Streams returns how many streams, sockets and listeners the instance may have open at a time; one more is `busy`.
	Streams() int
	// Denied hears, on the goroutine of the guest's call, that it wanted to open what it was not granted; why is for
	// people.
	Denied(name, why string)
	// Refused hears, likewise, that it was refused what is out of range, or beyond its limits.
	Refused()
}

// Session is what one instance may reach. The instance makes one call at a time; LastError and Close may come from
// elsewhere.
type Session struct {
	Signals
	channel *Channel

	mu      sync.Mutex
	held    map[held]struct{}
	ended   bool
	failure stream.Failure
	failed  bool
	denial  *stream.Error // the last one that was told
}

// held is what an instance has of the host: a stream, a UDP socket or a listener.
type held interface {
	// Detach ends the instance's hold.
	Detach()
}

var (
	_ host.Serial  = (*Session)(nil)
	_ host.Socket  = (*Session)(nil)
	_ stream.Owner = (*Session)(nil)
)

// LastError returns the error behind the last io-error that the guest was given, for people; or nil.
func (s *Session) LastError() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.failed {
		return nil
	}
	return s.failure
}

// Close ends the session's hold: what it has open is closed when Close returns. With keep, because the session yielded,
// what is open and clean stays so for the session that takes over. What the instance did not drop answers
// `closed` from then on.
func (s *Session) Close(keep bool) error {
	s.end()
	return s.channel.leases.End(s, keep)
}

// Abandon is Close for a session that took over from another and failed before it was Ready: what it took over and has
// not touched stays open, for the session that takes its place.
func (s *Session) Abandon() error {
	s.end()
	return s.channel.leases.Abandon(s)
}

func (s *Session) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for h := range s.held {
		h.Detach()
	}
	s.held = nil
}

// Failed implements stream.Owner.
func (s *Session) Failed(f stream.Failure) {
	s.mu.Lock()
	s.failure, s.failed = f, true
	s.mu.Unlock()
	switch {
	case errors.Is(f, grant.ErrDenied):
		s.deny(f)
	case f.Code == driver.IOErrorInvalid, errors.Is(f, errTooMany), errors.Is(f, lease.ErrBusy):
		s.Refused()
	}
}

// deny tells of a refusal, once: every call on a connection that could not be opened for it has the same.
func (s *Session) deny(f stream.Failure) {
	why, _ := errors.AsType[*stream.Error](f.Cause)
	s.mu.Lock()
	again := why != nil && s.denial == why
	s.denial = why
	s.mu.Unlock()
	if !again {
		s.Denied(f.Name, f.Cause.Error())
	}
}

// Dropped implements stream.Owner.
func (s *Session) Dropped(st *stream.Stream) { s.dropped(st, st.Name()) }

// dropped gives back what was leased by that name.
func (s *Session) dropped(h held, name string) {
	s.mu.Lock()
	delete(s.held, h)
	s.mu.Unlock()
	if err := s.channel.leases.Return(s, name, s.Yielding()); err != nil {
		s.channel.log.Warn("a port cannot be closed", "connection", name, "error", err)
	}
}

// borrow gives the instance the connection of that name and kind as a stream.
func (s *Session) borrow(name string, kind driver.ConnectionKind) component.Result[host.Stream, driver.IOError] {
	if !s.IOAllowed() {
		return s.refuse(name, stream.ErrPhase)
	}
	g, ok := s.channel.grants.Lookup(name, kind)
	if !ok {
		return s.refuse(name, notGranted(kind.String()))
	}
	return s.stream(g)
}

// stream gives the instance a port or a connection, which is granted, as a stream.
func (s *Session) stream(g grant.Connection) component.Result[host.Stream, driver.IOError] {
	st, err := s.lendStream(g.Name, func(soiled time.Time) *stream.Line { return s.channel.line(g, soiled) })
	if err != nil {
		return s.refuse(g.Name, err)
	}
	return component.OK[driver.IOError, host.Stream](st)
}

func (s *Session) lendStream(name string, open func(soiled time.Time) *stream.Line) (*stream.Stream, error) {
	return lend(s, name, open, func(line *stream.Line, resumed bool) *stream.Stream {
		return stream.New(name, line, s, resumed)
	})
}

// lend gives the instance what is leased by a name, opened where it is not, as what hand makes of it.
func lend[L lease.Line, H held](
	s *Session, name string, open func(soiled time.Time) L, hand func(line L, resumed bool) H,
) (none H, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.room(); err != nil {
		return none, err
	}
	line, resumed, err := s.channel.leases.Borrow(s, name, func(soiled time.Time) lease.Line { return open(soiled) })
	if errors.Is(err, lease.ErrBusy) {
		return none, &stream.Error{Code: driver.IOErrorBusy, Err: err}
	}
	if err != nil {
		return none, err
	}
	h := hand(line.(L), resumed)
	if s.held == nil {
		s.held = map[held]struct{}{}
	}
	s.held[h] = struct{}{}
	return h, nil
}

// room says why the instance can have nothing more. The lock is held.
func (s *Session) room() error {
	switch {
	case s.ended:
		return errEnded
	case len(s.held) >= s.Streams():
		return errTooMany
	}
	return nil
}

var (
	errEnded   = stream.Errorf(driver.IOErrorClosed, "the session has ended")
	errTooMany = stream.Errorf(driver.IOErrorBusy, "the driver has as many streams, sockets and listeners open as its limit allows")
)

// notGranted refuses a name of a kind of connection.
func notGranted(kind string) error {
	return stream.Errorf(driver.IOErrorNotFound, "%w: no %s connection of that name is configured", grant.ErrDenied, kind)
}

// refuse reports why a connection could not be had.
func (s *Session) refuse(name string, err error) component.Result[host.Stream, driver.IOError] {
	return component.Err[host.Stream](s.report("open", name, err))
}

func (s *Session) report(op, name string, err error) driver.IOError {
	code := stream.Code(err)
	s.Failed(stream.Failure{Op: op, Name: name, Code: code, Cause: err})
	return code
}
