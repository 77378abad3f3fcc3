package hostfuncs

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/socket"
)

// udpSocket is the socket of somebody on this machine, closed with the test.
func udpSocket(t *testing.T, address string) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort(address)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// hear returns the next datagram, and who sent it.
func hear(t *testing.T, conn *net.UDPConn) (string, netip.AddrPort) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	n, from, err := conn.ReadFromUDPAddrPort(buf)
	if err != nil {
		t.Fatal(err)
	}
	return string(buf[:n]), netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
}

func tell(t *testing.T, conn *net.UDPConn, to netip.AddrPort, text string) {
	t.Helper()
	if _, err := conn.WriteToUDPAddrPort([]byte(text), to); err != nil {
		t.Fatal(err)
	}
}

func udp(name string, peer *net.UDPConn) grant.Connection {
	return grant.Connection{Name: name, UDP: &grant.UDP{Address: peer.LocalAddr().String()}}
}

// bind must give a socket.
func bind(t *testing.T, s *Session, to driver.Target) host.Datagrams {
	t.Helper()
	r := s.Bind(t.Context(), to)
	if r.Failed {
		t.Fatalf("bind: %v: %v", r.Err, s.LastError())
	}
	return r.Value
}

func peerless() component.Option[string] { return component.None[string]() }

// receive must give this datagram.
func receive(t *testing.T, s *Session, d host.Datagrams, want string) driver.Packet {
	t.Helper()
	r := d.Receive(t.Context(), long)
	if r.Failed || string(r.Value.Data) != want {
		t.Fatalf("got %q, %v: %v; want %q", r.Value.Data, r.Err, s.LastError(), want)
	}
	return r.Value
}

func TestDatagrams(t *testing.T) {
	device := udpSocket(t, "127.0.0.1:0")
	c := channel(t, udp("bus", device))
	s := c.Session(newSignals())
	d := bind(t, s, driver.TargetName("bus"))
	done(t, s, d.Send(t.Context(), []byte("question"), peerless()))
	question, driverAt := hear(t, device)
	if question != "question" {
		t.Errorf("the device heard %q", question)
	}
	tell(t, device, driverAt, "answer")
	if p := receive(t, s, d, "answer"); p.Source != device.LocalAddr().String() {
		t.Errorf("from %s", p.Source)
	}
	// The peer may be named by its address, and a datagram may be empty.
	done(t, s, d.Send(t.Context(), nil, component.Some(device.LocalAddr().String())))
	if empty, _ := hear(t, device); empty != "" {
		t.Errorf("the device heard %q", empty)
	}
	failed(t, d.Receive(t.Context(), 0), driver.IOErrorTimeout)
	failed(t, d.Send(t.Context(), make([]byte, socket.MaxDatagram+1), peerless()), driver.IOErrorInvalid)
	failed(t, s.Bind(t.Context(), driver.TargetName("bus")), driver.IOErrorBusy)
	d.Drop(t.Context())
	failed(t, d.Receive(t.Context(), long), driver.IOErrorClosed)
	if n := c.OpenLines(); n != 0 {
		t.Errorf("%d are open", n)
	}
	if received, sent := c.Traffic(); received != 6 || sent != 8 {
		t.Errorf("counted %d bytes in and %d out", received, sent)
	}
}

// TestDatagramsFromElsewhere are dropped, and counted; those from where a pattern reaches are not.
func TestDatagramsFromElsewhere(t *testing.T) {
	device, stranger, other := udpSocket(t, "127.0.0.1:0"), udpSocket(t, "127.0.0.1:0"), udpSocket(t, "127.0.0.1:0")
	c := granted(t, Config{}, grant.Grants{
		Connections: []grant.Connection{udp("bus", device)},
		UDP:         []grant.Pattern{pattern(t, "127.0.0.1/32", other.LocalAddr().String())},
	})
	heard := newSignals()
	s := c.Session(heard)
	d := bind(t, s, driver.TargetName("bus"))
	done(t, s, d.Send(t.Context(), []byte("here I am"), peerless()))
	_, driverAt := hear(t, device)
	tell(t, stranger, driverAt, "spoofed")
	tell(t, other, driverAt, "granted")
	tell(t, device, driverAt, "answer")
	receive(t, s, d, "granted")
	receive(t, s, d, "answer")
	if denied, overflowed := c.Dropped(); denied != 1 || overflowed != 0 {
		t.Errorf("dropped %d and %d", denied, overflowed)
	}
	done(t, s, d.Send(t.Context(), []byte("hello"), component.Some(other.LocalAddr().String())))
	if text, _ := hear(t, other); text != "hello" {
		t.Errorf("the other heard %q", text)
	}
	for range 2 {
		failed(t, d.Send(t.Context(), []byte("leak"), component.Some(stranger.LocalAddr().String())), driver.IOErrorDenied)
	}
	failed(t, d.Send(t.Context(), []byte("leak"), component.Some("secret.example:53")), driver.IOErrorDenied)
	failed(t, d.Send(t.Context(), []byte("leak"), component.Some("nowhere")), driver.IOErrorInvalid)
	failed(t, d.Send(t.Context(), []byte("leak"), component.Some("[::1]:53")), driver.IOErrorDenied)
	if len(heard.denied) != 4 || heard.refused != 1 {
		t.Errorf("heard %q and %d refusals", heard.denied, heard.refused)
	}
}

