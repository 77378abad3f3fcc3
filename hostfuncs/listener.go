package hostfuncs

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/hostfuncs/socket"
	"github.com/droverhq/drover/hostfuncs/stream"
)

// from joins a listener's name and the peer of a connection that it took to the name of that connection's lease.
const from = " from "

// Listen implements host.Socket.
func (s *Session) Listen(_ context.Context, name string) component.Result[host.Listener, driver.IOError] {
	l, err := s.listen(name)
	if err != nil {
		return component.Err[host.Listener](s.report("listen on", name, err))
	}
	return component.OK[driver.IOError, host.Listener](l)
}

func (s *Session) listen(name string) (*listener, error) {
	if !s.IOAllowed() {
		return nil, stream.ErrPhase
	}
	g, ok := s.channel.grants.Lookup(name, driver.ConnectionKindListener)
	if !ok {
		return nil, notGranted("listener")
	}
	open := func(time.Time) *socket.Listener {
		return socket.Listen(*g.Listener, &s.channel.traffic, s.channel.log.With("connection", name))
	}
	l, err := lend(s, name, open, func(line *socket.Listener, _ bool) *listener {
		return &listener{session: s, name: name, socket: line, waiter: stream.NewWaiter(s, line.Wake())}
	})
	if err != nil {
		return nil, err
	}
	if err := l.socket.Err(); err != nil {
		l.Drop(context.Background())
		return nil, err
	}
	l.parked = s.channel.leases.Parked(name + from)
	return l, nil
}

// listener is a listening socket as one session sees it.
type listener struct {
	session *Session
	name    string
	socket  *socket.Listener
	waiter  *stream.Waiter
	// parked are the connections of the session before, by the names of their leases.
	parked   []string
	detached atomic.Bool
}

var _ host.Listener = (*listener)(nil)

// Detach implements held.
func (l *listener) Detach() { l.detached.Store(true) }

// Drop implements host.Listener: it gives the listener back, once. The connections that it took stay.
func (l *listener) Drop(context.Context) {
	if !l.detached.Swap(true) {
		l.session.dropped(l, l.name)
	}
}

// Accept implements host.Listener. The connections of a session that has yielded come first, resumed.
func (l *listener) Accept(
	ctx context.Context, timeout driver.Duration,
) component.Result[component.Tuple2[host.Stream, string], driver.IOError] {
	st, peer, err := l.accept(ctx, timeout)
	if err != nil {
		return component.Err[component.Tuple2[host.Stream, string]](l.session.report("accept at", l.name, err))
	}
	return component.OK[driver.IOError](component.Tuple2[host.Stream, string]{F0: st, F1: peer})
}

func (l *listener) accept(ctx context.Context, timeout driver.Duration) (*stream.Stream, string, error) {
	if err := l.usable(); err != nil {
		return nil, "", err
	}
	for len(l.parked) > 0 {
		name := l.parked[0]
		l.parked = l.parked[1:]
		if st, err := l.session.resume(name); st != nil || err != nil {
			return st, strings.TrimPrefix(name, l.name+from), err
		}
	}
	var taken socket.Accepted
	err := l.waiter.Wait(ctx, timeout, func() (done bool, err error) {
		taken, done, err = l.socket.Take()
		return done, err
	})
	if err != nil {
		return nil, "", err
	}
	st, err := l.open(taken)
	if err != nil {
		taken.Close()
	}
	return st, taken.Peer.String(), err
}

// open makes a stream of a connection that was taken.
func (l *listener) open(a socket.Accepted) (*stream.Stream, error) {
	return l.session.lendStream(l.name+from+a.Peer.String(), func(time.Time) *stream.Line {
		return stream.OpenCounted(&l.session.channel.traffic, func(context.Context) (stream.Device, error) { return a.Open(), nil })
	})
}

// resume gives the instance a connection that the session before has left; none where it has ended since.
func (s *Session) resume(name string) (*stream.Stream, error) {
	st, err := s.lendStream(name, func(time.Time) *stream.Line {
		return stream.Open(func(context.Context) (stream.Device, error) { return nil, stream.ErrClosed })
	})
	if err == nil && !st.Resumed(context.Background()) {
		st.Drop(context.Background())
		return nil, nil
	}
	return st, err
}

func (l *listener) usable() error {
	s := l.session
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case !s.IOAllowed():
		return stream.ErrPhase
	case l.detached.Load():
		return stream.ErrDropped
	}
	return s.room()
}
