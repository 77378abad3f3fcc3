package socket

import (
	"fmt"
	"net/netip"
	"strings"
	"syscall"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/stream"
)

// reach returns the check of a connection to host, which the operating system's connect is preceded by. It sees the
// address that is connected to, not one that the name had a moment before: there is no second resolution that another
// answer could be given to. A name that is none of this machine's must not lead to this machine, where the node's own
// server listens.
func reach(host string) func(network, address string, _ syscall.RawConn) error {
	return func(_, address string, _ syscall.RawConn) error {
		to, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("check the address of %s: %w", host, err)
		}
		if ip := to.Addr().Unmap(); !isLocal(host) && (ip.IsLoopback() || ip.IsUnspecified() || ip.IsMulticast()) {
			return stream.Errorf(driver.IOErrorDenied, "%w: %s is %s, which only `localhost` or an address may name",
				grant.ErrDenied, host, ip)
		}
		return nil
	}
}

// isLocal says whether the configuration names this machine, or an address, by itself (RFC 6761, section 6.3).
func isLocal(host string) bool {
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	_, err := netip.ParseAddr(host)
	return err == nil
}
