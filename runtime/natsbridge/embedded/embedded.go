// Package embedded runs a NATS server in the node's process.
package embedded

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/droverhq/drover/runtime/natsbridge/dial"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// DefaultListen is where the server listens unless told otherwise.
const DefaultListen = "127.0.0.1:4222"

// Config is what the server needs; the zero value of everything but Data will do.
type Config struct {
	// Name is the server's; the node's name, whose bucket and streams everybody may read.
	Name string
	// Listen is host:port; DefaultListen when empty. Port 0 takes a free one.
	Listen string
	// Data is the node's data directory: JetStream keeps its files in jetstream/ below it, and the roles their keys in
	// credentials/. Required unless NoJetStream; without it the keys are new at each start.
	Data        string
	NoJetStream bool
	// MaxMemory and MaxStore bound JetStream, in bytes; 64 MiB and 1 GiB when 0.
	MaxMemory, MaxStore int64
	// SyncInterval is how often written messages are forced to disk, 10 s when 0: what a power failure may take.
	// Nothing is written while nothing changes. SyncAlways forces every message.
	SyncInterval time.Duration
	SyncAlways   bool
	// Prefix and CallPrefix are the bridge's: roles and anonymous clients are let in by them.
	Prefix, CallPrefix string
	// File is an ordinary nats-server configuration. What it says holds; what it leaves open is as without it.
	File string
	// Account is the account of File that the node lives in; the server's default account when empty.
	Account string
	// Creds is the node's credentials file, for a File in operator mode, where nobody can be let in without one.
	Creds string
	// LeafCalls lets calls in that come from the hubs of this server's leaf remotes.
	LeafCalls bool
	// Logger gets the server's warnings and errors; discarded when nil.
	Logger *slog.Logger
}

// Server is a server that runs.
type Server struct {
	server *server.Server
	log    *logger
	leaves *leaves
	node   dial.Credentials
	admin  Access

	// quit ends what watches the leaf connections, which is then done.
	quit    chan struct{}
	closing sync.Once
	watch   sync.WaitGroup
}

// readyWithin is how long the server has to listen; it takes milliseconds.
const readyWithin = 5 * time.Second

// Start starts a server and waits until it takes connections. The caller ends it with Shutdown, after everything that
// is connected in this process.
//
// Clients are anonymous, who may look and not touch, or have the key of a role: see Role. The node's own key exists in
// this process only. JetStream that cannot start, because its directory cannot be written, is logged and left out: what
// needs no streams goes on.
func Start(config Config) (*Server, error) {
	log := newLogger(config.Logger)
	s, err := config.start(log)
	if errors.Is(err, errJetStream) {
		log.to.Error("JetStream is off", "error", err)
		config.NoJetStream = true
		log.reset()
		s, err = config.start(log)
	}
	if err != nil {
		return nil, fmt.Errorf("embedded NATS server: %w", err)
	}
	return s, nil
}

// start tries once.
func (c *Config) start(log *logger) (*Server, error) {
	keys, err := c.keys(log.to)
	if err != nil {
		return nil, err
	}
	options, err := c.options(keys)
	if err != nil {
		return nil, err
	}
	srv, err := server.NewServer(options)
	if err != nil {
		return nil, err
	}
	srv.SetLoggerV2(log, false, false, false)
	s := &Server{server: srv, log: log, leaves: &log.leaves, quit: make(chan struct{})}
	s.node, s.admin = dial.Credentials{Seed: keys.node.seed}, keys.access(RoleAdmin)
	if c.Creds != "" {
		s.node = dial.Credentials{File: c.Creds}
		s.admin = Access{Credentials: s.node}
	}
	log.leaves.set(options)
	log.know(keys)
	srv.Start()
	if err := s.waitReady(); err != nil {
		s.shutdown()
		return nil, fmt.Errorf("listen on %s: %w", net.JoinHostPort(options.Host, fmt.Sprint(options.Port)), err)
	}
	s.admin.Credentials.CA = keys.trust(options, log.to)
	keys.announce(s.URL(), s.admin.Credentials.CA, log.to)
	if len(options.LeafNode.Remotes) > 0 {
		s.watch.Go(func() { s.leaves.watch(srv, s.quit) })
	}
	return s, nil
}

// errJetStream marks the failures of JetStream alone.
var errJetStream = errors.New("JetStream cannot start")

func (s *Server) waitReady() error {
	deadline := time.Now().Add(readyWithin)
	for !s.server.ReadyForConnections(20 * time.Millisecond) {
		if err := s.log.fatal(); err != nil {
			return jetStreamError(err)
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("not ready after %s", readyWithin)
		}
	}
	return jetStreamError(s.log.fatal())
}

// jetStreamError marks an error as JetStream's by the text that the server has for it.
func jetStreamError(err error) error {
	if err != nil && strings.HasPrefix(err.Error(), "Can't start JetStream") {
		return fmt.Errorf("%w: %w", errJetStream, err)
	}
	return err
}

// URL is where clients of this machine find the server.
func (s *Server) URL() string { return s.server.ClientURL() }

// InProcessConn returns a connection that does not leave the process.
func (s *Server) InProcessConn() (net.Conn, error) { return s.server.InProcessConn() }

// Credentials are those of the node: everything is allowed, unless they are from a file (Config.Creds).
func (s *Server) Credentials() dial.Credentials { return s.node }

// Admin is what the command line of the same user is given.
func (s *Server) Admin() Access { return s.admin }

// Violations counts what clients were refused since the start: publications, subscriptions and connections.
func (s *Server) Violations() uint64 { return s.log.violations.total() }

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
	s.closing.Do(func() { close(s.quit) })
	s.watch.Wait()
	s.server.Shutdown()
	s.server.WaitForShutdown()
	s.log.violations.flush()
}

func (c *Config) name() string       { return orDefault(c.Name, "drover") }
func (c *Config) streams() []string  { return message.KeptBy(c.prefix(), c.name()).Streams() }
func (c *Config) prefix() string     { return orDefault(c.Prefix, message.DefaultPrefix) }
func (c *Config) callPrefix() string { return orDefault(c.CallPrefix, message.DefaultCallPrefix) }

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
