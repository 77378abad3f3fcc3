package sdk

import (
	"fmt"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// MaxDatagram is the most bytes that one datagram carries.
const MaxDatagram = 65507

// Packet is a datagram that came in: its data, and its source as "host:port".
type Packet = driver.Packet

// Datagrams is a UDP socket, borrowed from the host. It receives what comes from its peer and from where the channel's
// grants reach; the host drops everything else, and the oldest of what is not received in time.
//
// Context.Wait does not wait for it: a driver receives where it expects an answer, or for a short while in each poll. It
// belongs to the one thread that a driver is.
type Datagrams struct {
	ctx    *Context
	handle DatagramsHandle
	name   string
	closed bool
}

// Bind opens the UDP connection of that name. It answers at once: what follows waits for the socket to be open. The
// caller closes it, unless the session yields.
func (c *Context) Bind(name string) (*Datagrams, error) {
	return c.newDatagrams(name, c.host.SocketBind(driver.TargetName(name)))
}

// BindAddress opens a UDP socket whose peer is "host:port" or "[v6]:port", where the channel's grants cover it.
func (c *Context) BindAddress(address string) (*Datagrams, error) {
	return c.newDatagrams(address, c.host.SocketBind(driver.TargetAddress(address)))
}

func (c *Context) newDatagrams(name string, r component.Result[DatagramsHandle, driver.IOError]) (*Datagrams, error) {
	if r.Failed {
		return nil, fmt.Errorf("open UDP socket %q: %w", name, IOError(r.Err))
	}
	return &Datagrams{ctx: c, handle: r.Value, name: name}, nil
}

// Name returns the name or the address that the socket was opened by.
func (d *Datagrams) Name() string { return d.name }

// Receive waits for the next datagram. A yield or stop ends it with ErrCancelled; within Context.Hold, a yield does not.
func (d *Datagrams) Receive(timeout time.Duration) (Packet, error) {
	if d.closed {
		return Packet{}, ErrClosed
	}
	deadline := d.ctx.deadline(timeout)
	r := d.ctx.host.DatagramsReceive(d.handle, nanos(timeout))
	if r.Failed && d.ctx.carryOn(r.Err) {
		r = d.ctx.host.DatagramsReceive(d.handle, d.ctx.until(deadline))
	}
	if r.Failed {
		return Packet{}, IOError(r.Err)
	}
	return r.Value, nil
}

// Send sends a datagram to the peer.
func (d *Datagrams) Send(data []byte) error { return d.send(data, component.None[string]()) }

// SendTo sends a datagram to "host:port" or "[v6]:port": the peer, or where the channel's grants reach.
func (d *Datagrams) SendTo(address string, data []byte) error {
	return d.send(data, component.Some(clean(address)))
}

func (d *Datagrams) send(data []byte, to component.Option[string]) error {
	if d.closed {
		return ErrClosed
	}
	return ioError(d.ctx.host.DatagramsSend(d.handle, data, to))
}

// Close gives the socket back. The host closes it, unless the session yields. A second Close returns ErrClosed.
func (d *Datagrams) Close() error {
	if d.closed {
		return ErrClosed
	}
	d.closed = true
	d.ctx.host.DatagramsDrop(d.handle)
	return nil
}
