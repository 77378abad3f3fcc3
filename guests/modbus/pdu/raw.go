package pdu

import (
	"bytes"
	"errors"
	"fmt"
)

// Raw is a request that somebody else made.
type Raw struct{ request []byte }

// NewRaw returns a request of these bytes: function code and data.
func NewRaw(request []byte) (Raw, error) {
	switch {
	case len(request) == 0:
		return Raw{}, errors.New("no bytes, expected a function code and its data")
	case len(request) > MaxSize:
		return Raw{}, fmt.Errorf("%d bytes, expected at most %d", len(request), MaxSize)
	case request[0] == 0 || request[0] >= exceptionFlag:
		return Raw{}, fmt.Errorf("function code %d, expected 1 to 127", request[0])
	}
	return Raw{bytes.Clone(request)}, nil
}

// Function implements Request.
func (r Raw) Function() byte { return r.request[0] }

// Append implements Request.
func (r Raw) Append(dst []byte) []byte { return append(dst, r.request...) }

// Check implements Request.
func (r Raw) Check(response []byte) error { return refusal(r.Function(), response) }

// String implements Request.
func (r Raw) String() string { return fmt.Sprintf("function %d", r.Function()) }

// The functions whose responses have a size that is known besides those of Read and Write (specification, section 6).
const (
	exceptionStatus = 0x07
	diagnostics     = 0x08
	eventCounter    = 0x0B
	eventLog        = 0x0C
	serverID        = 0x11
	readFile        = 0x14
	writeFile       = 0x15
	readWrite       = 0x17
	readQueue       = 0x18
)

// ResponseSize implements Request.
func (r Raw) ResponseSize(head []byte) int {
	switch head[0] {
	case byte(Coil), byte(Discrete), byte(Holding), byte(Input), eventLog, serverID, readFile, writeFile, readWrite:
		return counted(head, 1)
	case readQueue:
		return counted(head, 2)
	case writeCoil, writeRegister, writeCoils, writeRegisters, eventCounter:
		return shortAnswer
	case maskWrite:
		return maskAnswer
	case exceptionStatus:
		return 2
	case diagnostics:
		return len(r.request)
	case encapsulated:
		return identifySize(head)
	}
	return AnySize
}

// counted is the size of a response whose bytes are counted by a number of width bytes behind the function code.
func counted(head []byte, width int) int {
	if len(head) <= width {
		return 1 + width
	}
	size := 0
	for _, b := range head[1 : 1+width] {
		size = size<<8 | int(b)
	}
	if 1+width+size > MaxSize {
		return 0
	}
	return 1 + width + size
}

// MaxResponse implements Request.
func (r Raw) MaxResponse() int { return MaxSize }

// Mirrored implements Request.
func (r Raw) Mirrored() (Read, bool) {
	probe := Read{Area: Holding, Count: 1}
	switch r.Function() {
	case writeCoil, writeRegister, maskWrite, diagnostics, writeFile:
		return probe, true
	}
	return probe, r.ResponseSize(r.request) == AnySize
}
