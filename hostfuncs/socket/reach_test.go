package socket

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
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

// TestNameThatLeadsHome: a name server that is in league with a driver cannot lead it to this machine.
func TestNameThatLeadsHome(t *testing.T) {
	l := listen(t)
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, address := range [][4]byte{{127, 0, 0, 1}, {127, 8, 9, 10}, {0, 0, 0, 0}, {224, 0, 0, 1}} {
		names := serveNames(t, address)
		c, err := connect(t.Context(), grant.TCP{Address: net.JoinHostPort("plc.drover.test.", port)}, names.resolver())
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

// TestThisMachineByName: the configuration may name it.
func TestThisMachineByName(t *testing.T) {
	_, port, err := net.SplitHostPort(listen(t).Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, host := range []string{"localhost", "127.0.0.1"} {
		c, err := Connect(t.Context(), grant.TCP{Address: net.JoinHostPort(host, port)})
		if err != nil {
			t.Errorf("%s: %v", host, err)
			continue
		}
		_ = c.Close()
	}
	for host, local := range map[string]bool{
		"localhost": true, "LocalHost.": true, "a.localhost": true, "::1": true, "10.0.0.1": true, "localhost.example": false,
		"127.0.0.1.example": false, "notlocalhost": false, "": false,
	} {
		if isLocal(host) != local {
			t.Errorf("%q: local is %t", host, !local)
		}
	}
}
