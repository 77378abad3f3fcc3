// Package link does Modbus transactions over a byte stream: one request, and the reply to it among all else that the
// stream gives.
//
// RTU is for serial lines, and in its streamed form for gateways that pass serial frames through a connection; TCP is
// Modbus TCP. A link does one transaction at a time and starts no goroutine. In a steady state it allocates nothing.
package link
