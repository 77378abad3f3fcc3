// Package modbus simulates Modbus devices: their memory, a server on TCP and one on a serial line, with counters and
// with faults on demand. It serves the demo, the tests and the benchmarks, and shares no code with the product, so that
// one cannot hide a mistake of the other.
//
// Sources: "MODBUS Application Protocol Specification V1.1b3" (PDU, functions, exceptions), "MODBUS over Serial Line
// V1.02" (RTU), "MODBUS Messaging on TCP/IP Implementation Guide V1.0b" (MBAP header).
package modbus
