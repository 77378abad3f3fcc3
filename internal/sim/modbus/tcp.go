package modbus

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
)

// TCPServer serves devices on a TCP port.
type TCPServer struct {
	service  *service
	framing  func(net.Conn, *service) framing
	listener net.Listener
	accepted atomic.Uint64
	running  sync.WaitGroup
	close    sync.Once

	mu      sync.Mutex
	closed  bool
	clients map[net.Conn]struct{}
}

// ListenTCP serves Modbus TCP. The caller closes the server.
func ListenTCP(c Config) (*TCPServer, error) {
	return listen(c, func(conn net.Conn, _ *service) framing { return newMBAP(conn) })
}

// ListenRTUOverTCP serves RTU frames on TCP connections, as serial servers do. The caller closes the server.
func ListenRTUOverTCP(c Config) (*TCPServer, error) {
	return listen(c, func(conn net.Conn, s *service) framing { return newRTU(conn, s.broadcast) })
}

func listen(c Config, f func(net.Conn, *service) framing) (*TCPServer, error) {
	address := c.Address
	if address == "" {
		address = "127.0.0.1:0"
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for simulated Modbus: %w", err)
	}
	if c.TLS != nil {
		listener = tls.NewListener(listener, c.TLS)
	}
	s := &TCPServer{service: newService(c), framing: f, listener: listener, clients: map[net.Conn]struct{}{}}
	s.running.Go(s.accept)
	return s, nil
}

// Addr returns the address as host:port.
func (s *TCPServer) Addr() string { return s.listener.Addr().String() }

// Stats returns the counters.
func (s *TCPServer) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return Stats{
		Connections: s.accepted.Load(),
		Clients:     int64(len(s.clients)),
		Requests:    s.service.requests.Load(),
	}
}

// Disconnect closes the connections of all clients and goes on listening.
func (s *TCPServer) Disconnect() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for conn := range s.clients {
		_ = conn.Close() // Its goroutine notices and ends.
	}
}

// Close stops listening, closes all connections and waits until nothing runs any more. It may be called again.
func (s *TCPServer) Close() error {
	var err error
	s.close.Do(func() {
		close(s.service.done)
		err = s.listener.Close()
		s.mu.Lock()
		s.closed = true
		s.mu.Unlock()
		s.Disconnect()
	})
	s.running.Wait()
	return err
}

func (s *TCPServer) accept() {
	for {
		conn, err := s.listener.Accept()
		if err != nil {
			return
		}
		if !s.add(conn) {
			_ = conn.Close() // The server is closing.
			return
		}
		s.running.Go(func() {
			defer s.remove(conn)
			s.service.serve(s.framing(conn, s.service), conn)
		})
	}
}

func (s *TCPServer) add(conn net.Conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.accepted.Add(1)
	s.clients[conn] = struct{}{}
	return true
}

func (s *TCPServer) remove(conn net.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.clients, conn)
	_ = conn.Close() // Nothing is left to send.
}

var _ io.Closer = (*TCPServer)(nil)
