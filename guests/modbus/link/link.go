package link

import (
	"errors"
	"time"

	"github.com/droverhq/drover/guests/modbus/pdu"
)

// Stream is what a link does its I/O on: *sdk.Stream. Its errors are those of package sdk.
type Stream interface {
	Read(p []byte) (int, error)
	ReadFrame(p []byte, first, gap time.Duration, expect int) (int, error)
	Write(p []byte) (int, error)
	Flush() error
	SetReadDeadline(t time.Time) error
	SetWriteDeadline(t time.Time) error
}

// Link does transactions.
type Link interface {
	// Exchange sends a request to a unit and returns its response, a protocol data unit that is valid until the next
	// call. The unit may take timeout to answer; what the line itself takes comes on top. Nobody answers a broadcast:
	// its response is nil.
	//
	// A Fault is an error that leaves the link of use. After any other the stream is lost, or cancelled. Either has
	// ErrUnsent in its chain where no byte of the request was sent.
	Exchange(unit uint8, request pdu.Request, timeout time.Duration) ([]byte, error)
	// Traffic returns how many bytes were sent and received since the link was made.
	Traffic() (sent, received uint64)
}

// ErrUnsent is in the chain of an error that came before the first byte of the request was sent.
var ErrUnsent = errors.New("the request was not sent")

// unsent is an error that came before the request.
type unsent struct{ error }

// Is implements what errors.Is asks.
func (unsent) Is(target error) bool { return target == ErrUnsent }

// Unwrap returns the error itself.
func (e unsent) Unwrap() error { return e.error }

// Fault is what came in place of a reply.
type Fault uint8

const (
	// Silent: nothing came in time.
	Silent Fault = 1 + iota
	// BadCRC: the reply came, and its check was wrong.
	BadCRC
	// BadFrame: something came, and it was no reply to the request.
	BadFrame
)

// Error implements error.
func (f Fault) Error() string {
	switch f {
	case Silent:
		return "no reply"
	case BadCRC:
		return "reply with a wrong check"
	}
	return "bytes that are no reply"
}

// counts are the bytes that went over a link.
type counts struct{ sent, received uint64 }

// Traffic implements Link.
func (c *counts) Traffic() (sent, received uint64) { return c.sent, c.received }