// TestDatagramsByAddressAndName: a pattern is enough, and a name that it has is found without holding a stop up.
func TestDatagramsByAddressAndName(t *testing.T) {
	device, named := udpSocket(t, "127.0.0.1:0"), udpSocket(t, "127.0.0.1:0")
	book := &names{answers: map[string]string{"meter.lan": "127.0.0.1"}}
	port := netip.MustParseAddrPort(named.LocalAddr().String()).Port()
	c := granted(t, Config{Resolver: book}, grant.Grants{UDP: []grant.Pattern{
		pattern(t, "127.0.0.1/32", device.LocalAddr().String()), {Name: "meter.lan", First: port, Last: port},
		pattern(t, "127.0.0.0/8", named.LocalAddr().String()), {Name: "gone.lan", First: port, Last: port},
	}})
	s := c.Session(newSignals())
	d := bind(t, s, driver.TargetAddress(device.LocalAddr().String()))
	done(t, s, d.Send(t.Context(), []byte("a"), peerless()))
	if text, _ := hear(t, device); text != "a" {
		t.Errorf("heard %q", text)
	}
	for range 2 {
		done(t, s, d.Send(t.Context(), []byte("b"), component.Some(fmt.Sprint("Meter.lan:", port))))
		text, driverAt := hear(t, named)
		tell(t, named, driverAt, "answer to "+text)
		receive(t, s, d, "answer to b")
	}
	if book.asked != 1 {
		t.Errorf("asked for the name %d times", book.asked)
	}
	failed(t, d.Send(t.Context(), []byte("c"), component.Some(fmt.Sprint("gone.lan:", port))), driver.IOErrorNotFound)
	failed(t, s.Bind(t.Context(), driver.TargetAddress("127.0.0.1:1")), driver.IOErrorDenied)
	failed(t, s.Bind(t.Context(), driver.TargetAddress("nowhere")), driver.IOErrorInvalid)
	failed(t, s.Bind(t.Context(), driver.TargetName("bus")), driver.IOErrorNotFound)
}

// TestDatagramsNameLeadsHome: the socket fails, which is one refusal.
func TestDatagramsNameLeadsHome(t *testing.T) {
	book := &names{answers: map[string]string{"meter.lan": "127.0.0.1"}}
	c := granted(t, Config{Resolver: book}, grant.Grants{Connections: []grant.Connection{
		{Name: "bus", UDP: &grant.UDP{Address: "meter.lan:53"}},
	}})
	heard := newSignals()
	s := c.Session(heard)
	d := bind(t, s, driver.TargetName("bus"))
	failed(t, d.Receive(t.Context(), long), driver.IOErrorDenied)
	failed(t, d.Send(t.Context(), []byte("x"), peerless()), driver.IOErrorDenied)
	if len(heard.denied) != 1 || !strings.Contains(heard.denied[0], "meter.lan is 127.0.0.1") {
		t.Errorf("heard %q", heard.denied)
	}
}

// TestDatagramsAreBounded: a driver that does not receive loses the oldest.
func TestDatagramsAreBounded(t *testing.T) {
	device := udpSocket(t, "127.0.0.1:0")
	c := channel(t, udp("bus", device))
	s := c.Session(newSignals())
	d := bind(t, s, driver.TargetName("bus"))
	done(t, s, d.Send(t.Context(), []byte("here I am"), peerless()))
	_, driverAt := hear(t, device)
	const most = 256
	sent := 0
	for _, overflowed := c.Dropped(); overflowed < 10; _, overflowed = c.Dropped() {
		tell(t, device, driverAt, fmt.Sprint(sent))
		sent++
	}
	r := d.Receive(t.Context(), long)
	if r.Failed || string(r.Value.Data) == "0" {
		t.Errorf("got %q, %v", r.Value.Data, r.Err)
	}
	kept := 1
	for !d.Receive(t.Context(), 0).Failed {
		kept++
	}
	if kept > most+sent {
		t.Errorf("%d were kept", kept)
	}
}

