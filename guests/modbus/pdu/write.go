package pdu

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// The functions that write (specification, sections 6.5, 6.6, 6.11, 6.12 and 6.16).
const (
	writeCoil      = 0x05
	writeRegister  = 0x06
	writeCoils     = 0x0F
	writeRegisters = 0x10
	maskWrite      = 0x16
)

// The most that one request may write (specification, sections 6.11 and 6.12).
const (
	MaxWriteBits      = 1968
	MaxWriteRegisters = 123
)

// Write is a request that changes coils or holding registers. Its response is the beginning of the request, or all.
type Write struct {
	request []byte
	// answer is the size of the response.
	answer int
}

const (
	// shortAnswer is function, start and count, or value.
	shortAnswer = 5
	// maskAnswer is function, register and both masks.
	maskAnswer = 7
)

// WriteCoil sets one coil (function 5).
func WriteCoil(start uint16, on bool) Write {
	var value uint16
	if on {
		value = 0xFF00
	}
	return newWrite(writeCoil, start, value, shortAnswer)
}

// WriteRegister sets one holding register (function 6).
func WriteRegister(start, value uint16) Write {
	return newWrite(writeRegister, start, value, shortAnswer)
}

// WriteCoils sets count coils, 1 to MaxWriteBits, from the bits of data: eight a byte, the lowest first (function 15).
func WriteCoils(start, count uint16, data []byte) Write {
	w := newWrite(writeCoils, start, count, shortAnswer)
	w.request = append(append(w.request, byte(len(data))), data...)
	return w
}

// WriteRegisters sets holding registers from data, two bytes each, the high one first; 1 to MaxWriteRegisters (function
// 16).
func WriteRegisters(start uint16, data []byte) Write {
	w := newWrite(writeRegisters, start, uint16(len(data)/2), shortAnswer)
	w.request = append(append(w.request, byte(len(data))), data...)
	return w
}

// MaskWrite has the unit change some bits of a holding register: it keeps those that are set in and, and sets those in
// or that are not (function 22).
func MaskWrite(start, and, or uint16) Write {
	w := newWrite(maskWrite, start, and, maskAnswer)
	w.request = binary.BigEndian.AppendUint16(w.request, or)
	return w
}

func newWrite(function byte, start, second uint16, answer int) Write {
	request := append(make([]byte, 0, maskAnswer), function)
	request = binary.BigEndian.AppendUint16(request, start)
	return Write{request: binary.BigEndian.AppendUint16(request, second), answer: answer}
}

// Function implements Request.
func (w Write) Function() byte { return w.request[0] }

// Append implements Request.
func (w Write) Append(dst []byte) []byte { return append(dst, w.request...) }

// ResponseSize implements Request: a response to another write is none.
func (w Write) ResponseSize(head []byte) int {
	n := min(len(head), w.answer)
	if !bytes.Equal(head[:n], w.request[:n]) {
		return 0
	}
	return w.answer
}

// Check implements Request.
func (w Write) Check(response []byte) error {
	if err := refusal(w.Function(), response); err != nil {
		return err
	}
	if !bytes.Equal(response, w.request[:w.answer]) {
		return formatErrorf("response % X, expected % X", response, w.request[:w.answer])
	}
	return nil
}

// MaxResponse implements Request.
func (w Write) MaxResponse() int { return w.answer }

// Mirrored implements Request: functions 5, 6 and 22 are answered by their own bytes.
func (w Write) Mirrored() (Read, bool) {
	place := w.place()
	place.Count = 1
	return place, w.answer == len(w.request)
}

// place is what is written.
func (w Write) place() Read {
	r := Read{Area: Holding, Start: binary.BigEndian.Uint16(w.request[1:]), Count: 1}
	switch w.Function() {
	case writeCoil:
		r.Area = Coil
	case writeCoils:
		r.Area = Coil
		fallthrough
	case writeRegisters:
		r.Count = binary.BigEndian.Uint16(w.request[3:])
	}
	return r
}

// String implements Request.
func (w Write) String() string { return fmt.Sprintf("write %v", w.place()) }
