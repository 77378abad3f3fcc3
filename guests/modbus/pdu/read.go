package pdu

import (
	"encoding/binary"
	"fmt"
)

// Sizes of a unit in bytes, without address and checks.
const (
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

// FullSize is the number of bytes of the response that grants the request: function, byte count, data.
func (r Read) FullSize() int { return 2 + r.DataSize() }

// ResponseSize implements Request.
func (r Read) ResponseSize(head []byte) int {
	if len(head) > 1 && int(head[1]) != r.DataSize() {
		return 0
	}
	return r.FullSize()
}

// MaxResponse implements Request.
func (r Read) MaxResponse() int { return r.FullSize() }

// Mirrored implements Request.
func (r Read) Mirrored() (Read, bool) { return Read{}, false }

// Check implements Request.
func (r Read) Check(response []byte) error {
	if err := refusal(r.Function(), response); err != nil {
		return err
	}
	switch {
	case int(response[1]) != r.DataSize():
		return formatErrorf("byte count %d, expected %d", response[1], r.DataSize())
	case len(response) != r.FullSize():
		return formatErrorf("response of %d bytes, expected %d", len(response), r.FullSize())
	}
	return nil
}

// Data returns the data bytes of a response, a part of it. Errors are those of Check.
func (r Read) Data(response []byte) ([]byte, error) {
	if err := r.Check(response); err != nil {
		return nil, err
	}
	return response[2:], nil
}
