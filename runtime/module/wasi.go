package module

import (
	"context"
	"fmt"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"
	"github.com/tetratelabs/wazero/sys"
)

// registerWASI provides WASI preview 1, with a proc_exit of our own: the one that wazero has closes the module while its
// call still runs, and frees its memory under it.
func registerWASI(ctx context.Context, r wazero.Runtime) error {
	builder := r.NewHostModuleBuilder(wasi_snapshot_preview1.ModuleName)
	wasi_snapshot_preview1.NewFunctionExporter().ExportFunctions(builder)
	builder.NewFunctionBuilder().
		WithGoFunction(api.GoFunc(procExit), []api.ValueType{api.ValueTypeI32}, nil).
		Export("proc_exit")
	if _, err := builder.Instantiate(ctx); err != nil {
		return fmt.Errorf("register WASI: %w", err)
	}
	return nil
}

// procExit ends the guest's call with its exit code and leaves the module open.
//
//	proc_exit(rval: i32)
func procExit(_ context.Context, stack []uint64) { panic(sys.NewExitError(api.DecodeU32(stack[0]))) }
