package hostfuncs

import (
	"crypto/tls"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/internal/testcert"
)

// TestTLSIsTakenOver: a session that takes over goes on with the connection of the one before, without a handshake.
func TestTLSIsTakenOver(t *testing.T) {
	a, err := testcert.New(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if err := a.Issue("plc"); err != nil {
		t.Fatal(err)
	}
	pair, err := tls.LoadX509KeyPair(a.File("plc.pem"), a.File("plc-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	var connections atomic.Int32
	address := server(t, func(c *net.TCPConn) {
		connections.Add(1)
		secure := tls.Server(c, &tls.Config{Certificates: []tls.Certificate{pair}})
		_, _ = io.Copy(secure, secure)
	})
	c := channel(t, grant.Connection{Name: "plc", TCP: &grant.TCP{Address: address, TLS: &grant.TLS{CA: a.File("ca.pem")}}})
	asked := newSignals()
	first := c.Session(asked)
	exchange(t, first, connect(t, first, "plc"), "first")
	asked.ask()
	if err := first.Close(true); err != nil {
		t.Fatal(err)
	}
	second := c.Session(newSignals())
	st := connect(t, second, "plc")
	if !st.Resumed(t.Context()) {
		t.Error("the connection is a new one")
	}
	exchange(t, second, st, "second")
	if err := second.Close(false); err != nil {
		t.Error(err)
	}
	if n := connections.Load(); n != 1 {
		t.Errorf("%d connections", n)
	}
}

// TestTLSStalled: a peer that accepts and is silent is waited for as long as the driver says, and a session's end ends
// the handshake.
func TestTLSStalled(t *testing.T) {
	address := server(t, func(c *net.TCPConn) { _, _ = io.Copy(io.Discard, c) })
	c := channel(t, grant.Connection{Name: "plc", TCP: &grant.TCP{Address: address, TLS: &grant.TLS{}}})
	s := c.Session(newSignals())
	st := connect(t, s, "plc")
	failed(t, st.Ready(t.Context(), 1), driver.IOErrorTimeout)
	if err := s.Close(false); err != nil {
		t.Error(err)
	}
	if n := c.OpenLines(); n != 0 {
		t.Errorf("%d lines are open", n)
	}
}

// TestTLSWithWhoSpeaksNone: the failure is TLS's, and says so.
func TestTLSWithWhoSpeaksNone(t *testing.T) {
	address := server(t, echo)
	c := channel(t, grant.Connection{Name: "plc", TCP: &grant.TCP{Address: address, TLS: &grant.TLS{}}})
	s := c.Session(newSignals())
	failed(t, connect(t, s, "plc").Ready(t.Context(), long), driver.IOErrorTLS)
	if err := s.LastError(); err == nil || !strings.Contains(err.Error(), `open "plc": TLS handshake with 127.0.0.1: `) {
		t.Errorf("the error is %v", err)
	}
}
