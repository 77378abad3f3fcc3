package canon

import (
	"fmt"
	goruntime "runtime"
	"runtime/debug"
)

// Error says how a guest broke the canonical ABI. A host function panics with it, which ends the guest's call with an
// error in which errors.As finds it; lifting the result of an export returns it.
type Error struct {
	// Func is the function whose parameters or result were malformed, as "interface function".
	Func string
	// Reason is what was wrong, for people.
	Reason string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Func == "" {
		return "canonical ABI: " + e.Reason
	}
	return "canonical ABI: " + e.Func + ": " + e.Reason
}

// fault ends the current lift or lowering.
func fault(format string, args ...any) {
	panic(&Error{Reason: fmt.Sprintf(format, args...)})
}

// guestError carries the error of a guest function that was called in the middle of a lowering: a trap or an exit of
// the guest's, not a fault of its encoding.
type guestError struct {
	function string
	err      error
}

// Error implements error.
func (e *guestError) Error() string { return e.function + ": " + e.err.Error() }

// Unwrap returns what the call ended with.
func (e *guestError) Unwrap() error { return e.err }

// HostPanic says that the Go code behind an import panicked: a bug of the host's, not a fault of the guest.
type HostPanic struct {
	// Func is the import, as "interface function".
	Func string
	// Value is what the code panicked with.
	Value any
	// Stack is the Go stack at the panic.
	Stack []byte
}

// Error implements error.
func (p *HostPanic) Error() string {
	return fmt.Sprintf("host function %s panicked: %v", p.Func, p.Value)
}

// Unwrap returns the value when it is an error.
func (p *HostPanic) Unwrap() error {
	err, _ := p.Value.(error)
	return err
}

// Guard is deferred by every import. It names the import in an [Error], makes a panic that is no error, or is one of
// Go's own, into a [HostPanic], and lets every other error through as it is: that is how a host function ends the
// guest on purpose.
func Guard(function string) {
	switch p := recover().(type) {
	case nil:
	case *Error:
		p.name(function)
		panic(p)
	case goruntime.Error:
		panic(&HostPanic{Func: function, Value: p, Stack: debug.Stack()})
	case error:
		panic(p)
	default:
		panic(&HostPanic{Func: function, Value: p, Stack: debug.Stack()})
	}
}

// Recover is deferred by every call of an export. It makes the panics of lowering and lifting into *err and lets every
// other panic through.
func Recover(function string, err *error) {
	switch p := recover().(type) {
	case nil:
	case *Error:
		p.name(function)
		*err = p
	case *guestError:
		*err = p
	default:
		panic(p)
	}
}

func (e *Error) name(function string) {
	if e.Func == "" {
		e.Func = function
	}
}
