package grant

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// maxHost is how long a host may be: what a name may have, and what an address with a zone needs.
const maxHost = 255

// Endpoint is where a connection goes: an address or the name of a host, and a port.
type Endpoint struct {
	// Name is empty where IP is valid.
	Name string
	// IP is never an IPv4 address in the form of IPv6.
	IP   netip.Addr
	Port uint16
}

// ParseEndpoint reads "host:port" or "[v6]:port". What is no address in its usual form is a name.
func ParseEndpoint(text string) (Endpoint, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return Endpoint{}, fmt.Errorf("address %q is not host:port: %w", clip(text), err)
	}
	if host == "" || len(host) > maxHost {
		return Endpoint{}, fmt.Errorf("address %q has no host of 1 to %d bytes", clip(text), maxHost)
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return Endpoint{}, fmt.Errorf("address %q: port %q is not 1 to 65535", clip(text), clip(port))
	}
	if a, err := netip.ParseAddr(host); err == nil {
		return Endpoint{IP: a.Unmap(), Port: uint16(n)}, nil
	}
	if !namelike(host) {
		return Endpoint{}, fmt.Errorf("address %q: the host is neither an address nor a name", clip(text))
	}
	return Endpoint{Name: host, Port: uint16(n)}, nil
}

// namelike says whether a host may be a name: labels of printable ASCII. Whether there is one is the resolver's affair.
func namelike(host string) bool {
	for _, c := range []byte(host) {
		if c <= ' ' || c >= 0x7f {
			return false
		}
	}
	return host[0] != '.' && !strings.Contains(host, "..")
}

// Address returns the address; the zero value for a name.
func (e Endpoint) Address() netip.AddrPort { return netip.AddrPortFrom(e.IP, e.Port) }

// Host returns the address or the name.
func (e Endpoint) Host() string {
	if e.Name != "" {
		return e.Name
	}
	return e.IP.String()
}

// Plain returns the endpoint with its name as patterns have it.
func (e Endpoint) Plain() Endpoint {
	e.Name = plainName(e.Name)
	return e
}

// String returns "host:port": the same text for the same endpoint, a name as patterns have it.
func (e Endpoint) String() string {
	if e.Name == "" {
		return e.Address().String()
	}
	return net.JoinHostPort(plainName(e.Name), strconv.Itoa(int(e.Port)))
}

// clip bounds text that a driver gave.
func clip(text string) string {
	const most = 300
	return text[:min(len(text), most)]
}
