package grant

import (
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"slices"
	"strings"

	"github.com/droverhq/drover/abi/driver"
)

// Set is what one channel may open.
type Set struct {
	byName   map[string]Connection
	tcp, udp []Pattern
}

// New checks the grants, and reports all that is wrong with them together. Defaults are filled in.
func New(g Grants) (*Set, error) {
	set := &Set{byName: make(map[string]Connection, len(g.Connections)), tcp: g.TCP, udp: g.UDP}
	var problems []error
	for _, c := range g.Connections {
		if err := c.check(); err != nil {
			problems = append(problems, fmt.Errorf("connection %q: %w", c.Name, err))
		}
		if _, twice := set.byName[c.Name]; twice {
			problems = append(problems, fmt.Errorf("connection %q: named twice", c.Name))
		}
		set.byName[c.Name] = c.withDefaults()
	}
	for _, p := range slices.Concat(g.TCP, g.UDP) {
		if err := p.check(); err != nil {
			problems = append(problems, fmt.Errorf("pattern %s: %w", p, err))
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	return set, nil
}

// Lookup returns the connection of that name, if there is one and it is of that kind.
func (s *Set) Lookup(name string, kind driver.ConnectionKind) (Connection, bool) {
	c, ok := s.byName[name]
	return c, ok && c.Kind() == kind
}

// Count returns how many connections of that kind there are.
func (s *Set) Count(kind driver.ConnectionKind) int {
	n := 0
	for _, c := range s.byName {
		if c.Kind() == kind {
			n++
		}
	}
	return n
}

// Covers says whether a pattern covers the endpoint: its address, or its name as it is written. A name that no pattern
// has is not to be resolved: to ask a name server is a way out by itself.
func (s *Set) Covers(n Network, e Endpoint) bool {
	if e.Name == "" {
		return s.CoversAddress(n, e.Address())
	}
	name := plainName(e.Name)
	return slices.ContainsFunc(s.patterns(n), func(p Pattern) bool { return p.Name == name && p.port(e.Port) })
}

// CoversAddress says whether a pattern covers the address.
func (s *Set) CoversAddress(n Network, a netip.AddrPort) bool {
	return slices.ContainsFunc(s.patterns(n), func(p Pattern) bool { return p.address(a.Addr()) && p.port(a.Port()) })
}

// Names yields the names that patterns have at a port.
func (s *Set) Names(n Network, port uint16) iter.Seq[string] {
	return func(yield func(string) bool) {
		for _, p := range s.patterns(n) {
			if p.Name != "" && p.port(port) && !yield(p.Name) {
				return
			}
		}
	}
}

// Permits says whether an endpoint's name may lead to an address. One that is special (this machine, this link, many
// at once) it may not, unless a pattern covers that address, or the name says so itself, as `localhost` does.
func (s *Set) Permits(n Network, e Endpoint, a netip.Addr) error {
	a = a.Unmap()
	if !special(a) || isLocal(e.Name) && a.IsLoopback() || s.CoversAddress(n, netip.AddrPortFrom(a, e.Port)) {
		return nil
	}
	return fmt.Errorf("%w: %s is %s, which a name leads to only where a pattern covers the address", ErrDenied, e.Name, a)
}

func (s *Set) patterns(n Network) []Pattern {
	if n == NetworkUDP {
		return s.udp
	}
	return s.tcp
}

// isLocal says whether a name is this machine's by itself (RFC 6761, section 6.3).
func isLocal(name string) bool {
	name = plainName(name)
	return name == "localhost" || strings.HasSuffix(name, ".localhost")
}

// plainName returns a name as patterns have it.
func plainName(name string) string { return strings.ToLower(strings.TrimSuffix(name, ".")) }
