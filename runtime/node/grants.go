package node

import (
	"cmp"
	"fmt"
	"net"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// reachOf is what a channel's driver may reach, for the host.
func reachOf(c *config.Channel) module.Grants {
	return module.Grants{
		Connections: connections(c.Connections), TCP: reachable(c.Grants.TCP), UDP: reachable(c.Grants.UDP),
	}
}

func reachable(in []config.Pattern) []module.Pattern {
	var out []module.Pattern
	for _, p := range in {
		out = append(out, module.Pattern(p))
	}
	return out
}

// grants are what a channel's driver may reach, for people: its connections, then its patterns.
func grants(c *config.Channel) []message.Grant {
	out := []message.Grant{}
	for _, conn := range c.Connections {
		out = append(out, grantOf(conn))
	}
	out = append(out, patternGrants(driver.ConnectionKindTCP, c.Grants.TCP)...)
	return append(out, patternGrants(driver.ConnectionKindUDP, c.Grants.UDP)...)
}

func grantOf(c *config.Connection) message.Grant {
	g := message.Grant{Name: c.Name}
	switch {
	case c.Serial != nil:
		s := c.Serial
		g.Kind, g.To = driver.ConnectionKindSerial.String(), s.Path
		g.Mode = fmt.Sprintf("%d baud, %d data bits, parity %s, stop bits %s", s.Baud, s.DataBits, s.Parity, s.StopBits)
	case c.TCP != nil:
		g.Kind, g.To, g.TLS = driver.ConnectionKindTCP.String(), c.TCP.Address, tlsGrant(c.TCP)
	case c.UDP != nil:
		g.Kind, g.To = driver.ConnectionKindUDP.String(), c.UDP.Address
		if c.UDP.Local.IsValid() {
			g.Local = c.UDP.Local.String()
		}
	case c.Listener != nil:
		g.Kind, g.To = driver.ConnectionKindListener.String(), c.Listener.Address.String()
		for _, p := range c.Listener.From {
			g.From = append(g.From, p.String())
		}
	}
	return g
}

func tlsGrant(t *config.TCP) *message.GrantTLS {
	if t.TLS == nil {
		return nil
	}
	host, _, _ := net.SplitHostPort(t.Address) // the configuration was checked
	return &message.GrantTLS{ServerName: cmp.Or(t.TLS.ServerName, host), CA: t.TLS.CA, Cert: t.TLS.Cert}
}

func patternGrants(kind driver.ConnectionKind, patterns []config.Pattern) []message.Grant {
	var out []message.Grant
	for _, p := range patterns {
		out = append(out, message.Grant{Kind: kind.String(), To: p.String()})
	}
	return out
}
