package socket

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
)

// nameServer answers every question for an address (RFC 1035) with the same one, and counts them.
type nameServer struct {
	conn  *net.UDPConn
	asked atomic.Int32
	done  chan struct{}
}

func serveNames(t *testing.T, address [4]byte) *nameServer {
	t.Helper()
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &nameServer{conn: conn, done: make(chan struct{})}
	go s.serve(address)
	t.Cleanup(func() {
		_ = conn.Close()
		<-s.done
	})
	return s
}

func (s *nameServer) serve(address [4]byte) {
	defer close(s.done)
	question := make([]byte, 512)
	for {
		n, from, err := s.conn.ReadFromUDP(question)
		if err != nil {
			return
		}
		_, _ = s.conn.WriteToUDP(s.answer(question[:n], address), from)
	}
}

// answer has the question and, when it is for an IPv4 address, one answer that is not to be kept.
func (s *nameServer) answer(question []byte, address [4]byte) []byte {
	end := 12
	for question[end] != 0 {
		end += int(question[end]) + 1
	}
	end += 5 // the root label, type and class
	out := append([]byte{}, question[:end]...)
	out[2], out[3] = 0x81, 0x80 // a response, recursion available
	binary.BigEndian.PutUint32(out[8:], 0)
	if question[end-3] != 1 { // not A
		return out
	}
	s.asked.Add(1)
	out[7] = 1 // answers
	out = append(out, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
	return append(out, address[:]...)
}

func (s *nameServer) resolver() *net.Resolver {
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", s.conn.LocalAddr().String())
	}}
}

// TestNameThatLeadsHome: a name server that is in league with a driver cannot lead it to this machine, nor to its link.
func TestNameThatLeadsHome(t *testing.T) {
	port := portOf(t, listen(t))
	for _, address := range [][4]byte{{127, 0, 0, 1}, {127, 8, 9, 10}, {0, 0, 0, 0}, {224, 0, 0, 1}, {169, 254, 169, 254}} {
		names := serveNames(t, address)
		c, err := way(t, names.resolver()).Connect(t.Context(), grant.TCP{Address: net.JoinHostPort("plc.drover.test.", port)})
		if c != nil {
			t.Errorf("connected to %v", address)
			_ = c.Close()
			continue
		}
		wantCode(t, err, driver.IOErrorDenied)
		if !errors.Is(err, grant.ErrDenied) {
			t.Errorf("%v: %v", address, err)
		}
		if n := names.asked.Load(); n != 1 {
			t.Errorf("%v: the name was resolved %d times", address, n)
		}
	}
}

// TestNameWhereAPatternIs: it may lead to this machine where a pattern covers the address, with its port.
func TestNameWhereAPatternIs(t *testing.T) {
	l := listen(t)
	port := uint16(l.Addr().(*net.TCPAddr).Port)
	names := serveNames(t, [4]byte{127, 0, 0, 1})
	to := grant.TCP{Address: net.JoinHostPort("plc.drover.test.", portOf(t, l))}
	here := grant.Pattern{Prefix: netip.MustParsePrefix("127.0.0.1/32"), First: port, Last: port}
	c, err := way(t, names.resolver(), here).Connect(t.Context(), to)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	here.First, here.Last = port-1, port-1
	everything := grant.Pattern{Prefix: netip.MustParsePrefix("0.0.0.0/0"), First: 1, Last: 65535}
	_, err = way(t, names.resolver(), here, everything).Connect(t.Context(), to)
	wantCode(t, err, driver.IOErrorDenied)
}

// book answers from a list of answers, one after the other, the last one again and again.
type book struct {
	answers [][]netip.Addr
	asked   int
}

func (b *book) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	b.asked++
	return slices.Clone(b.answers[min(b.asked, len(b.answers))-1]), nil
}

// TestNameIsPinned: a name server that changes its mind leads nobody elsewhere, as long as the first address works.
func TestNameIsPinned(t *testing.T) {
	l := listen(t)
	// The first answer has this machine in the way that two-faced names have it, and it is not to be seen again.
	names := &book{answers: [][]netip.Addr{
		{netip.MustParseAddr("::ffff:127.0.0.1")}, {netip.MustParseAddr("127.0.0.2")},
	}}
	port := uint16(l.Addr().(*net.TCPAddr).Port)
	w := way(t, names, grant.Pattern{Prefix: netip.MustParsePrefix("127.0.0.0/8"), First: port, Last: port})
	to := grant.TCP{Address: net.JoinHostPort("plc.drover.test", portOf(t, l))}
	for range 3 {
		c, err := w.Connect(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.(*Conn).tcp.RemoteAddr().(*net.TCPAddr).IP.String(); got != "127.0.0.1" || names.asked != 1 {
			t.Errorf("connected to %s, the name was asked for %d times", got, names.asked)
		}
		_ = c.Close()
	}
	_ = l.Close()
	_, err := w.Connect(t.Context(), to)
	wantCode(t, err, driver.IOErrorRefused)
	if names.asked != 1 {
		t.Errorf("asked %d times before it was known that the address does not work", names.asked)
	}
	_, err = w.Connect(t.Context(), to)
	wantCode(t, err, driver.IOErrorRefused)
	if names.asked != 2 || !strings.Contains(err.Error(), "127.0.0.2") {
		t.Errorf("asked %d times: %v", names.asked, err)
	}
}

// TestMovedNameIsChecked: what a name is answered later is checked as its first answer was.
func TestMovedNameIsChecked(t *testing.T) {
	names := &book{answers: [][]netip.Addr{{netip.MustParseAddr("127.0.0.1")}, {netip.MustParseAddr("127.0.0.2")}}}
	w := way(t, names, grant.Pattern{Prefix: netip.MustParsePrefix("127.0.0.1/32"), First: 1, Last: 1})
	_, err := w.Connect(t.Context(), grant.TCP{Address: "plc.drover.test:1"})
	wantCode(t, err, driver.IOErrorRefused)
	_, err = w.Connect(t.Context(), grant.TCP{Address: "plc.drover.test:1"})
	wantCode(t, err, driver.IOErrorDenied)
}

// TestCancelledIsNoReason: who opens and lets go at once does not have the name asked for again.
func TestCancelledIsNoReason(t *testing.T) {
	names := &book{answers: [][]netip.Addr{{netip.MustParseAddr("127.0.0.1")}}}
	w := way(t, names, grant.Pattern{Prefix: netip.MustParsePrefix("127.0.0.1/32"), First: 1, Last: 1})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for range 3 {
		if _, err := w.Connect(ctx, grant.TCP{Address: "plc.drover.test:1"}); err == nil {
			t.Fatal("connected")
		}
	}
	if names.asked != 1 {
		t.Errorf("asked %d times", names.asked)
	}
}

// TestThisMachineByName: the configuration may name it.
func TestThisMachineByName(t *testing.T) {
	port := portOf(t, listen(t))
	for _, host := range []string{"localhost", "127.0.0.1"} {
		c, err := connect(t, net.JoinHostPort(host, port))
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		_ = c.Close()
	}
}

func portOf(t *testing.T, l net.Listener) string {
	t.Helper()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
