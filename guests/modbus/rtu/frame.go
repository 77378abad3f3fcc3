package rtu

import (
	"encoding/binary"

	"github.com/droverhq/drover/guests/modbus/pdu"
)

const (
	// MaxSize is the largest frame (section 2.5.1).
	MaxSize = 256
	// Overhead is what a frame adds to its protocol data unit: the unit's address in front, the check behind.
	Overhead = 3
	// MaxUnit is the highest address. 1 to 247 are those of units; 248 to 255 are reserved, and some devices use them.
	MaxUnit = 255
	// Broadcast is the address of all units at once. They do not answer.
	Broadcast = 0
)

// AppendRequest adds the frame that sends a request to a unit.
func AppendRequest(dst []byte, unit uint8, request pdu.Request) []byte {
	start := len(dst)
	dst = append(dst, unit)
	dst = request.Append(dst)
	return binary.LittleEndian.AppendUint16(dst, CRC(dst[start:]))
}

// Valid says whether a frame's check is right.
func Valid(frame []byte) bool {
	n := len(frame) - 2
	return n > 0 && binary.LittleEndian.Uint16(frame[n:]) == CRC(frame[:n])
}
