package socket

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/stream"
)

const (
	// MaxDatagram is the most that one datagram carries: what UDP over IPv4 has room for.
	MaxDatagram = 65507
	// maxPackets and maxPacketBytes bound what a socket keeps for a driver that does not receive.
	maxPackets     = 256
	maxPacketBytes = 512 << 10
	// sendTimeout is how long the operating system may take to accept a datagram.
	sendTimeout = time.Second
)

// Packet is a datagram that came in.
type Packet struct {
	Data []byte
	From netip.AddrPort
}

// Datagrams is an open, or opening, UDP socket. Its owner closes it. Whatever comes from where the grants do not reach is
// dropped, and counted.
type Datagrams struct {
	way     *Way
	peer    grant.Endpoint
	local   netip.AddrPort
	traffic *stream.Traffic
	log     *slog.Logger

	cancel context.CancelFunc
	ctx    context.Context
	wake   chan struct{} // capacity 1: something changed, for the call that waits
	asking sync.WaitGroup
	done   chan struct{} // closed when the socket is closed and its goroutines are at their end
	// touched is set when whoever borrows the socket has sent, or received.
	touched atomic.Bool

	mu     sync.Mutex
	conn   *net.UDPConn   // nil until open
	to     netip.AddrPort // of the peer
	err    error          // why the socket is of no use any more; set once
	heard  bool           // from the peer
	told   bool           // of the first datagram from elsewhere
	queue  []Packet
	bytes  int
	notify chan<- struct{}
	asked  map[string]error // names to send to: nil while they are asked for
}

// Bind starts to open a socket and returns at once. What comes and goes is added to traffic. Close must be called, also
// after a failure.
func (w *Way) Bind(g grant.UDP, traffic *stream.Traffic, log *slog.Logger) *Datagrams {
	ctx, cancel := context.WithCancel(context.Background())
	d := &Datagrams{
		way: w, local: g.Local, traffic: traffic, log: log, ctx: ctx, cancel: cancel,
		wake: make(chan struct{}, 1), done: make(chan struct{}), asked: make(map[string]error),
	}
	var err error
	if d.peer, err = grant.ParseEndpoint(g.Address); err != nil {
		d.fail(err)
	}
	go d.run()
	return d
}

// Err returns why the socket is of no use any more, or nil.
func (d *Datagrams) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}

// Dirty says whether a datagram was cut off: never.
func (d *Datagrams) Dirty() bool { return false }

// Touched says whether anybody has sent or received by the socket since Untouched.
func (d *Datagrams) Touched() bool { return d.touched.Load() }

// Untouched begins a new hold: see Touched.
func (d *Datagrams) Untouched() { d.touched.Store(false) }

// Done is closed when the socket is closed and its goroutines are at their end.
func (d *Datagrams) Done() <-chan struct{} { return d.done }

// Close ends the socket, and returns when it is closed. A name that nothing was heard from is asked for again next time.
func (d *Datagrams) Close() error {
	d.fail(stream.ErrClosed)
	<-d.done
	return nil
}

// Wake is poked at each change, for the one call that waits.
func (d *Datagrams) Wake() <-chan struct{} { return d.wake }

// run opens the socket and reads it until its end.
func (d *Datagrams) run() {
	defer close(d.done)
	defer d.asking.Wait()
	conn, to, err := d.open()
	if err != nil {
		d.fail(err)
		return
	}
	stop := context.AfterFunc(d.ctx, func() { _ = conn.Close() })
	d.mu.Lock()
	d.conn, d.to = conn, to
	d.changed()
	d.mu.Unlock()
	d.reads(conn)
	if stop() {
		_ = conn.Close() // it is of no use to anybody
	}
	if d.peer.Name != "" && !d.heard {
		d.way.Names.release(d.peer.Name)
	}
}

