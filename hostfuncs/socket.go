package hostfuncs

import (
	"context"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/stream"
)

// Connect implements host.Socket. An address is `invalid` where it is none.
func (s *Session) Connect(_ context.Context, to driver.Target) component.Result[host.Stream, driver.IOError] {
	if to.Tag() == driver.TargetTagName {
		return s.borrow(to.Name(), driver.ConnectionKindTCP)
	}
	e, err := s.endpoint(grant.NetworkTCP, to.Address())
	if err != nil {
		return s.refuse(to.Address(), err)
	}
	return s.stream(grant.Connection{Name: byAddress(grant.NetworkTCP, e), TCP: &grant.TCP{Address: e.String()}})
}

// byAddress is under which name the connection to an address is leased: none that a configuration can have.
func byAddress(n grant.Network, e grant.Endpoint) string { return string(n) + " " + e.String() }

// endpoint returns the endpoint that a guest means, where a pattern covers it.
func (s *Session) endpoint(n grant.Network, text string) (grant.Endpoint, error) {
	if !s.IOAllowed() {
		return grant.Endpoint{}, stream.ErrPhase
	}
	e, err := grant.ParseEndpoint(text)
	if err != nil {
		return grant.Endpoint{}, &stream.Error{Code: driver.IOErrorInvalid, Err: err}
	}
	if !s.channel.grants.Covers(n, e) {
		return grant.Endpoint{}, notCovered(n, e)
	}
	return e.Plain(), nil
}

// notCovered refuses an address.
func notCovered(n grant.Network, e grant.Endpoint) error {
	return stream.Errorf(driver.IOErrorDenied, "%w: no pattern of grants.%s covers %s", grant.ErrDenied, n, e)
}
