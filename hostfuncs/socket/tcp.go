// Package socket connects to endpoints on the network, by TCP and TLS, exchanges datagrams with them, and listens.
package socket

import (
	"context"
	"net"
	"net/netip"
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

// unanswered is how long an address was tried in vain when the attempt is given up from outside, so that its name is
// asked for again.
const unanswered = 5 * time.Second

// Conn is a TCP connection.
type Conn struct {
	tcp    net.Conn
	direct *direct
}

var _ stream.Prompt = (*Conn)(nil)

// Connect connects to an endpoint, with keep-alive and without Nagle's delay, and speaks TLS with it where the grant
// says so. The context ends either at once. A name that leads where the grants do not permit is refused with
// grant.ErrDenied.
func (w *Way) Connect(ctx context.Context, g grant.TCP) (stream.Device, error) {
	e, err := grant.ParseEndpoint(g.Address)
	if err != nil {
		return nil, err
	}
	to, err := w.addresses(ctx, grant.NetworkTCP, e)
	if err != nil {
		return nil, err
	}
	begun := time.Now()
	conn, err := open(ctx, to, e.Host(), g.TLS)
	if err != nil && e.Name != "" && (ctx.Err() == nil || time.Since(begun) >= unanswered) {
		w.Names.release(e.Name)
	}
	return conn, err
}

func open(ctx context.Context, to []netip.AddrPort, host string, t *grant.TLS) (stream.Device, error) {
	tcp, err := race(ctx, to, dialTCP)
	if err != nil {
		return nil, err
	}
	if t == nil {
		return newConn(tcp), nil
	}
	secure, err := secure(ctx, tcp, host, *t)
	if err != nil {
		_ = tcp.Close() // the first error is the one that tells
		return nil, err
	}
	return secure, nil
}

// newConn returns an open connection as a device.
func newConn(tcp net.Conn) *Conn { return &Conn{tcp: tcp, direct: newDirect(tcp)} }

func dialTCP(ctx context.Context, to netip.AddrPort) (net.Conn, error) {
	dialer := net.Dialer{KeepAliveConfig: keepAlive()}
	return dialer.DialContext(ctx, "tcp", to.String()) // TCP_NODELAY is package net's default.
}

func keepAlive() net.KeepAliveConfig {
	return net.KeepAliveConfig{Enable: true, Idle: keepAliveIdle, Interval: keepAliveInterval, Count: keepAliveCount}
}

// Read implements stream.Device.
func (c *Conn) Read(p []byte) (int, error) { return c.tcp.Read(p) }

// Write implements stream.Device.
func (c *Conn) Write(p []byte) (int, error) { return c.tcp.Write(p) }

// WriteNow implements stream.Prompt.
func (c *Conn) WriteNow(p []byte) (int, error) {
	if c.direct == nil {
		return 0, nil
	}
	return c.direct.write(p)
}

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
