package module

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/sys"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/runtime/failure"
)

// TestTrapsOfWazero has wazero itself run each faulting instruction, so that a change of its texts is noticed.
func TestTrapsOfWazero(t *testing.T) {
	tests := []struct {
		name string
		body []byte
		want failure.Code
	}{
		{"unreachable", []byte{0x00}, failure.TrapUnreachable},
		{"load out of bounds", []byte{0x41, 0x7f, 0x28, 0x02, 0x00, 0x1a}, failure.TrapMemoryBounds},
		{"divide by zero", []byte{0x41, 0x01, 0x41, 0x00, 0x6d, 0x1a}, failure.TrapDivideByZero},
		{"overflow", []byte{0x41, 0x80, 0x80, 0x80, 0x80, 0x78, 0x41, 0x7f, 0x6d, 0x1a}, failure.TrapIntegerOverflow},
		{"conversion", []byte{0x43, 0x00, 0x00, 0xc0, 0x7f, 0xa8, 0x1a}, failure.TrapConversion},
		{"empty table", []byte{0x41, 0x00, 0x11, 0x00, 0x00}, failure.TrapTableBounds},
		{"table out of bounds", []byte{0x41, 0x05, 0x11, 0x00, 0x00}, failure.TrapTableBounds},
		{"table.get out of bounds", []byte{0x41, 0x05, 0x25, 0x00, 0x1a}, failure.TrapTableBounds},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := runBinary(t, wasmtest.Module{Funcs: []wasmtest.Func{trapping("f", test.body...)}, Pages: 1, Table: true}.Encode())
			f := fault(failure.PhaseRun, err, "", false)
			if f.Code != test.want || f.Phase != failure.PhaseRun || f.Kind != failure.Retryable || !f.Code.Crash() {
				t.Errorf("got %+v, want code %s", f, test.want)
			}
			if stack := stackOf(err); stack != "f()" {
				t.Errorf("the stack is %q", stack)
			}
		})
	}
}

// trapping is an exported function without parameters and results.
func trapping(name string, body ...byte) wasmtest.Func {
	return wasmtest.Func{Signature: canon.Signature{Name: name}, Body: body}
}

// runBinary calls the export f and returns what the call ended with.
func runBinary(t *testing.T, binary []byte) error {
	t.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2))
	t.Cleanup(func() { _ = r.Close(ctx) })
	if err := registerWASI(ctx, r); err != nil {
		t.Fatal(err)
	}
	m, err := r.Instantiate(ctx, binary)
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.ExportedFunction("f").Call(ctx)
	if err == nil {
		t.Fatal("the call did not fail")
	}
	if m.IsClosed() {
		t.Error("the module was closed under its call")
	}
	return err
}

func TestProcExitLeavesTheModuleOpen(t *testing.T) {
	exit := canon.Signature{Module: "wasi_snapshot_preview1", Name: "proc_exit", Params: []api.ValueType{api.ValueTypeI32}}
	err := runBinary(t, wasmtest.Module{
		Imports: []canon.Signature{exit},
		Funcs:   []wasmtest.Func{trapping("f", 0x41, 0x03, 0x10, 0x00)},
	}.Encode())
	f := fault(failure.PhaseRun, err, "", false)
	if f.Code != failure.Exit || f.Summary != "the driver exited with code 3" {
		t.Errorf("got %v", f)
	}
}

func TestFault(t *testing.T) {
	trap := errors.New("wasm error: unreachable\nwasm stack trace:\n\t.f()")
	recovered := func(err error) error { return fmt.Errorf("%w (recovered by wazero)\nwasm stack trace:\n\t.f()", err) }
	tests := []struct {
		name    string
		err     error
		words   string
		refused bool
		code    failure.Code
		summary string
	}{
		{"last words", trap, "panic: boom", false, failure.TrapUnreachable, "panic: boom"},
		{"out of memory", trap, "fatal error: out of memory", true, failure.LimitMemory, "out of memory: fatal error: out of memory"},
		{"Go's own stack", trap, "fatal error: stack overflow", true, failure.LimitStack, "fatal error: stack overflow"},
		{"exit", sys.NewExitError(2), "", false, failure.Exit, "the driver exited with code 2"},
		{"encoding", recovered(&canon.Error{Func: "data publish", Reason: "bad"}), "panic: boom", false, failure.ABIEncoding, "canonical ABI: data publish: bad"},
		{"aborted", recovered(failure.New(failure.PhaseRun, failure.LimitDeadline, "late")), "", false, failure.LimitDeadline, "late"},
		{"our bug", recovered(&canon.HostPanic{Func: "data publish", Value: "x"}), "panic: boom", false, failure.HostPanic, "host function data publish panicked: x (recovered by wazero)"},
		{"words from before", recovered(failure.New("", failure.LimitCPU, "for too long")), "panic: boom", false, failure.LimitCPU, "for too long"},
		{"unknown trap", errors.New("wasm error: something new\nstack"), "", false, failure.TrapOther, "something new"},
		{"stack", errors.New("wasm error: stack overflow"), "", false, failure.LimitStack, "stack overflow"},
		{"bare stack", fmt.Errorf("call run: %w", errors.New("stack overflow")), "", false, failure.LimitStack, "stack overflow"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := fault(failure.PhaseInit, test.err, test.words, test.refused)
			if f.Code != test.code || f.Summary != test.summary || f.Phase != failure.PhaseInit || f.Kind != test.code.Kind() {
				t.Errorf("got %s %s %q, want %s %q", f.Kind, f.Code, f.Summary, test.code, test.summary)
			}
			if !errors.Is(f, test.err) {
				t.Error("the cause is lost")
			}
		})
	}
}

// TestUnlinked says whose fault it is that a module cannot be put together.
func TestUnlinked(t *testing.T) {
	for want, err := range map[failure.Code]error{
		failure.ABIImport:       errors.New("module[x] not instantiated"),
		failure.ABIEncoding:     errors.New("data[0]: out of bounds memory access"),
		failure.HostPanic:       &canon.HostPanic{Func: "instantiate", Value: "memory"},
		failure.TrapUnreachable: fmt.Errorf("start function: %w", errors.New("wasm error: unreachable")),
	} {
		if f := fault(failure.PhaseDescribe, unlinked(err), "", false); f.Code != want {
			t.Errorf("%v: got %s, want %s", err, f.Code, want)
		}
	}
}
