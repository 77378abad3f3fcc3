package pdu

import (
	"fmt"
	"strconv"
)

// Exception is the code with which a unit refuses a request (specification, section 7).
type Exception uint8

// The codes of the specification.
const (
	IllegalFunction     Exception = 1
	IllegalAddress      Exception = 2
	IllegalValue        Exception = 3
	DeviceFailure       Exception = 4
	Acknowledge         Exception = 5
	DeviceBusy          Exception = 6
	ParityError         Exception = 8
	GatewayPath         Exception = 10
	GatewayTargetSilent Exception = 11
)

var meanings = [...]string{
	IllegalFunction:     "illegal function",
	IllegalAddress:      "illegal data address",
	IllegalValue:        "illegal data value",
	DeviceFailure:       "server device failure",
	Acknowledge:         "acknowledge",
	DeviceBusy:          "server device busy",
	ParityError:         "memory parity error",
	GatewayPath:         "gateway path unavailable",
	GatewayTargetSilent: "gateway target device failed to respond",
}

// Meaning is the specification's name of the code, or "not in the specification".
func (e Exception) Meaning() string {
	if int(e) < len(meanings) && meanings[e] != "" {
		return meanings[e]
	}
	return "not in the specification"
}

// Error implements error.
func (e Exception) Error() string {
	return "exception " + strconv.Itoa(int(e)) + " (" + e.Meaning() + ")"
}

// Unreachable says that a gateway answered for a unit that it cannot reach.
func (e Exception) Unreachable() bool { return e == GatewayPath || e == GatewayTargetSilent }

// FormatError says what is wrong with a response that does not answer its request.
type FormatError struct {
	// Problem is what was found, and what was expected.
	Problem string
}

// Error implements error.
func (e *FormatError) Error() string { return e.Problem }

func formatErrorf(format string, args ...any) error {
	return &FormatError{Problem: fmt.Sprintf(format, args...)}
}
