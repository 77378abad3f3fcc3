package hostfuncs

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/lease"
	"github.com/droverhq/drover/hostfuncs/socket"
	"github.com/droverhq/drover/hostfuncs/stream"
)

// Channel has the grants and the leases of one driver. The leases outlive its sessions.
type Channel struct {
	node   *Node
	grants *grant.Set
	log    *slog.Logger
	way    *socket.Way
	leases lease.Leases
	opened opened
	once   sync.Once
	// traffic is that of all connections.
	traffic stream.Traffic
}

// Session returns what one instance may reach. Close it when the instance makes no calls any more.
func (c *Channel) Session(signals Signals) *Session {
	return &Session{Signals: signals, channel: c}
}

// Traffic returns how many bytes have come in and gone out, over all connections since the channel was made.
func (c *Channel) Traffic() (received, sent uint64) {
	return c.traffic.Received.Load(), c.traffic.Sent.Load()
}

// Dropped returns how many datagrams and connections came from where the grants do not reach, and for how many datagrams
// there was no room. Nobody got them.
func (c *Channel) Dropped() (denied, overflowed uint64) {
	return c.traffic.Denied.Load(), c.traffic.Overflowed.Load()
}

// OpenLines returns how many ports, connections, sockets and listeners are open or opening, those that cannot be closed
// included.
func (c *Channel) OpenLines() int { return c.leases.Open() }

// Close closes every port and connection, and returns when they are. Those that a write holds are named in the error:
// they are closed when that write returns.
func (c *Channel) Close() error {
	c.once.Do(func() { c.node.ports.Reserve(-c.grants.Count(driver.ConnectionKindSerial)) })
	err := c.leases.Close()
	if err != nil {
		c.log.Warn("a port cannot be closed", "error", err)
	}
	return err
}

// line starts to open a serial port or a connection.
func (c *Channel) line(g grant.Connection, soiled time.Time) *stream.Line {
	log := c.log.With("connection", g.Name)
	return stream.OpenCounted(&c.traffic, func(ctx context.Context) (stream.Device, error) {
		dev, err := c.open(ctx, g, soiled)
		if err != nil {
			log.Debug("connection not opened", "error", err)
			return nil, c.opened.failed(g.Name, err)
		}
		if _, named := c.grants.Lookup(g.Name, g.Kind()); named {
			c.opened.add(g.Name)
		}
		log.Debug("connection opened")
		return dev, nil
	})
}

// open opens it. A nil pointer must not become an interface that is not nil.
func (c *Channel) open(ctx context.Context, g grant.Connection, soiled time.Time) (stream.Device, error) {
	if g.Serial != nil {
		port, err := c.node.ports.Open(ctx, *g.Serial, soiled)
		if err != nil {
			return nil, err
		}
		return port, nil
	}
	return c.way.Connect(ctx, *g.TCP)
}
