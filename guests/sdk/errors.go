package sdk

import (
	"errors"
	"fmt"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// Kind is what is to be done about a failure.
type Kind uint8

const (
	// KindDefault leaves it to the host, which has a default for every code.
	KindDefault Kind = iota
	// KindRetryable: try again after the backoff.
	KindRetryable
	// KindFatal: trying again cannot help; the channel ends as failed.
	KindFatal
	// KindStop: the driver ends by its own decision; the channel ends as stopped.
	KindStop
)

// lower returns the contract's kind, retryable for the default, and whether there is one.
func (k Kind) lower() (driver.FailureKind, bool) {
	switch k {
	case KindRetryable:
		return driver.FailureKindRetryable, true
	case KindFatal:
		return driver.FailureKindFatal, true
	case KindStop:
		return driver.FailureKindStop, true
	}
	return driver.FailureKindRetryable, false
}

// Error is an error that says what is to be done about it.
type Error struct {
	Kind Kind
	// Code is one of those that the driver's metadata declares, or empty.
	Code string
	// Summary is one line for people. It may be empty where Err says all.
	Summary string
	// Err is the error behind it, or nil.
	Err error
}

// Error implements error: the summary, then the error behind it.
func (e *Error) Error() string {
	switch {
	case e.Err == nil:
		return e.Summary
	case e.Summary == "":
		return e.Err.Error()
	}
	return e.Summary + ": " + e.Err.Error()
}

// Unwrap returns the error behind it.
func (e *Error) Unwrap() error { return e.Err }

// Retryable returns an error that is tried again after the backoff, with a code of the driver's own, or "" for none.
// The format is fmt.Errorf's, %w included.
func Retryable(code, format string, args ...any) error {
	return kinded(KindRetryable, code, format, args)
}

// Fatal returns an error that trying again cannot help: the channel ends as failed.
func Fatal(code, format string, args ...any) error { return kinded(KindFatal, code, format, args) }

// Stop returns an error by which the driver ends of its own decision: the channel ends as stopped.
func Stop(code, format string, args ...any) error { return kinded(KindStop, code, format, args) }

func kinded(k Kind, code, format string, args []any) error {
	return &Error{Kind: k, Code: code, Err: fmt.Errorf(format, args...)}
}

// failureOf lowers an error that a phase ended with. The outermost kind and code win; without a code, an I/O error in
// the chain is the cause.
func failureOf(err error) driver.Failure {
	f := driver.Failure{Summary: line(err.Error()), Cause: causeOf(err)}
	if kind, ok := kindOf(err).lower(); ok {
		f.Kind = component.Some(kind)
	}
	return f
}

func causeOf(err error) driver.Cause {
	if code := codeOf(err); code != "" {
		return driver.CauseOwn(clean(code))
	}
	if e, ok := errors.AsType[IOError](err); ok {
		return driver.CauseIO(driver.IOError(e))
	}
	return driver.CauseNone()
}

// kindOf returns the outermost kind in the chain that is not the default.
func kindOf(err error) Kind {
	for e, ok := errors.AsType[*Error](err); ok; e, ok = errors.AsType[*Error](e.Err) {
		if e.Kind != KindDefault {
			return e.Kind
		}
	}
	return KindDefault
}

// codeOf returns the outermost code in the chain.
func codeOf(err error) string {
	for e, ok := errors.AsType[*Error](err); ok; e, ok = errors.AsType[*Error](e.Err) {
		if e.Code != "" {
			return e.Code
		}
	}
	return ""
}

// reasonOf returns why a sample is bad, in the form that samples carry.
func reasonOf(err error) string {
	if code := codeOf(err); code != "" {
		return code
	}
	if e, ok := errors.AsType[IOError](err); ok {
		return e.reason()
	}
	return "other"
}

// reason returns the name of the error after "io.", without an allocation.
func (e IOError) reason() string {
	switch e {
	case ErrTimeout:
		return "io.timeout"
	case ErrClosed:
		return "io.closed"
	case ErrReset:
		return "io.reset"
	case ErrRefused:
		return "io.refused"
	case ErrUnreachable:
		return "io.unreachable"
	case ErrDenied:
		return "io.denied"
	case ErrBusy:
		return "io.busy"
	case ErrNotFound:
		return "io.not-found"
	case ErrInvalid:
		return "io.invalid"
	case ErrCancelled:
		return "io.cancelled"
	case ErrTLS:
		return "io.tls"
	case ErrStuck:
		return "io.stuck"
	}
	return "io.other"
}
