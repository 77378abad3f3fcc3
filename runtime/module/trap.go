package module

import (
	"errors"
	"fmt"
	goruntime "runtime"
	"strings"

	"github.com/tetratelabs/wazero/sys"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module/meter"
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
	stackOverflow:                   failure.LimitStack,
}

// stackOverflow is the trap that has neither prefix nor stack.
const stackOverflow = "stack overflow"

// goStackOverflow is what a Go program dies of when its stack, which is in its memory, has outgrown debug.SetMaxStack.
const goStackOverflow = "fatal error: stack overflow"

// trapPrefix starts the text of every error that wazero makes of a trap; host functions' errors do not have it.
const trapPrefix = "wasm error: "

// fault makes a failure of an error that a call into the guest ended with. lastWords are the guest's, of which a crash of
// a Go program is one; refused says that a memory.grow was refused in this instance.
func fault(phase failure.Phase, err error, lastWords string, refused bool) *failure.Failure {
	f := &failure.Failure{Phase: phase, Cause: err}
	f.Code, f.Summary = classify(err)
	if p, ok := errors.AsType[*canon.HostPanic](err); ok {
		f.Detail = string(p.Stack)
	}
	if own := f.Code == failure.Exit || strings.HasPrefix(string(f.Code), "trap."); own && lastWords != "" {
		f.Summary = lastWords
	}
	switch own := f.Code == failure.TrapUnreachable || f.Code == failure.Exit; {
	case own && lastWords == goStackOverflow:
		f.Code = failure.LimitStack
	case own && refused:
		f.Code = failure.LimitMemory
		f.Summary = "out of memory: " + f.Summary
	}
	f.Kind = f.Code.Kind()
	return f
}

// classify returns an error's code and what it says in one line.
func classify(err error) (code failure.Code, summary string) {
	if f, ok := errors.AsType[*failure.Failure](err); ok {
		return f.Code, f.Summary
	}
	if e, ok := errors.AsType[*canon.Error](err); ok {
		return failure.ABIEncoding, e.Error()
	}
	if e, ok := errors.AsType[*sys.ExitError](err); ok {
		return failure.Exit, fmt.Sprintf("the driver exited with code %d", e.ExitCode())
	}
	trap := trapOf(err)
	if trap == nil {
		return untrapped(err)
	}
	text, _, _ := strings.Cut(strings.TrimPrefix(trap.Error(), trapPrefix), "\n")
	if code, ok := traps[text]; ok {
		return code, text
	}
	return failure.TrapOther, text
}

// untrapped is classify for what no code of the guest's ended with. wazero's own WASI functions panic with an error of Go's
// runtime when they are given numbers that overflow; ours never get that far, see canon.Guard.
func untrapped(err error) (code failure.Code, summary string) {
	text, _, _ := strings.Cut(err.Error(), "\n")
	_, ours := errors.AsType[*canon.HostPanic](err)
	if _, ok := errors.AsType[goruntime.Error](err); ok && !ours {
		return failure.ABIEncoding, "a WASI function was called with what it cannot take: " + text
	}
	return failure.HostPanic, text
}

// unlinked makes a failure of what is wrong with a module that cannot be put together: it imports, other than a function
// of ours, what is not there, or its data does not fit its memory. What its start function ended with is returned as it is.
func unlinked(err error) error {
	_, ours := errors.AsType[*canon.HostPanic](err)
	if code, _ := classify(err); code != failure.HostPanic || ours {
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
// its text is followed by "(recovered by wazero)". That the native stack is used up is a trap without the prefix.
func trapOf(err error) error {
	for ; err != nil; err = errors.Unwrap(err) {
		if text := err.Error(); strings.HasPrefix(text, trapPrefix) || text == stackOverflow {
			return err
		}
	}
	return nil
}

// stackHeader is the line before the frames that wazero writes (internal/wasmdebug).
const stackHeader = "wasm stack trace:\n"

// stackOf returns the frames of the guest's functions that wazero wrote into err, one a line, innermost first.
func stackOf(err error) string {
	_, stack, _ := strings.Cut(err.Error(), stackHeader)
	var frames []string
	for line := range strings.Lines(stack) {
		frame := strings.TrimSpace(line)
		if frame == "" || strings.HasPrefix(frame, stackHeader[:len(stackHeader)-1]) {
			break // Go's own stack follows, or that of a call around this one
		}
		if frame = unnamed(frame); !strings.HasPrefix(frame, meter.ImportModule+".") && !strings.HasPrefix(frame, meter.Dispatcher+"(") {
			frames = append(frames, frame)
		}
	}
	return strings.Join(frames, "\n")
}

// unnamed is a frame without the name of its module, which has none: a dot is left of it.
func unnamed(frame string) string {
	if strings.HasPrefix(frame, "...") { // "maybe followed by omitted frames"
		return frame
	}
	return strings.TrimPrefix(frame, ".")
}
