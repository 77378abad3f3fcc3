package pdu

import (
	"encoding/binary"
	"fmt"
)

// Sizes of a unit in bytes, without address and checks.
const (
	// RequestSize is that of every read request.
	RequestSize = 5
	// ExceptionSize is that of every exception response.
	ExceptionSize = 2
	// MaxSize is the largest of any unit (specification, section 4.1).
	MaxSize = 253
)

// exceptionFlag is set in the function code of an exception response.
const exceptionFlag = 0x80

// Read is a request for Count bits or registers of an area, from offset Start.
type Read struct {
	Area  Area
	Start uint16
	Count uint16
}

// String returns the request for people: `holding 100..124`.
func (r Read) String() string {
	return fmt.Sprintf("%s %d..%d", r.Area, r.Start, int(r.Start)+int(r.Count)-1)
}

// Function is the code of the function that serves the request.
func (r Read) Function() byte { return byte(r.Area) }

// Append adds the request to dst: function, start and count, high byte first.
func (r Read) Append(dst []byte) []byte {
	dst = append(dst, r.Function())
	dst = binary.BigEndian.AppendUint16(dst, r.Start)
	return binary.BigEndian.AppendUint16(dst, r.Count)
}

// DataSize is the number of data bytes in the response that grants the request.
func (r Read) DataSize() int {
	if r.Area.Bits() {
		return (int(r.Count) + 7) / 8
	}
	return 2 * int(r.Count)
}

// ResponseSize is the number of bytes of the response that grants the request: function, byte count, data.
func (r Read) ResponseSize() int { return 2 + r.DataSize() }

// ExceptionFunction is the function code of a response that refuses the request.
func (r Read) ExceptionFunction() byte { return r.Function() | exceptionFlag }

// Data returns the data bytes of a response, a part of it; an Exception where the unit refused; a *FormatError where
// response does not answer this request.
func (r Read) Data(response []byte) ([]byte, error) {
	switch {
	case len(response) < ExceptionSize:
		return nil, formatErrorf("response of %d bytes", len(response))
	case response[0] == r.ExceptionFunction():
		return nil, r.exception(response)
	case response[0] != r.Function():
		return nil, formatErrorf("function %#02x answered, asked %#02x", response[0], r.Function())
	case int(response[1]) != r.DataSize():
		return nil, formatErrorf("byte count %d, expected %d", response[1], r.DataSize())
	case len(response) != r.ResponseSize():
		return nil, formatErrorf("response of %d bytes, expected %d", len(response), r.ResponseSize())
	}
	return response[2:], nil
}

func (r Read) exception(response []byte) error {
	if len(response) != ExceptionSize {
		return formatErrorf("exception response of %d bytes", len(response))
	}
	if response[1] == 0 {
		return formatErrorf("exception code 0")
	}
	return Exception(response[1])
}
