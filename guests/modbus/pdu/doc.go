// Package pdu has the protocol data units of Modbus: what is the same on every kind of line. They read and write coils,
// discrete inputs and registers, identify a device, or are whatever somebody wants to send.
//
// Source: MODBUS Application Protocol Specification V1.1b3, sections 4 and 6. Nothing here does I/O, and no read
// allocates but errors.
package pdu
