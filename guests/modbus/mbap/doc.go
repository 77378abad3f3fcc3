// Package mbap has the framing of Modbus on TCP: the application protocol header in front of a protocol data unit.
//
// Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, section 3.1.3. Nothing here does I/O.
package mbap
