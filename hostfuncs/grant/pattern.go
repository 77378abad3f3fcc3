package grant

import (
	"errors"
	"fmt"
	"net/netip"
)

// Network is what a pattern is for.
type Network string

// The networks.
const (
	NetworkTCP Network = "tcp"
	NetworkUDP Network = "udp"
)

// Pattern covers addresses, or one name, at some ports.
type Pattern struct {
	// Name is a host's in lower case, without a dot at its end; empty where Prefix has the addresses.
	Name   string
	Prefix netip.Prefix
	// First and Last are ports, both included.
	First, Last uint16
}

// String is for people.
func (p Pattern) String() string {
	host := p.Name
	if host == "" {
		host = p.Prefix.String()
	}
	return fmt.Sprintf("%s ports %d to %d", host, p.First, p.Last)
}

func (p Pattern) check() error {
	var problems []error
	if (p.Name == "") == !p.Prefix.IsValid() {
		problems = append(problems, errors.New("not one of a name and a range of addresses"))
	}
	if p.Prefix != p.Prefix.Masked() || p.Prefix.Addr().Is4In6() {
		problems = append(problems, errors.New("no plain range of addresses"))
	}
	if p.Name != plainName(p.Name) {
		problems = append(problems, errors.New("a name that is not in lower case, or ends with a dot"))
	}
	if p.First == 0 || p.First > p.Last {
		problems = append(problems, errors.New("ports out of order"))
	}
	return errors.Join(problems...)
}

func (p Pattern) port(n uint16) bool { return p.First <= n && n <= p.Last }

// address says whether the pattern covers an address. A special one is covered only by a pattern of such addresses: who
// writes 0.0.0.0/0 means the network and not this machine. A zone is none of the pattern's.
func (p Pattern) address(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if !p.Prefix.Contains(a) {
		return false
	}
	for _, s := range specials {
		if s.Contains(a) && p.Prefix.Bits() < s.Bits() {
			return false
		}
	}
	return true
}

// special says whether an address is this machine's, this link's, or that of many.
func special(a netip.Addr) bool {
	for _, s := range specials {
		if s.Contains(a.WithZone("")) {
			return true
		}
	}
	return false
}

// specials are the addresses that are no host's of the network (RFC 6890).
var specials = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("127.0.0.0/8"),
	netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("224.0.0.0/4"),
	netip.MustParsePrefix("255.255.255.255/32"),
	netip.MustParsePrefix("::/128"),
	netip.MustParsePrefix("::1/128"),
	netip.MustParsePrefix("fe80::/10"),
	netip.MustParsePrefix("ff00::/8"),
}
