package modbus

import "time"

// Request is what a fault hook sees of a request.
type Request struct {
	// Number counts the requests of the server from 1.
	Number uint64
	// Transaction is the MBAP transaction identifier; 0 on RTU.
	Transaction uint16
	// Unit is the unit that is asked.
	Unit uint8
	// Function is the function code.
	Function uint8
	// Data is the PDU after the function code. It is valid until the hook returns.
	Data []byte
}

// Fault is what goes wrong with one response. The zero value is a sound response.
type Fault struct {
	// Delay is waited before the response is sent; the line stands still meanwhile.
	Delay time.Duration
	// Drop sends nothing. The request has been executed.
	Drop bool
	// Exception, if not 0, is answered in place of executing the request.
	Exception uint8
	// TransactionDelta is added to the transaction identifier (TCP only).
	TransactionDelta uint16
	// UnitDelta is added to the unit.
	UnitDelta uint8
	// BadCRC inverts the CRC (RTU only).
	BadCRC bool
	// Noise is sent before the response.
	Noise []byte
	// Truncate is how many bytes at the end are not sent.
	Truncate int
	// Gap, if not 0, sends the response byte by byte with that pause after each.
	Gap time.Duration
	// Close closes the connection after the response (TCP only; with Drop in place of it).
	Close bool
}
