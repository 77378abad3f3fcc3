// Package interop tests the built node against Modbus servers and clients that nobody here wrote: pymodbus, libmodbus,
// mbserver and mbpoll, and drives it by the nats command. `make interop` runs it, with the build tag interop; .ci/run
// installs the peers, natscli.sh the nats command. A missing peer is a failure.
//
// It is a module of its own, so that the peers written in Go are no dependencies of the product.
package interop
