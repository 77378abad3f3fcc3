// Package embedded runs a NATS server in the node's process.
package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/droverhq/drover/runtime/natsbridge/dial"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// DefaultListen is where the server listens unless told otherwise.
const DefaultListen = "127.0.0.1:4222"

// Config is what the server needs; the zero value of everything but Data will do.
type Config struct {
	// Name is the server's; the node's name.
	Name string
	// Listen is host:port; DefaultListen when empty. Port 0 takes a free one.
	Listen string
	// Data is the node's data directory; JetStream keeps its files in jetstream/ below it. Required unless NoJetStream.
	Data        string
	NoJetStream bool
	// MaxMemory and MaxStore bound JetStream, in bytes; 64 MiB and 1 GiB when 0.
	MaxMemory, MaxStore int64
	// SyncInterval is how often written messages are forced to disk, 10 s when 0: what a power failure may take.
	// Nothing is written while nothing changes. SyncAlways forces every message.
	SyncInterval time.Duration
	SyncAlways   bool
	// Prefix and CallPrefix are the bridge's: anonymous clients are let in by them.
	Prefix, CallPrefix string
	// Logger gets the server's warnings and errors; discarded when nil.
	Logger *slog.Logger
}

// Server is a server that runs.
type Server struct {
	server      *server.Server
	credentials dial.Credentials
}

// readyWithin is how long the server has to listen; it takes milliseconds.
const readyWithin = 5 * time.Second

// Start starts a server and waits until it takes connections. The caller ends it with Shutdown, after everything that
// is connected in this process.
//
// Anonymous clients may look and not touch: see observer. The node's own connection has its own account user, with a
// password that exists in this process, and in Credentials, only.
func Start(config Config) (*Server, error) {
	credentials := dial.Credentials{User: "node", Password: rand.Text()}
	options, err := config.options(credentials)
	if err != nil {
		return nil, fmt.Errorf("embedded NATS server: %w", err)
	}
	srv, err := server.NewServer(options)
	if err != nil {
		return nil, fmt.Errorf("embedded NATS server: %w", err)
	}
	log := newLogger(config.Logger)
	srv.SetLoggerV2(log, false, false, false)
	s := &Server{server: srv, credentials: credentials}
	srv.Start()
	if err := s.waitReady(log); err != nil {
		s.shutdown()
		return nil, fmt.Errorf("embedded NATS server: listen on %s: %w", orDefault(config.Listen, DefaultListen), err)
	}
	return s, nil
}

func (s *Server) waitReady(log *logger) error {
	deadline := time.Now().Add(readyWithin)
	for !s.server.ReadyForConnections(20 * time.Millisecond) {
		if err := log.fatal(); err != nil {
			return err
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not ready after %s", readyWithin)
		}
	}
	return log.fatal()
}

// URL is where clients of this machine find the server.
func (s *Server) URL() string { return s.server.ClientURL() }

// InProcessConn returns a connection that does not leave the process.
func (s *Server) InProcessConn() (net.Conn, error) { return s.server.InProcessConn() }

// Credentials are those of the node: everything is allowed.
func (s *Server) Credentials() dial.Credentials { return s.credentials }

// Shutdown ends the server and waits for it until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.shutdown()
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("shut the embedded NATS server down: %w", context.Cause(ctx))
	}
}

func (s *Server) shutdown() {
	s.server.Shutdown()
	s.server.WaitForShutdown()
}

func (c *Config) options(node dial.Credentials) (*server.Options, error) {
	host, port, err := splitListen(orDefault(c.Listen, DefaultListen))
	if err != nil {
		return nil, err
	}
	options := &server.Options{
		ServerName:   orDefault(c.Name, "drover"),
		Host:         host,
		Port:         port,
		NoSigs:       true,
		PingInterval: 20 * time.Second,
		MaxPayload:   1 << 20,
		Users:        users(node, orDefault(c.Prefix, message.DefaultPrefix), orDefault(c.CallPrefix, message.DefaultCallPrefix)),
		NoAuthUser:   anonymous,
	}
	if c.NoJetStream {
		return options, nil
	}
	return options, c.jetStream(options)
}

// jetStream switches JetStream on, with its files below the data directory and nowhere else.
func (c *Config) jetStream(options *server.Options) error {
	if c.Data == "" {
		return errors.New("JetStream needs the data directory")
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	options.JetStream = true
	options.StoreDir = filepath.Clean(c.Data) // the server adds jetstream/
	options.JetStreamMaxMemory = orNumber(c.MaxMemory, 64<<20)
	options.JetStreamMaxStore = orNumber(c.MaxStore, 1<<30)
	options.SyncInterval = orNumber(c.SyncInterval, 10*time.Second)
	options.SyncAlways = c.SyncAlways
	return nil
}

func splitListen(listen string) (string, int, error) {
	host, text, err := net.SplitHostPort(listen)
	if err != nil {
		return "", 0, fmt.Errorf("listen %q: host:port is expected", listen)
	}
	port, err := strconv.Atoi(text)
	if err != nil || port < 0 || port > 65535 {
		return "", 0, fmt.Errorf("listen %q: the port is 1 to 65535, or 0 for a free one", listen)
	}
	if port == 0 {
		port = server.RANDOM_PORT
	}
	return host, port, nil
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}

func orNumber[T ~int64](n, otherwise T) T {
	if n == 0 {
		return otherwise
	}
	return n
}
