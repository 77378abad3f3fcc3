package sdk

import (
	"context"
	"io"
	"io/fs"
	"os"

	"github.com/droverhq/drover/abi/driver"
)

// IOError is why an operation on a stream could not be done, as the host reports it. An error of a phase that has one
// in its chain keeps it as its cause.
//
// errors.Is finds it also by the standard library's names: os.ErrDeadlineExceeded for ErrTimeout, io.EOF and
// fs.ErrClosed for ErrClosed, fs.ErrPermission for ErrDenied, fs.ErrNotExist for ErrNotFound, context.Canceled for
// ErrCancelled.
type IOError driver.IOError

// The I/O errors of the contract: interface io in abi/wit.
const (
	// ErrTimeout: nothing came, or nothing could be sent, in the time given; or the phase is about to end.
	ErrTimeout = IOError(driver.IOErrorTimeout)
	// ErrClosed: the stream was closed, by the other side, by the device going away, or by Stream.Close.
	ErrClosed = IOError(driver.IOErrorClosed)
	// ErrReset: the other side broke the connection off.
	ErrReset = IOError(driver.IOErrorReset)
	// ErrRefused: the other side does not accept connections.
	ErrRefused = IOError(driver.IOErrorRefused)
	// ErrUnreachable: there is no way to the other side.
	ErrUnreachable = IOError(driver.IOErrorUnreachable)
	// ErrDenied: the operating system, or the grants of the channel, do not allow it.
	ErrDenied = IOError(driver.IOErrorDenied)
	// ErrBusy: somebody else holds it.
	ErrBusy = IOError(driver.IOErrorBusy)
	// ErrNotFound: there is no such port, host or granted name.
	ErrNotFound = IOError(driver.IOErrorNotFound)
	// ErrInvalid: a parameter is out of range, the operation does not apply, or the phase has no I/O.
	ErrInvalid = IOError(driver.IOErrorInvalid)
	// ErrCancelled: a yield or a stop is pending.
	ErrCancelled = IOError(driver.IOErrorCancelled)
	// ErrTLS: the TLS handshake failed.
	ErrTLS = IOError(driver.IOErrorTLS)
	// ErrStuck: the device takes no bytes any more.
	ErrStuck = IOError(driver.IOErrorStuck)
	// ErrOther is anything else.
	ErrOther = IOError(driver.IOErrorOther)
)

// Error implements error.
func (e IOError) Error() string {
	switch e {
	case ErrTimeout:
		return "timeout"
	case ErrClosed:
		return "connection closed"
	case ErrReset:
		return "connection reset"
	case ErrRefused:
		return "connection refused"
	case ErrUnreachable:
		return "host unreachable"
	case ErrDenied:
		return "not granted"
	case ErrBusy:
		return "held by somebody else"
	case ErrNotFound:
		return "no such port, host or name"
	case ErrInvalid:
		return "invalid operation"
	case ErrCancelled:
		return "cancelled"
	case ErrTLS:
		return "TLS handshake failed"
	case ErrStuck:
		return "device takes no bytes"
	}
	return "other I/O error"
}

// Timeout says whether it is ErrTimeout, as net.Error has it.
func (e IOError) Timeout() bool { return e == ErrTimeout }

// Is implements what errors.Is asks.
func (e IOError) Is(target error) bool {
	switch e {
	case ErrTimeout:
		return target == os.ErrDeadlineExceeded
	case ErrClosed:
		return target == io.EOF || target == fs.ErrClosed
	case ErrDenied:
		return target == fs.ErrPermission
	case ErrNotFound:
		return target == fs.ErrNotExist
	case ErrCancelled:
		return target == context.Canceled
	}
	return false
}
