package hostfuncs

import (
	"context"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/stream"
)

// errAddress refuses addresses: there are no grants of addresses, only of names.
var errAddress = stream.Errorf(driver.IOErrorDenied, "%w: no grant covers this address", grant.ErrDenied)

// Connect implements host.Socket.
func (s *Session) Connect(_ context.Context, to driver.Target) component.Result[host.Stream, driver.IOError] {
	if to.Tag() == driver.TargetTagName {
		return s.borrow(to.Name(), driver.ConnectionKindTCP)
	}
	if !s.IOAllowed() {
		return s.refuse(to.Address(), stream.ErrPhase)
	}
	return s.refuse(to.Address(), errAddress)
}

// Bind implements host.Socket. No datagrams can be granted.
func (s *Session) Bind(_ context.Context, to driver.Target) component.Result[host.Datagrams, driver.IOError] {
	if to.Tag() == driver.TargetTagAddress {
		return component.Err[host.Datagrams](s.refuseKind(to.Address(), errAddress))
	}
	return component.Err[host.Datagrams](s.refuseKind(to.Name(), notGranted("udp")))
}

// Listen implements host.Socket. No listener can be granted.
func (s *Session) Listen(_ context.Context, name string) component.Result[host.Listener, driver.IOError] {
	return component.Err[host.Listener](s.refuseKind(name, notGranted("listener")))
}

// refuseKind reports why nothing of a kind can be had.
func (s *Session) refuseKind(name string, err error) driver.IOError {
	if !s.IOAllowed() {
		err = stream.ErrPhase
	}
	return s.report("open", name, err)
}
