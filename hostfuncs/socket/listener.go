package socket

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/stream"
)

const (
	// maxBacklog is how many connections wait to be accepted by the driver. Further ones wait in the operating system's
	// queue, which has a bound of its own.
	maxBacklog = 16
	// acceptPause is how long a listener rests where the process, or the machine, has no room for a connection.
	acceptPause = time.Second
)

// Accepted is a connection that came in. Who takes it opens or closes it.
type Accepted struct {
	Peer netip.AddrPort
	conn net.Conn
}

// Open returns the connection as a device.
func (a Accepted) Open() stream.Device { return newConn(a.conn) }

// Close ends a connection that nobody opened.
func (a Accepted) Close() { _ = a.conn.Close() } // nobody is left who could act on it

// Listener takes connections. Its owner closes it.
type Listener struct {
	from    []netip.Prefix
	traffic *stream.Traffic
	log     *slog.Logger

	listener net.Listener // nil where it could not be opened
	ctx      context.Context
	cancel   context.CancelFunc
	wake     chan struct{} // capacity 1: something changed, for the call that waits
	room     chan struct{} // capacity 1: the backlog has room again
	done     chan struct{} // closed when it is closed and its goroutine is at its end

	mu      sync.Mutex
	err     error // why it is of no use any more; set once
	told    bool  // of the first connection from elsewhere
	backlog []Accepted
	notify  chan<- struct{}
}

// Listen listens on an address. Where that is not possible, Err says why at once. Close must be called, also then.
func Listen(g grant.Listener, traffic *stream.Traffic, log *slog.Logger) *Listener {
	ctx, cancel := context.WithCancel(context.Background())
	l := &Listener{
		from: g.From, traffic: traffic, log: log, ctx: ctx, cancel: cancel,
		wake: make(chan struct{}, 1), room: make(chan struct{}, 1), done: make(chan struct{}),
	}
	network := "tcp4"
	if g.Address.Addr().Is6() {
		network = "tcp" // which takes IPv4 as well, where the address is the unspecified one
	}
	config := net.ListenConfig{KeepAliveConfig: keepAlive()}
	if l.listener, l.err = config.Listen(ctx, network, g.Address.String()); l.err != nil {
		cancel()
		close(l.done)
		return l
	}
	go l.run()
	return l
}

// Err returns why the listener is of no use any more, or nil.
func (l *Listener) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Dirty says whether somebody saw a part of something: never.
func (l *Listener) Dirty() bool { return false }

// Touched says whether anybody did what the next one could not go on from: never. Untouched has nothing to do.
func (l *Listener) Touched() bool { return false }

// Untouched begins a new hold.
func (l *Listener) Untouched() {}

// Done is closed when the listener is closed and its goroutine is at its end.
func (l *Listener) Done() <-chan struct{} { return l.done }

// Close ends the listener, and the connections that nobody has accepted. It returns when they are closed.
func (l *Listener) Close() error {
	l.fail(stream.ErrClosed)
	<-l.done
	return nil
}

// Wake is poked at each change, for the one call that waits.
func (l *Listener) Wake() <-chan struct{} { return l.wake }

// run takes connections until the end.
func (l *Listener) run() {
	defer close(l.done)
	for l.ctx.Err() == nil {
		conn, err := l.listener.Accept()
		switch {
		case err == nil:
			l.arrived(conn)
		case errors.Is(err, net.ErrClosed):
			l.fail(err)
		default:
			l.rest(err)
		}
	}
	_ = l.listener.Close() // nobody is left who could act on it
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, a := range l.backlog {
		a.Close()
	}
	l.backlog = nil
}

// rest waits where there is no room for a connection, for the process or in the machine: it will be there again.
func (l *Listener) rest(err error) {
	l.log.Warn("no connection can be accepted", "error", err)
	timer := time.NewTimer(acceptPause)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-l.ctx.Done():
	}
}

// arrived keeps a connection, and waits for room where there is none. One from elsewhere is closed.
func (l *Listener) arrived(conn net.Conn) {
	peer := conn.RemoteAddr().(*net.TCPAddr).AddrPort()
	peer = netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())
	if !l.takes(peer.Addr()) {
		l.turnAway(conn, peer)
		return
	}
	for l.ctx.Err() == nil {
		l.mu.Lock()
		if len(l.backlog) < maxBacklog {
			l.backlog = append(l.backlog, Accepted{peer, conn})
			l.changed()
			l.mu.Unlock()
			return
		}
		l.mu.Unlock()
		select {
		case <-l.room:
		case <-l.ctx.Done():
		}
	}
	_ = conn.Close() // nobody will accept it
}

func (l *Listener) takes(a netip.Addr) bool {
	return len(l.from) == 0 || slices.ContainsFunc(l.from, func(p netip.Prefix) bool { return p.Contains(a.WithZone("")) })
}

// turnAway closes a connection from elsewhere.
func (l *Listener) turnAway(conn net.Conn, peer netip.AddrPort) {
	_ = conn.Close() // the peer is nobody's
	l.traffic.Denied.Add(1)
	if !l.told {
		l.told = true
		l.log.Warn("connection from elsewhere closed, and others from now on", "source", peer)
	}
}

// Take returns the next connection; false where there is none yet. It fails where none will come.
func (l *Listener) Take() (Accepted, bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.backlog) == 0 || l.err != nil {
		return Accepted{}, false, l.err
	}
	a := l.backlog[0]
	l.backlog = slices.Delete(l.backlog, 0, 1)
	poke(l.room)
	return a, true, nil
}

// Readable says whether Take would answer, with a connection or the reason why there is none.
func (l *Listener) Readable() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.backlog) > 0 || l.err != nil
}

// Notify has c poked, without blocking, whenever Readable may have become true. nil ends it.
func (l *Listener) Notify(c chan<- struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notify = c
}

// changed tells who waits. The lock is held.
func (l *Listener) changed() {
	poke(l.wake)
	if l.notify != nil {
		poke(l.notify)
	}
}

// fail ends the listener, with the first error that says why.
func (l *Listener) fail(err error) {
	l.mu.Lock()
	if l.err == nil {
		l.err = err
	}
	l.changed()
	l.mu.Unlock()
	l.cancel()
	if l.listener != nil {
		_ = l.listener.Close() // a second one only says so
	}
}