// open finds where the peer is, and binds the socket.
func (d *Datagrams) open() (*net.UDPConn, netip.AddrPort, error) {
	to, err := d.way.addresses(d.ctx, grant.NetworkUDP, d.peer)
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	network, bind := "udp4", d.local
	if !bind.IsValid() {
		bind = netip.AddrPortFrom(netip.IPv4Unspecified(), 0)
		if to[0].Addr().Is6() {
			bind = netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
		}
	}
	if bind.Addr().Is6() {
		network = "udp" // which takes IPv4 as well, where the address is the unspecified one
	}
	conn, err := new(net.ListenConfig).ListenPacket(d.ctx, network, bind.String())
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	return conn.(*net.UDPConn), to[0], nil
}

// reads keeps what comes in.
func (d *Datagrams) reads(conn *net.UDPConn) {
	buf := make([]byte, 64<<10)
	for d.ctx.Err() == nil {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		switch {
		case err == nil:
			d.arrived(buf[:n], netip.AddrPortFrom(from.Addr().Unmap(), from.Port()))
		case errors.Is(err, net.ErrClosed), !passing(err):
			d.fail(err)
		}
	}
}

// passing says whether an error is about a datagram that was sent before: some systems tell a socket so that nobody took
// it.
func passing(err error) bool {
	code := stream.Code(err)
	return code == driver.IOErrorReset || code == driver.IOErrorRefused || code == driver.IOErrorUnreachable
}

// arrived keeps a datagram, and drops the oldest where there is no room. One from elsewhere it drops.
func (d *Datagrams) arrived(data []byte, from netip.AddrPort) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if from != d.to && !d.way.mayHear(from) {
		d.traffic.Denied.Add(1)
		if !d.told {
			d.told = true
			d.log.Warn("datagram from elsewhere dropped, and others from now on", "source", from)
		}
		return
	}
	d.heard = d.heard || from == d.to
	d.traffic.Received.Add(uint64(len(data)))
	d.queue = append(d.queue, Packet{append([]byte(nil), data...), from})
	for d.bytes += len(data); len(d.queue) > maxPackets || d.bytes > maxPacketBytes; {
		d.bytes -= len(d.queue[0].Data)
		d.queue = d.queue[1:]
		d.traffic.Overflowed.Add(1)
	}
	d.changed()
}

// mayHear says whether datagrams from an address are granted: a pattern covers it, or it is that of a name which a
// pattern has.
func (w *Way) mayHear(from netip.AddrPort) bool {
	if w.Grants.CoversAddress(grant.NetworkUDP, from) {
		return true
	}
	for name := range w.Grants.Names(grant.NetworkUDP, from.Port()) {
		answer, _ := w.Names.known(name)
		for _, a := range answer {
			e := grant.Endpoint{Name: name, Port: from.Port()}
			if a == from.Addr() && w.Grants.Permits(grant.NetworkUDP, e, a) == nil {
				return true
			}
		}
	}
	return false
}

// Take returns the next datagram; false where there is none yet. It fails where none will come.
func (d *Datagrams) Take() (Packet, bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.queue) == 0 {
		return Packet{}, false, d.err
	}
	d.touched.Store(true)
	p := d.queue[0]
	d.queue[0] = Packet{}
	if d.queue = d.queue[1:]; len(d.queue) == 0 {
		d.queue = nil
	}
	d.bytes -= len(p.Data)
	return p, true, nil
}

// Readable says whether Take would answer, with a datagram or the reason why there is none.
func (d *Datagrams) Readable() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.queue) > 0 || d.err != nil
}

// Notify has c poked, without blocking, whenever Readable may have become true. nil ends it.
func (d *Datagrams) Notify(c chan<- struct{}) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.notify = c
}

// changed tells who waits. The lock is held.
func (d *Datagrams) changed() {
	poke(d.wake)
	if d.notify != nil {
		poke(d.notify)
	}
}

func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// fail ends the socket, with the first error that says why.
func (d *Datagrams) fail(err error) {
	d.mu.Lock()
	if d.err == nil {
		d.err = err
	}
	d.changed()
	d.mu.Unlock()
	d.cancel()
}
