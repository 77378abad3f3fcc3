// Package pdu has the protocol data units of the Modbus read functions: what is the same on every kind of line.
//
// Source: MODBUS Application Protocol Specification V1.1b3, sections 4 and 6.1 to 6.4. Nothing here does I/O, and
// nothing allocates but errors.
package pdu
