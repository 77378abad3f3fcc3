// Package socket connects to endpoints on the network.
package socket

import (
	"context"
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

// Connect resolves the name and connects, with keep-alive and without Nagle's delay. The context ends either at once.
func Connect(ctx context.Context, g grant.TCP) (*Conn, error) {
	dialer := net.Dialer{KeepAliveConfig: net.KeepAliveConfig{
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