// TestDatagramsEndWithTheSession: stop and yield end a call that waits, and what yields hands its socket over, with what
// came in.
func TestDatagramsEndWithTheSession(t *testing.T) {
	device := udpSocket(t, "127.0.0.1:0")
	c := channel(t, udp("bus", device))
	asked := newSignals()
	first := c.Session(asked)
	d := bind(t, first, driver.TargetName("bus"))
	done(t, first, d.Send(t.Context(), []byte("here I am"), peerless()))
	_, driverAt := hear(t, device)
	ctx, stop := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, stop)
	failed(t, d.Receive(ctx, long), driver.IOErrorCancelled)
	time.AfterFunc(10*time.Millisecond, asked.ask)
	failed(t, d.Receive(t.Context(), long), driver.IOErrorCancelled)
	tell(t, device, driverAt, "late")
	receive(t, first, d, "late")
	tell(t, device, driverAt, "later")
	d.Drop(t.Context())
	if err := first.Close(true); err != nil {
		t.Fatal(err)
	}
	failed(t, d.Receive(t.Context(), long), driver.IOErrorClosed)
	second := c.Session(newSignals())
	d = bind(t, second, driver.TargetName("bus"))
	receive(t, second, d, "later")
	done(t, second, d.Send(t.Context(), []byte("me again"), peerless()))
	if _, at := hear(t, device); at != driverAt {
		t.Errorf("sent from %s, and from %s before", at, driverAt)
	}
	if err := second.Close(false); err != nil {
		t.Error(err)
	}
	if n := c.OpenLines(); n != 0 {
		t.Errorf("%d are open", n)
	}
}

// TestDatagramsLocal: the address that they are sent from is the configuration's, and nobody else can have it.
func TestDatagramsLocal(t *testing.T) {
	device, taken := udpSocket(t, "127.0.0.1:0"), udpSocket(t, "127.0.0.1:0")
	free := udpSocket(t, "127.0.0.1:0")
	local := netip.MustParseAddrPort(free.LocalAddr().String())
	_ = free.Close()
	c := channel(t,
		grant.Connection{Name: "bus", UDP: &grant.UDP{Address: device.LocalAddr().String(), Local: local}},
		grant.Connection{Name: "taken", UDP: &grant.UDP{
			Address: device.LocalAddr().String(), Local: netip.MustParseAddrPort(taken.LocalAddr().String()),
		}},
		grant.Connection{Name: "other", UDP: &grant.UDP{Address: "[::1]:9", Local: netip.MustParseAddrPort("127.0.0.1:0")}},
	)
	s := c.Session(newSignals())
	done(t, s, bind(t, s, driver.TargetName("bus")).Send(t.Context(), []byte("x"), peerless()))
	if _, from := hear(t, device); from != local {
		t.Errorf("sent from %s, want %s", from, local)
	}
	failed(t, bind(t, s, driver.TargetName("taken")).Receive(t.Context(), long), driver.IOErrorBusy)
	failed(t, bind(t, s, driver.TargetName("other")).Send(t.Context(), nil, peerless()), driver.IOErrorUnreachable)
}

// FuzzDatagrams: whatever a driver asks a socket to send, and wherever to, nobody hears it but who was granted.
func FuzzDatagrams(f *testing.F) {
	f.Add([]byte("x"), "127.0.0.1:53", true)
	f.Add([]byte{}, "[::ffff:127.0.0.1]:53", true)
	f.Add(make([]byte, 70000), "", false)
	f.Add([]byte("x"), "meter.lan.:53", true)
	node, err := New(Config{Resolver: &names{}})
	if err != nil {
		f.Fatal(err)
	}
	device, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		f.Fatal(err)
	}
	c, err := node.Channel("boiler", grant.Grants{
		Connections: []grant.Connection{udp("bus", device)},
		UDP:         []grant.Pattern{{Prefix: netip.MustParsePrefix("192.0.2.0/24"), First: 9, Last: 9}},
	})
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = c.Close(); _ = device.Close(); _ = node.Close() })
	f.Fuzz(func(t *testing.T, data []byte, to string, some bool) {
		heard := newSignals()
		s := c.Session(heard)
		d := bind(t, s, driver.TargetName("bus"))
		_, before := c.Traffic()
		r := d.Send(t.Context(), data, component.Option[string]{Value: to, Some: some})
		_, after := c.Traffic()
		switch e, err := grant.ParseEndpoint(to); {
		case len(data) > socket.MaxDatagram, some && err != nil:
			failed(t, r, driver.IOErrorInvalid)
		case some && e.String() != device.LocalAddr().String() && !netip.MustParsePrefix("192.0.2.0/24").Contains(e.IP):
			failed(t, r, driver.IOErrorDenied)
			if len(heard.denied) != 1 || before != after {
				t.Errorf("heard %q, %d bytes were sent", heard.denied, after-before)
			}
		}
		if err := s.Close(false); err != nil {
			t.Error(err)
		}
	})
}
