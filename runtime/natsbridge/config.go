// Package natsbridge puts what channels say on NATS, and answers those who ask the node.
//
// Channels call it from their own goroutines and are never held up: what they say is encoded and put into one bounded
// ring, whose single reader is the only caller of nats.go's publish. A stalled or absent server costs the oldest data,
// counted, never a poll cycle.
//
// nats.go is imported only in here and below.
package natsbridge

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"github.com/droverhq/drover/runtime/natsbridge/dial"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/tracing"
)

// Server is a NATS server in this process. *embedded.Server is one.
type Server interface {
	InProcessConn() (net.Conn, error)
	// Credentials are those of the node itself.
	Credentials() dial.Credentials
	// Links are the connections that the server keeps to others: those of a leaf node.
	Links() []message.Link
}

// Verb answers one call. The body is valid until it returns; what it returns is printed as JSON. An error that holds a
// *message.Error is told to the caller as it is; any other is call.internal. ctx ends when the caller has stopped
// waiting, or the bridge closes.
type Verb func(ctx context.Context, body []byte) (any, error)

// Config is what a Bridge needs. Node, and one of Server and URL, are required.
type Config struct {
	// Node is the node's name.
	Node string
	// Version is the node's, SemVer; 0.0.0 when empty.
	Version string
	// Epoch is this start of the node; a new one when empty.
	Epoch string
	// Prefix and CallPrefix start the two roots; message.DefaultPrefix and message.DefaultCallPrefix when empty.
	Prefix, CallPrefix string

	// Server is the embedded server. With it, URL and Credentials are not used.
	Server Server
	// URL names the servers to connect to, separated by commas.
	URL         string
	Credentials dial.Credentials

	// Verbs are the node's own: the keys are "get.<verb>" for looks, "ctl.<verb>" for changes. get.ping, get.state and
	// get.last are the bridge's.
	Verbs map[string]Verb
	// Commands finds what read, write and invoke are for. Nil: the node has no channels.
	Commands Commands
	// Tracer makes the spans of commands; nil makes none.
	Tracer *tracing.Tracer
	// CommandPolicy says which calls are taken. When empty: CommandsAll with Server, CommandsRead with URL, whose server
	// others use too.
	CommandPolicy CommandPolicy
	// RingBytes bounds what waits to be published; 8 MiB when 0.
	RingBytes int
	// Stream says which channels' data goes into the node's own stream.
	Stream Stream
	// HeartbeatTTL is how long the node's heartbeat outlives it; 10 s when 0, at least 1 s.
	HeartbeatTTL time.Duration
	// Unsynced says whether the machine's clock is not synchronised, which messages carry; asks the kernel when nil.
	Unsynced func() bool
	// Logger gets what happens to the connection; discarded when nil.
	Logger *slog.Logger
}

const (
	defaultRingBytes = 8 << 20
	// messageBytes is where a message is split: half of what a NATS server takes by default.
	messageBytes = 512 << 10
)

// withDefaults fills in what is empty and reports all that is wrong together.
func (c Config) withDefaults() (Config, error) {
	c.Version = orDefault(c.Version, "0.0.0")
	c.Prefix = orDefault(c.Prefix, message.DefaultPrefix)
	c.CallPrefix = orDefault(c.CallPrefix, message.DefaultCallPrefix)
	if c.Epoch == "" {
		c.Epoch = newEpoch()
	}
	if c.RingBytes == 0 {
		c.RingBytes = defaultRingBytes
	}
	if c.CommandPolicy == "" {
		c.CommandPolicy = CommandsAll
		if c.Server == nil {
			c.CommandPolicy = CommandsRead
		}
	}
	c.Stream = c.Stream.withDefaults()
	c.HeartbeatTTL = cmp.Or(c.HeartbeatTTL, defaultHeartbeatTTL)
	if c.Unsynced == nil {
		c.Unsynced = kernelUnsynced
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c, c.validate()
}

func (c *Config) validate() error {
	var errs []error
	check := func(ok bool, format string, args ...any) {
		if !ok {
			errs = append(errs, fmt.Errorf(format, args...))
		}
	}
	check(message.ValidName(c.Node), "node %q: a name is [A-Za-z0-9_-]+", c.Node)
	check(message.ValidName(c.Epoch), "epoch %q: a name is [A-Za-z0-9_-]+", c.Epoch)
	check(message.ValidPrefix(c.Prefix), "prefix %q: names joined by dots", c.Prefix)
	check(message.ValidPrefix(c.CallPrefix), "call prefix %q: names joined by dots", c.CallPrefix)
	check(c.Prefix != c.CallPrefix, "prefix and call prefix are both %q", c.Prefix)
	check((c.Server != nil) != (c.URL != ""), "either an embedded server or a URL")
	check(c.RingBytes >= 2*messageBytes, "the ring takes %d bytes or more", 2*messageBytes)
	check(slices.Contains([]CommandPolicy{CommandsAll, CommandsRead, CommandsNone}, c.CommandPolicy),
		"command policy %q: all, read or none", c.CommandPolicy)
	check(c.HeartbeatTTL >= time.Second, "the heartbeat lasts 1 s or more, found %s", c.HeartbeatTTL)
	if err := c.Stream.validate(); err != nil {
		errs = append(errs, err)
	}
	for name := range c.Verbs {
		check(validVerb(name), "verb %q: get.<name> or ctl.<name>", name)
	}
	return errors.Join(errs...)
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
