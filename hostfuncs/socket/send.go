package socket

import (
	"net"
	"net/netip"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/stream"
)

// Send sends a datagram to an endpoint that the grants cover, or to the peer where that is nil. It never waits for a
// name: false says that it is asked for, or that the socket is not open yet, and Wake tells when to try again.
func (d *Datagrams) Send(data []byte, to *grant.Endpoint) (sent bool, err error) {
	conn, address, err := d.target(to)
	if err != nil || conn == nil {
		return false, err
	}
	d.touched.Store(true)
	if err := conn.SetWriteDeadline(time.Now().Add(sendTimeout)); err != nil {
		return false, err
	}
	n, err := conn.WriteToUDPAddrPort(data, address)
	d.traffic.Sent.Add(uint64(n))
	return err == nil, err
}

// IsPeer says whether an endpoint is the peer, as the configuration has it or as an address.
func (d *Datagrams) IsPeer(e grant.Endpoint) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return e.String() == d.peer.String() || e.Name == "" && e.Address() == d.to
}

// target returns the socket and where to send to; no socket while that is not known.
func (d *Datagrams) target(to *grant.Endpoint) (*net.UDPConn, netip.AddrPort, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.err != nil || d.conn == nil {
		return nil, netip.AddrPort{}, d.err
	}
	address := d.to
	if to != nil {
		found, err := d.find(*to)
		if err != nil || !found.IsValid() {
			return nil, netip.AddrPort{}, err
		}
		address = found
	}
	if local := d.conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(); !reaches(local, address.Addr()) {
		return nil, netip.AddrPort{}, stream.Errorf(driver.IOErrorUnreachable, "%s cannot be reached from %s", address, local)
	}
	return d.conn, address, nil
}

// reaches says whether a socket bound to an address can send to another one. Only the unspecified address of IPv6 is that
// of both families.
func reaches(local, to netip.Addr) bool {
	return local.Is4() == to.Is4() || local == netip.IPv6Unspecified()
}

// find returns the address of an endpoint; none while its name is asked for. The lock is held.
func (d *Datagrams) find(e grant.Endpoint) (netip.AddrPort, error) {
	if e.Name == "" {
		return e.Address(), nil
	}
	if answer, known := d.way.Names.known(e.Name); known {
		found, err := d.way.permitted(grant.NetworkUDP, e, answer)
		if err != nil {
			return netip.AddrPort{}, err
		}
		return found[0], nil
	}
	err, asked := d.asked[e.Name]
	switch {
	case !asked && d.ctx.Err() == nil:
		d.asked[e.Name] = nil
		d.asking.Go(func() { d.ask(e.Name) })
	case err != nil:
		delete(d.asked, e.Name) // the next one asks again
	}
	return netip.AddrPort{}, err
}

// ask asks for a name. Its addresses are kept where all names are.
func (d *Datagrams) ask(name string) {
	_, err := d.way.Names.ask(d.ctx, name)
	d.mu.Lock()
	defer d.mu.Unlock()
	if delete(d.asked, name); err != nil {
		d.asked[name] = err
	}
	d.changed()
}
