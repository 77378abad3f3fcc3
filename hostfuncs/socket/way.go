package socket

import (
	"context"
	"net/netip"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/stream"
)

// Way is how the connections of one channel find where they go: its grants, and the names that it has asked for.
type Way struct {
	Grants *grant.Set
	Names  *Names
}

// addresses returns where an endpoint is, which may be several places: those of its name that the grants permit. The
// error is grant.ErrDenied where they permit none.
func (w *Way) addresses(ctx context.Context, n grant.Network, e grant.Endpoint) ([]netip.AddrPort, error) {
	if e.Name == "" {
		return []netip.AddrPort{e.Address()}, nil
	}
	answer, err := w.Names.ask(ctx, e.Name)
	if err != nil {
		return nil, err
	}
	return w.permitted(n, e, answer)
}

func (w *Way) permitted(n grant.Network, e grant.Endpoint, answer []netip.Addr) ([]netip.AddrPort, error) {
	var out []netip.AddrPort
	err := error(stream.Errorf(driver.IOErrorNotFound, "%s has no address", e.Name))
	for _, a := range answer {
		if denied := w.Grants.Permits(n, e, a); denied != nil {
			err = &stream.Error{Code: driver.IOErrorDenied, Err: denied}
			continue
		}
		out = append(out, netip.AddrPortFrom(a, e.Port))
	}
	if len(out) > 0 {
		return out, nil
	}
	w.Names.release(e.Name)
	return nil, err
}
