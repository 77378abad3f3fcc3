package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"

	"github.com/droverhq/drover/abi/driver"
)

// Error is an error whose meaning for a driver is known already: Code goes over the border, Err is for people.
type Error struct {
	Code driver.IOError
	Err  error
}

// Error implements error.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the error for people.
func (e *Error) Unwrap() error { return e.Err }

// Errorf returns an Error with a formatted message.
func Errorf(code driver.IOError, format string, args ...any) *Error {
	return &Error{Code: code, Err: fmt.Errorf(format, args...)}
}

// ErrClosed is why a line ends that its owner closed.
var ErrClosed = errors.New("closed by the host")

// ErrStuck says that a line could not be closed: the device holds a write and does not end it.
var ErrStuck = &Error{Code: driver.IOErrorStuck, Err: errors.New("a write to the device cannot be ended")}

// Code returns what err means for a driver. It is the one place where errors of the operating system, of package net
// and of the standard library get their io-error. An error that it does not know is `other`.
func Code(err error) driver.IOError {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	if e, ok := errors.AsType[ended](err); ok {
		return driver.IOError(e)
	}
	if e, ok := errors.AsType[syscall.Errno](err); ok {
		return errnoCode(e)
	}
	if e, ok := errors.AsType[*net.DNSError](err); ok {
		return resolveCode(e)
	}
	switch {
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.ErrClosedPipe),
		errors.Is(err, net.ErrClosed), errors.Is(err, os.ErrClosed), errors.Is(err, ErrClosed):
		return driver.IOErrorClosed
	case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return driver.IOErrorTimeout
	case errors.Is(err, context.Canceled):
		return driver.IOErrorCancelled
	}
	if e, ok := errors.AsType[net.Error](err); ok && e.Timeout() {
		return driver.IOErrorTimeout
	}
	return driver.IOErrorOther
}

// resolveCode is for names that could not be resolved. A name that does not exist is a mistake in the configuration; a
// name server that cannot be asked is a network that may come back.
func resolveCode(e *net.DNSError) driver.IOError {
	switch {
	case e.IsNotFound:
		return driver.IOErrorNotFound
	case e.IsTimeout:
		return driver.IOErrorTimeout
	default:
		return driver.IOErrorUnreachable
	}
}

// errnoCode is for the operating system's error numbers.
func errnoCode(e syscall.Errno) driver.IOError {
	if code, ok := systemCode(e); ok {
		return code
	}
	switch e {
	case syscall.ETIMEDOUT:
		return driver.IOErrorTimeout
	case syscall.EPIPE, syscall.EIO, syscall.EBADF, syscall.ESHUTDOWN:
		return driver.IOErrorClosed
	case syscall.ECONNRESET, syscall.ECONNABORTED:
		return driver.IOErrorReset
	case syscall.ECONNREFUSED:
		return driver.IOErrorRefused
	case syscall.EHOSTUNREACH, syscall.ENETUNREACH, syscall.EHOSTDOWN, syscall.ENETDOWN, syscall.EADDRNOTAVAIL:
		return driver.IOErrorUnreachable
	case syscall.EACCES, syscall.EPERM:
		return driver.IOErrorDenied
	case syscall.EBUSY, syscall.EWOULDBLOCK, syscall.EADDRINUSE:
		return driver.IOErrorBusy
	case syscall.ENOENT, syscall.ENXIO, syscall.ENODEV:
		return driver.IOErrorNotFound
	case syscall.EINVAL, syscall.EMSGSIZE:
		return driver.IOErrorInvalid
	}
	return driver.IOErrorOther
}

// broken returns err as the end of a line that was open. There, a device that went away is `closed`, and so is a
// connection that the operating system gave up: as `timeout` it would look like a device that may still answer.
func broken(err error) error {
	switch Code(err) {
	case driver.IOErrorTimeout, driver.IOErrorNotFound, driver.IOErrorCancelled:
		return &Error{Code: driver.IOErrorClosed, Err: err}
	}
	return err
}

// Failure is an operation of a stream that failed: the error behind an io-error, for people.
type Failure struct {
	// Op is what was tried, Name the configured name of the connection.
	Op, Name string
	Code     driver.IOError
	Cause    error
}

// Error implements error.
func (f Failure) Error() string { return fmt.Sprintf("%s %q: %v", f.Op, f.Name, f.Cause) }

// Unwrap returns the cause.
func (f Failure) Unwrap() error { return f.Cause }
