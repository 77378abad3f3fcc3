package mbap

import (
	"encoding/binary"
	"fmt"

	"github.com/droverhq/drover/guests/modbus/pdu"
)

const (
	// HeaderSize is transaction id, protocol id, length and unit.
	HeaderSize = 7
	// MaxSize is the largest frame.
	MaxSize = HeaderSize + pdu.MaxSize

	// lengthEnd is where the bytes begin that the length counts: the unit and what follows.
	lengthEnd = 6
	minLength = 2
	maxLength = 1 + pdu.MaxSize
)

// Frame is a received frame. Response is a part of what it was parsed from.
type Frame struct {
	Transaction uint16
	Unit        uint8
	Response    []byte
}

// AppendRequest adds the frame that sends a request to a unit.
func AppendRequest(dst []byte, transaction uint16, unit uint8, request pdu.Request) []byte {
	start := len(dst)
	dst = binary.BigEndian.AppendUint16(dst, transaction)
	dst = append(dst, 0, 0, 0, 0, unit)
	dst = request.Append(dst)
	binary.BigEndian.PutUint16(dst[start+4:], uint16(len(dst)-start-lengthEnd))
	return dst
}

// Next takes the first frame off what was received and answers how many bytes it had; 0 where it is not complete yet.
//
// A header that no Modbus server sends, another protocol id or an impossible length, is an error: the beginning of the
// next frame cannot be known then, and the connection is of no more use.
func Next(received []byte) (Frame, int, error) {
	if len(received) < HeaderSize {
		return Frame{}, 0, nil
	}
	if protocol := binary.BigEndian.Uint16(received[2:]); protocol != 0 {
		return Frame{}, 0, &HeaderError{Problem: fmt.Sprintf("protocol id %d, expected 0", protocol)}
	}
	length := int(binary.BigEndian.Uint16(received[4:]))
	if length < minLength || length > maxLength {
		problem := fmt.Sprintf("length %d, expected %d to %d", length, minLength, maxLength)
		return Frame{}, 0, &HeaderError{Problem: problem}
	}
	size := lengthEnd + length
	if len(received) < size {
		return Frame{}, 0, nil
	}
	return Frame{
		Transaction: binary.BigEndian.Uint16(received),
		Unit:        received[6],
		Response:    received[HeaderSize:size],
	}, size, nil
}

// HeaderError says what is wrong with a header.
type HeaderError struct {
	// Problem is what was found, and what was expected.
	Problem string
}

// Error implements error.
func (e *HeaderError) Error() string { return "modbus header: " + e.Problem }
