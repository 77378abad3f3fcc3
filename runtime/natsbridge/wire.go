package natsbridge

import (
	"errors"
	"net"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// wire dials for nats.go and remembers what it dialled: a write that a stalled peer blocks holds the connection's lock,
// and only closing the transport below it sets it free.
type wire struct {
	server Server
	dialer net.Dialer

	mu   sync.Mutex
	conn net.Conn
	cut  bool
}

var (
	_ nats.CustomDialer          = (*wire)(nil)
	_ nats.InProcessConnProvider = (*wire)(nil)
)

func newWire(server Server) *wire {
	return &wire{server: server, dialer: net.Dialer{Timeout: 5 * time.Second}}
}

// Dial implements nats.CustomDialer.
func (w *wire) Dial(network, address string) (net.Conn, error) {
	return w.remember(w.dialer.Dial(network, address))
}

// InProcessConn implements nats.InProcessConnProvider.
func (w *wire) InProcessConn() (net.Conn, error) { return w.remember(w.server.InProcessConn()) }

var errCut = errors.New("the connection is being closed")

func (w *wire) remember(conn net.Conn, err error) (net.Conn, error) {
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.cut {
		conn.Close()
		return nil, errCut
	}
	w.conn = conn
	return conn, nil
}

// sever closes the transport, so that nats.go makes a new one.
func (w *wire) sever() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.conn != nil {
		w.conn.Close()
	}
}

// end closes the transport for good.
func (w *wire) end() {
	w.mu.Lock()
	w.cut = true
	w.mu.Unlock()
	w.sever()
}

// ended says whether end was called.
func (w *wire) ended() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.cut
}
