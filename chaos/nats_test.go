//go:build chaos && linux

package chaos

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	natsserver "github.com/nats-io/nats-server/v2/server"
)

// loopback is where the servers of this test listen. It is not 127.0.0.1, so that nobody's outgoing connection takes
// the port of one that is away for a moment.
const loopback = "127.0.83.1"

// hub is a NATS server that can be restarted on its port, with its store.
type hub struct {
	options natsserver.Options
	server  *natsserver.Server
}

// startHub starts it. The caller stops it.
func startHub(dir string) (*hub, error) {
	h := &hub{options: natsserver.Options{
		Host: loopback, Port: natsserver.RANDOM_PORT, NoSigs: true, NoLog: true, JetStream: true, StoreDir: dir,
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 1 << 30,
	}}
	if err := h.start(); err != nil {
		return nil, err
	}
	h.options.Port = h.server.Addr().(*net.TCPAddr).Port
	return h, nil
}

func (h *hub) start() error {
	options := h.options // the server keeps what it is given
	s, err := natsserver.NewServer(&options)
	if err != nil {
		return fmt.Errorf("make a NATS server: %w", err)
	}
	s.Start()
	if !s.ReadyForConnections(patience) {
		s.Shutdown()
		return errors.New("the NATS server does not listen")
	}
	h.server = s
	return nil
}

func (h *hub) stop() {
	h.server.Shutdown()
	h.server.WaitForShutdown()
}

func (h *hub) address() string { return net.JoinHostPort(loopback, fmt.Sprint(h.options.Port)) }

// wire is the way of the node to the server. It can be cut, and it can stall: what comes in is not read.
type wire struct {
	listener net.Listener
	to       string
	running  sync.WaitGroup

	mu      sync.Mutex
	open    map[net.Conn]struct{}
	stalled chan struct{} // closed once it flows again; nil while it does
}

// startWire starts one. The caller closes it.
func startWire(to string) (*wire, error) {
	l, err := net.Listen("tcp", net.JoinHostPort(loopback, "0"))
	if err != nil {
		return nil, fmt.Errorf("listen for the node: %w", err)
	}
	w := &wire{listener: l, to: to, open: map[net.Conn]struct{}{}}
	w.running.Go(w.accept)
	return w, nil
}

func (w *wire) accept() {
	for {
		node, err := w.listener.Accept()
		if err != nil {
			return
		}
		hub, err := net.DialTimeout("tcp", w.to, time.Second)
		if err != nil { // the server is away
			_ = node.Close()
			continue
		}
		w.mu.Lock()
		w.open[node], w.open[hub] = struct{}{}, struct{}{}
		w.mu.Unlock()
		w.running.Go(func() { w.carry(node, hub) })
		w.running.Go(func() { w.carry(hub, node) })
	}
}

// carry carries from one to the other until one of them ends, which ends both.
func (w *wire) carry(from, to net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		w.flow()
		if _, failed := to.Write(buf[:n]); err != nil || failed != nil {
			break
		}
	}
	_ = from.Close()
	_ = to.Close()
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.open, from)
	delete(w.open, to)
}

// flow waits until the wire does not stall.
func (w *wire) flow() {
	w.mu.Lock()
	stalled := w.stalled
	w.mu.Unlock()
	if stalled != nil {
		<-stalled
	}
}

// stall stalls the wire until flow is called.
func (w *wire) stall() (flow func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	stalled := make(chan struct{})
	w.stalled = stalled
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.stalled = nil
		close(stalled)
	}
}

// cut closes what is open.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for conn := range w.open {
		_ = conn.Close()
	}
}

// Close cuts the wire for good.
func (w *wire) Close() error {
	err := w.listener.Close()
	w.cut()
	w.running.Wait()
	return err
}

var _ io.Closer = (*wire)(nil)
