package module

import (
	"errors"
	"fmt"
	"strings"

	"github.com/tetratelabs/wazero/sys"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/runtime/failure"
)

// traps maps wazero's trap texts to codes. The type is in a package of wazero that others cannot name, so the text of
// the error that stands behind "wasm error: " is what there is (wazero internal/wasmruntime/errors.go).
var traps = map[string]failure.Code{
	"unreachable":                   failure.TrapUnreachable,
	"out of bounds memory access":   failure.TrapMemoryBounds,
	"invalid table access":          failure.TrapTableBounds,
	"indirect call type mismatch":   failure.TrapIndirectCall,
	"integer divide by zero":        failure.TrapDivideByZero,
	"integer overflow":              failure.TrapIntegerOverflow,
	"invalid conversion to integer": failure.TrapConversion,
	"stack overflow":                failure.LimitStack,
}

// trapPrefix starts the text of every error that wazero makes of a trap; host functions' errors do not have it.
const trapPrefix = "wasm error: "

// fault makes a failure of an error that a call into the guest ended with. output has the guest's last words, of which
// a crash of a Go program is one; refused says that a memory.grow was refused in this instance.
func fault(phase failure.Phase, err error, lastWords string, refused bool) *failure.Failure {
	f := &failure.Failure{Phase: phase, Cause: err}
	f.Code, f.Summary, f.Detail = classify(err)
	if lastWords != "" && f.Code != failure.ABIEncoding && f.Code != failure.HostPanic {
		f.Summary = lastWords
	}
	if refused && (f.Code == failure.TrapUnreachable || f.Code == failure.Exit) {
		f.Code = failure.LimitMemory
		f.Summary = "out of memory: " + f.Summary
	}
	f.Kind = f.Code.Kind()
	return f
}

// classify returns an error's code, what it says in one line, and wazero's stack where there is one.
func classify(err error) (code failure.Code, summary, stack string) {
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return f.Code, f.Summary, f.Detail
	}
	if e, ok := errors.AsType[*canon.Error](err); ok {
		return failure.ABIEncoding, e.Error(), stackOf(err)
	}
	if e, ok := errors.AsType[*sys.ExitError](err); ok {
		return failure.Exit, fmt.Sprintf("the driver exited with code %d", e.ExitCode()), ""
	}
	trap := trapOf(err)
	if trap == nil {
		text, _, _ := strings.Cut(err.Error(), "\n")
		return failure.HostPanic, text, stackOf(err)
	}
	text, _, _ := strings.Cut(strings.TrimPrefix(trap.Error(), trapPrefix), "\n")
	if code, ok := traps[text]; ok {
		return code, text, stackOf(trap)
	}
	return failure.TrapOther, text, stackOf(trap)
}

// unlinked makes a failure of what is wrong with a module that cannot be put together: it imports, other than a function
// of ours, what is not there, or its data does not fit its memory. What its start function ended with is returned as it is.
func unlinked(err error) error {
	if code, _, _ := classify(err); code != failure.HostPanic {
		return err
	}
	code := failure.ABIImport
	if strings.HasPrefix(err.Error(), "data[") {
		code = failure.ABIEncoding
	}
	f := failure.New("", code, fmt.Sprintf("instantiate the module: %v", err))
	f.Cause = err
	return f
}

// trapOf returns the error in the chain that wazero made of a trap, or nil. A host function's own error never is one:
// its text is followed by "(recovered by wazero)".
func trapOf(err error) error {
	for ; err != nil; err = errors.Unwrap(err) {
		if strings.HasPrefix(err.Error(), trapPrefix) {
			return err
		}
	}
	return nil
}

func stackOf(err error) string {
	_, stack, _ := strings.Cut(err.Error(), "\n")
	return stack
}
