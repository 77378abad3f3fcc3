package module

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module/meter"
)

// allowance is how much of a guest's code runs between two yields, in the meter's units: less than 0.1 ms of compiled
// code. The process can stop the world between two of them.
const allowance = 100_000

// registerMeter provides the function that the rewritten module calls when its allowance is used up.
func registerMeter(ctx context.Context, r wazero.Runtime) error {
	_, err := r.NewHostModuleBuilder(meter.ImportModule).NewFunctionBuilder().
		WithGoFunction(api.GoFunc(yield), []api.ValueType{api.ValueTypeI32}, []api.ValueType{api.ValueTypeI64}).
		Export(meter.ImportName).Instantiate(ctx)
	if err != nil {
		return fmt.Errorf("register the meter: %w", err)
	}
	return nil
}

// callContext is a context that carries the instance whose code runs.
type callContext struct {
	context.Context
	instance *Instance
}

type instanceKey struct{}

// Value implements context.Context.
func (c *callContext) Value(key any) any {
	if _, ok := key.(instanceKey); ok {
		return c.instance
	}
	return c.Context.Value(key)
}

// yield is what a guest calls when it has used its allowance up, or too much stack.
//
//	yield(reason: i32) -> (allowance: i64)
func yield(ctx context.Context, stack []uint64) {
	i, ok := ctx.Value(instanceKey{}).(*Instance)
	if !ok {
		panic(errors.New("a module was called without its instance"))
	}
	if api.DecodeU32(stack[0]) == meter.ReasonStack {
		panic(&failure.Failure{Code: failure.LimitStack, Summary: "the driver's calls are nested too deeply"})
	}
	i.yield()
	stack[0] = allowance
}

// yield lets others have the processor when the guest has had it for a turn. It ends the guest's call when the instance was aborted or the guest has computed
// for too long.
func (i *Instance) yield() {
	now := canon.Now()
	i.cpu.pause(now)
	i.inTime()
	if now-i.turn > turnLength {
		i.giveWay(now)
		now = i.turn
	}
	i.cpu.resume(now)
}

// printing is yield for a guest that is in the midst of a call of WASI's, from which the scheduler can take the processor.
func (i *Instance) printing() {
	i.cpu.lap(canon.Now())
	i.inTime()
}

// inTime ends the guest's call when the instance was aborted or the guest has computed for too long.
func (i *Instance) inTime() {
	i.goesOn()
	if most := i.config.Limits.compute(); i.cpu.stretch > int64(most) {
		panic(&failure.Failure{Code: failure.LimitCPU,
			Summary: fmt.Sprintf("the driver computed for %s without calling the host", most)})
	}
}

// hold keeps the guest waiting, until it is aborted at most.
func (i *Instance) hold(d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-i.abort:
		i.goesOn()
	}
}
