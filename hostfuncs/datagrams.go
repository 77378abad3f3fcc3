package hostfuncs

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/socket"
	"github.com/droverhq/drover/hostfuncs/stream"
)

// openWait is how long a datagram to be sent waits for its socket to open, or for a name: sending has no timeout.
const openWait = 5 * time.Second

// Bind implements host.Socket.
func (s *Session) Bind(_ context.Context, to driver.Target) component.Result[host.Datagrams, driver.IOError] {
	name, g, err := s.udp(to)
	if err != nil {
		return component.Err[host.Datagrams](s.report("open", name, err))
	}
	open := func(time.Time) *socket.Datagrams {
		return s.channel.way.Bind(g, &s.channel.traffic, s.channel.log.With("connection", name))
	}
	d, err := lend(s, name, open, func(line *socket.Datagrams, _ bool) *datagrams {
		return &datagrams{session: s, name: name, socket: line, waiter: stream.NewWaiter(s, line.Wake())}
	})
	if err != nil {
		return component.Err[host.Datagrams](s.report("open", name, err))
	}
	return component.OK[driver.IOError, host.Datagrams](d)
}

// udp returns what a guest means: a connection that it names, or an address that a pattern covers.
func (s *Session) udp(to driver.Target) (name string, g grant.UDP, err error) {
	if to.Tag() == driver.TargetTagAddress {
		e, err := s.endpoint(grant.NetworkUDP, to.Address())
		if err != nil {
			return to.Address(), grant.UDP{}, err
		}
		return byAddress(grant.NetworkUDP, e), grant.UDP{Address: e.String()}, nil
	}
	if !s.IOAllowed() {
		return to.Name(), grant.UDP{}, stream.ErrPhase
	}
	c, ok := s.channel.grants.Lookup(to.Name(), driver.ConnectionKindUDP)
	if !ok {
		return to.Name(), grant.UDP{}, notGranted("udp")
	}
	return c.Name, *c.UDP, nil
}

// datagrams is a UDP socket as one session sees it.
type datagrams struct {
	session  *Session
	name     string
	socket   *socket.Datagrams
	waiter   *stream.Waiter
	detached atomic.Bool
}

var _ host.Datagrams = (*datagrams)(nil)

// Detach implements held.
func (d *datagrams) Detach() { d.detached.Store(true) }

// Drop implements host.Datagrams: it gives the socket back, once.
func (d *datagrams) Drop(context.Context) {
	if !d.detached.Swap(true) {
		d.session.dropped(d, d.name)
	}
}

// Receive implements host.Datagrams.
func (d *datagrams) Receive(
	ctx context.Context, timeout driver.Duration,
) component.Result[driver.Packet, driver.IOError] {
	var packet socket.Packet
	err := d.usable()
	if err == nil {
		err = d.waiter.Wait(ctx, timeout, func() (done bool, err error) {
			packet, done, err = d.socket.Take()
			return done, err
		})
	}
	if err != nil {
		return component.Err[driver.Packet](d.session.report("receive", d.name, err))
	}
	return component.OK[driver.IOError](driver.Packet{Data: packet.Data, Source: packet.From.String()})
}

// Send implements host.Datagrams. It waits a short while for the socket to open and for a name to be found, and else
// never.
func (d *datagrams) Send(
	ctx context.Context, data []byte, to component.Option[string],
) component.Result[component.Unit, driver.IOError] {
	if err := d.send(ctx, data, to); err != nil {
		name := d.name
		if to.Some {
			name = to.Value
		}
		return component.Err[component.Unit](d.session.report("send", name, err))
	}
	return component.Done[driver.IOError]()
}

func (d *datagrams) send(ctx context.Context, data []byte, to component.Option[string]) error {
	if err := d.usable(); err != nil {
		return err
	}
	if len(data) > socket.MaxDatagram {
		return stream.Errorf(driver.IOErrorInvalid, "a datagram of more than %d bytes", socket.MaxDatagram)
	}
	target, err := d.target(to)
	if err != nil {
		return err
	}
	return d.waiter.Wait(ctx, uint64(openWait), func() (bool, error) { return d.socket.Send(data, target) })
}

// target returns where a datagram is to go; nil is the peer.
func (d *datagrams) target(to component.Option[string]) (*grant.Endpoint, error) {
	if !to.Some {
		return nil, nil
	}
	e, err := grant.ParseEndpoint(to.Value)
	switch {
	case err != nil:
		return nil, &stream.Error{Code: driver.IOErrorInvalid, Err: err}
	case d.socket.IsPeer(e):
		return nil, nil
	case !d.session.channel.grants.Covers(grant.NetworkUDP, e):
		return nil, notCovered(grant.NetworkUDP, e)
	}
	e = e.Plain()
	return &e, nil
}

func (d *datagrams) usable() error {
	switch {
	case !d.session.IOAllowed():
		return stream.ErrPhase
	case d.detached.Load():
		return stream.ErrDropped
	}
	return nil
}
