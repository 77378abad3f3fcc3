package node

import (
	"context"
	"fmt"
	"slices"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/supervise"
)

// freePorts stops the channels among those that change of which one takes over what another has for itself, such as a
// serial port: neither can have it while the other does. resume starts them again.
func (n *Node) freePorts(ctx context.Context, changed []*wanted) (resume func()) {
	holders := make(map[string]*wanted)
	for _, w := range changed {
		for _, port := range exclusive(w.before.config) {
			holders[port] = w
		}
	}
	var stop []*wanted
	for _, w := range changed {
		for _, port := range exclusive(w.config) {
			if holder := holders[port]; holder != nil && holder != w {
				stop = append(stop, w, holder)
			}
		}
	}
	var stopped []*wanted
	for _, w := range changed {
		if !slices.Contains(stop, w) || w.before.snapshot().State == supervise.Stopped {
			continue
		}
		if err := w.before.channel.Stop(ctx); err != nil {
			n.config.Logger.Warn("a channel does not give its port to another", "channel", w.config.Name, "error", err)
			continue
		}
		stopped = append(stopped, w)
	}
	return func() {
		for _, w := range stopped {
			w.before.channel.Start() // the same one, whatever it runs now
		}
	}
}

// exclusive are what only one channel can have open at a time.
func exclusive(c *config.Channel) []string {
	var ports []string
	for _, conn := range c.Connections {
		switch {
		case conn.Serial != nil:
			ports = append(ports, "serial "+conn.Serial.Path)
		case conn.Listener != nil:
			ports = append(ports, fmt.Sprintf("tcp %d", conn.Listener.Address.Port()))
		case conn.UDP != nil && conn.UDP.Local.Port() != 0:
			ports = append(ports, fmt.Sprintf("udp %d", conn.UDP.Local.Port()))
		}
	}
	return ports
}
