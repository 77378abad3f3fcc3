package meter

import (
	"context"
	"errors"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// errStack is what a guest ends with that needs too much stack.
var errStack = errors.New("stack bytes are used up")

// errFuel is what a test ends a guest with.
var errFuel = errors.New("fuel is used up")

// yielding provides the yield function. fuel is called for each allowance.
func yielding(ctx context.Context, r wazero.Runtime, fuel func() int64) error {
	_, err := r.NewHostModuleBuilder(ImportModule).NewFunctionBuilder().
		WithGoFunction(api.GoFunc(func(_ context.Context, stack []uint64) {
			if uint32(stack[0]) == ReasonStack {
				panic(errStack)
			}
			stack[0] = uint64(fuel())
		}), []api.ValueType{api.ValueTypeI32}, []api.ValueType{api.ValueTypeI64}).
		Export(ImportName).Instantiate(ctx)
	return err
}
