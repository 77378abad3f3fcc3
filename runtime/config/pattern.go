package config

import (
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// Pattern says what a channel's driver may reach by its address: some addresses, or one name, at some ports.
//
//	pattern = host ":" ports
//	host    = IPv4 | IPv4 "/" bits | "[" IPv6 "]" | "[" IPv6 "/" bits "]" | name
//	ports   = port | port "-" port
type Pattern struct {
	// Name is the name of a host, in lower case and without a dot at its end; empty where Prefix says the addresses.
	Name string
	// Prefix are addresses; a single one is a prefix with all of its bits. No bit is set beyond its length.
	Prefix netip.Prefix
	// First and Last are the ports, from 1 on, both included.
	First, Last uint16
}

// String returns the pattern as a configuration has it.
func (p Pattern) String() string {
	host := p.Name
	if p.Prefix.IsValid() {
		host = formatPrefix(p.Prefix)
		if p.Prefix.Addr().Is6() {
			host = "[" + host + "]"
		}
	}
	ports := strconv.Itoa(int(p.First))
	if p.Last != p.First {
		ports += "-" + strconv.Itoa(int(p.Last))
	}
	return host + ":" + ports
}

// formatPrefix returns a prefix without its length where it is a single address.
func formatPrefix(p netip.Prefix) string {
	if p.IsSingleIP() {
		return p.Addr().String()
	}
	return p.String()
}

var (
	errPattern = errors.New(`an address, a range or a name, and a port or ports, such as 10.0.0.0/24:502,` +
		` "[fd00::/64]:502" or meter.lan:5000-5010`)
	errPorts  = errors.New("a port from 1 to 65535, or the first and the last of some, such as 5000-5010")
	errPrefix = errors.New("an address or a range, such as 10.0.0.5, 10.0.0.0/24 or fd00::/64")
)

// parsePattern reads a pattern. The error says what was expected.
func parsePattern(text string) (Pattern, error) {
	colon := strings.LastIndexByte(text, ':')
	if colon < 0 {
		return Pattern{}, errPattern
	}
	host, ports := text[:colon], text[colon+1:]
	var p Pattern
	var err error
	if p.First, p.Last, err = parsePorts(ports); err != nil {
		return Pattern{}, err
	}
	inner, closed := strings.CutSuffix(host, "]")
	inner, opened := strings.CutPrefix(inner, "[")
	switch {
	case opened && closed && strings.Contains(inner, ":"):
		p.Prefix, err = parsePrefix(inner)
	case strings.ContainsAny(host, "[]:"):
		err = errors.New(errPattern.Error() + ": brackets around IPv6 and nothing else")
	case isHostName(host):
		p.Name = strings.ToLower(strings.TrimSuffix(host, "."))
	default:
		p.Prefix, err = parsePrefix(host)
	}
	if errors.Is(err, errPrefix) {
		err = errPattern
	}
	if err != nil {
		return Pattern{}, err
	}
	return p, nil
}

// parsePrefix reads an address or a range of addresses.
func parsePrefix(text string) (netip.Prefix, error) {
	address, _, ranged := strings.Cut(text, "/")
	a, err := netip.ParseAddr(address)
	switch {
	case err != nil:
		return netip.Prefix{}, errPrefix
	case a.Zone() != "":
		return netip.Prefix{}, errors.New("an address without a zone, which belongs to the address that is connected to")
	case a.Is4In6():
		return netip.Prefix{}, fmt.Errorf("the IPv4 address itself, %s", a.Unmap())
	case !ranged:
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return netip.Prefix{}, errPrefix
	case p != p.Masked():
		return netip.Prefix{}, fmt.Errorf("%s for the whole range, or the address alone", p.Masked())
	}
	return p, nil
}

func parsePorts(text string) (first, last uint16, err error) {
	from, to, ranged := strings.Cut(text, "-")
	if !ranged {
		to = from
	}
	first, okFirst := parsePort(from)
	last, okLast := parsePort(to)
	if !okFirst || !okLast || first > last || ranged && first == last {
		return 0, 0, errPorts
	}
	return first, last, nil
}

// parsePort reads a port as it is written everywhere: in decimal, without leading zeros.
func parsePort(text string) (uint16, bool) {
	n, err := strconv.ParseUint(text, 10, 16)
	return uint16(n), err == nil && n > 0 && text[0] != '0' && text[0] != '+'
}

const maxHostName = 253

// hostName is the name of a host (RFC 1123, section 2.1), with the underscore that some devices have. Its last label is
// no number, so that no resolver takes the name for an address.
var hostName = regexp.MustCompile(`^([A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)*` +
	`[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.?$`)

var numberForm = regexp.MustCompile(`^(0[xX][0-9A-Fa-f]*|[0-9]+)$`)

func isHostName(text string) bool {
	if len(text) > maxHostName || !hostName.MatchString(text) {
		return false
	}
	text = strings.TrimSuffix(text, ".")
	return !numberForm.MatchString(text[strings.LastIndexByte(text, '.')+1:])
}
