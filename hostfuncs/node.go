// Package hostfuncs is the outside world as a driver may have it: the serial ports and connections that its channel was
// granted, by their configured names, and what its patterns cover, by its address.
//
// A Node has the ports of the process, a Channel the leases of one driver's connections, and a Session what one
// instance sees: the imports `serial` and `socket`.
package hostfuncs

import (
	"fmt"
	"log/slog"
	"net"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/serial"
	"github.com/droverhq/drover/hostfuncs/socket"
)

// Config is what a node needs.
type Config struct {
	// Logger gets what is opened and closed, at debug level, and ports that cannot be closed, as warnings.
	// nil discards it.
	Logger *slog.Logger
	// Resolver asks for the addresses of names; net.DefaultResolver when nil.
	Resolver socket.Resolver
}

// Node has the serial ports of this process. A process has one.
type Node struct {
	log      *slog.Logger
	resolver socket.Resolver
	ports    *serial.Ports
}

// New returns a node. Close it after its channels.
func New(c Config) (*Node, error) {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	return &Node{log: c.Logger, resolver: c.Resolver, ports: serial.NewPorts()}, nil
}

// Channel returns what a channel may open. The error has all that is wrong with its grants. Close it when its last
// session has ended.
func (n *Node) Channel(name string, grants grant.Grants) (*Channel, error) {
	set, err := grant.New(grants)
	if err != nil {
		return nil, fmt.Errorf("channel %q: %w", name, err)
	}
	n.ports.Reserve(set.Count(driver.ConnectionKindSerial))
	log := n.log.With("channel", name)
	way := &socket.Way{Grants: set, Names: socket.NewNames(n.resolver, log)}
	return &Channel{node: n, grants: set, way: way, log: log}, nil
}

// OpenPorts returns how many serial ports the process holds, those that cannot be closed included.
func (n *Node) OpenPorts() int { return n.ports.Taken() }

// Close gives back what the node keeps in reserve. Its channels are closed before.
func (n *Node) Close() error {
	n.ports.Close()
	if taken := n.ports.Taken(); taken > 0 {
		return fmt.Errorf("close serial ports: %d are still held", taken)
	}
	return nil
}
