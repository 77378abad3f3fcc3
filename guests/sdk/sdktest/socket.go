package sdktest

import (
	"bytes"
	"slices"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
)

// Datagram is what a peer sends, that long after what it answers or after the Push. Without a source it is from the
// socket's own peer.
type Datagram struct {
	After  time.Duration
	Source string
	Data   []byte
}

// Peer answers the datagrams that a driver sends: to is empty for the socket's own peer. A nil Peer answers nothing.
type Peer func(to string, data []byte) []Datagram

// Socket is a UDP socket with peers. Its exported fields may be changed at any time.
type Socket struct {
	// Err, if not nil, is an sdk.IOError that binding answers.
	Err error
	// Denied are addresses that sending to is refused.
	Denied []string

	host   *Host
	name   string
	peer   Peer
	handle sdk.DatagramsHandle // 0: not open
	inbox  []arrival           // by time of arrival
	sent   []Datagram
}

type arrival struct {
	at     time.Time
	packet driver.Packet
}

// Socket makes a UDP connection of the configuration, or what may be bound by that address.
func (h *Host) Socket(name string, peer Peer) *Socket {
	s := &Socket{host: h, name: name, peer: peer}
	h.sockets = append(h.sockets, s)
	return s
}

// Push has peers send something unasked.
func (s *Socket) Push(datagrams ...Datagram) {
	for _, d := range datagrams {
		if d.Source == "" {
			d.Source = s.name
		}
		s.inbox = append(s.inbox, arrival{
			s.host.now.Add(d.After), driver.Packet{Data: bytes.Clone(d.Data), Source: d.Source},
		})
	}
	slices.SortStableFunc(s.inbox, func(a, b arrival) int { return a.at.Compare(b.at) })
}

// Sent returns what the driver sent. Source is where to; After is when, by the fake clock.
func (s *Socket) Sent() []Datagram { return s.sent }

// Open says whether the driver holds the socket open.
func (s *Socket) Open() bool { return s.handle != 0 }

func (s *Socket) changes(times []time.Time) []time.Time {
	if s.handle != 0 && len(s.inbox) > 0 {
		times = append(times, s.inbox[0].at)
	}
	return times
}

// SocketBind implements sdk.Host.
func (h *Host) SocketBind(to driver.Target) component.Result[sdk.DatagramsHandle, driver.IOError] {
	name := to.Name()
	if to.Tag() == driver.TargetTagAddress {
		name = to.Address()
	}
	i := slices.IndexFunc(h.sockets, func(s *Socket) bool { return s.name == name })
	switch {
	case h.phase == "configure":
		return component.Err[sdk.DatagramsHandle](driver.IOErrorInvalid)
	case i < 0 && to.Tag() == driver.TargetTagAddress:
		return component.Err[sdk.DatagramsHandle](driver.IOErrorDenied)
	case i < 0:
		return component.Err[sdk.DatagramsHandle](driver.IOErrorNotFound)
	case h.sockets[i].Err != nil:
		return component.Err[sdk.DatagramsHandle](cause(h, h.sockets[i].Err))
	case h.sockets[i].handle != 0:
		return component.Err[sdk.DatagramsHandle](driver.IOErrorBusy)
	}
	h.handles++
	h.sockets[i].handle = sdk.DatagramsHandle(h.handles)
	return component.OK[driver.IOError](h.sockets[i].handle)
}

// socket returns the socket behind a handle. The real host ends an instance that uses a stale one.
func (h *Host) socket(d sdk.DatagramsHandle) *Socket {
	h.tb.Helper()
	i := slices.IndexFunc(h.sockets, func(s *Socket) bool { return s.handle == d && d != 0 })
	if i < 0 {
		h.tb.Fatalf("sdktest: the driver used UDP socket %d, which is not open", d)
	}
	return h.sockets[i]
}

// DatagramsReceive implements sdk.Host.
func (h *Host) DatagramsReceive(d sdk.DatagramsHandle, timeout uint64) component.Result[driver.Packet, driver.IOError] {
	s := h.socket(d)
	arrived := func() bool { return len(s.inbox) > 0 && !s.inbox[0].at.After(h.now) }
	if cause, ready := h.block(timeout, arrived); !ready {
		return component.Err[driver.Packet](cause)
	}
	p := s.inbox[0].packet
	s.inbox = s.inbox[1:]
	return component.OK[driver.IOError](p)
}

// DatagramsSend implements sdk.Host.
func (h *Host) DatagramsSend(d sdk.DatagramsHandle, data []byte, to component.Option[string]) done {
	s := h.socket(d)
	h.checkText(to.Value)
	switch {
	case len(data) > sdk.MaxDatagram:
		return failed(driver.IOErrorInvalid)
	case to.Some && slices.Contains(s.Denied, to.Value):
		return failed(driver.IOErrorDenied)
	}
	s.sent = append(s.sent, Datagram{h.Elapsed(), to.Value, bytes.Clone(data)})
	if s.peer != nil {
		s.Push(s.peer(to.Value, bytes.Clone(data))...)
	}
	return ok()
}

// DatagramsDrop implements sdk.Host.
func (h *Host) DatagramsDrop(d sdk.DatagramsHandle) { h.socket(d).handle = 0 }
