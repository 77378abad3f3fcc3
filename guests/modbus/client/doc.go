// Package client is the Modbus driver: it reads the points of any number of units, over one connection, by the plans,
// links and decoders beside it.
//
// A session is one thread and does one transaction at a time, which is what a line needs and what every gateway can do.
// Nothing that a unit does ends the session: what it refuses or does not answer makes samples bad. Only the loss of the
// connection ends it, and on TCP the silence of all units, behind which a dead connection may be.
package client
