// Package socket connects to endpoints on the network.
package socket

import (
	"context"
	"fmt"
	"net"
	"time"

	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/stream"
)

// A peer that went away without a word is found out after keepAliveIdle + keepAliveCount * keepAliveInterval.
const (
	keepAliveIdle     = 30 * time.Second
	keepAliveInterval = 10 * time.Second
	keepAliveCount    = 3
)

// Conn is a TCP connection.
type Conn struct{ tcp net.Conn }

var _ stream.Device = (*Conn)(nil)

// Connect resolves the name, once, and connects, with keep-alive and without Nagle's delay. The context ends either at
// once. A name that turns out to be this machine's is refused with grant.ErrDenied, unless it is `localhost`.
func Connect(ctx context.Context, g grant.TCP) (*Conn, error) {
	return connect(ctx, g, net.DefaultResolver)
}

func connect(ctx context.Context, g grant.TCP, resolver *net.Resolver) (*Conn, error) {
	host, _, err := net.SplitHostPort(g.Address)
	if err != nil {
		return nil, fmt.Errorf("read the address %q: %w", g.Address, err)
	}
	dialer := net.Dialer{Resolver: resolver, Control: reach(host), KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount,
	}}
	c, err := dialer.DialContext(ctx, "tcp", g.Address) // TCP_NODELAY is package net's default.
	if err != nil {
		return nil, err
	}
	return &Conn{tcp: c}, nil
}

// Read implements stream.Device.
func (c *Conn) Read(p []byte) (int, error) { return c.tcp.Read(p) }

// Write implements stream.Device.
func (c *Conn) Write(p []byte) (int, error) { return c.tcp.Write(p) }

// Drain implements stream.Device: what was written is the operating system's already.
func (c *Conn) Drain() error { return nil }

// Discard implements stream.Device: the operating system has no way to.
func (c *Conn) Discard() error { return nil }

// Interrupt implements stream.Device: it ends reads and writes for good.
func (c *Conn) Interrupt() { _ = c.tcp.SetDeadline(time.Unix(1, 0)) } // It fails on a closed connection only.

// Close implements stream.Device.
func (c *Conn) Close() error { return c.tcp.Close() }

// Gap implements stream.Device.
func (c *Conn) Gap() time.Duration { return 0 }
