package module

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/runtime/failure"
)

// InstanceConfig says what one instance may reach and take.
type InstanceConfig struct {
	Imports host.Imports
	// Memory is how many bytes of memory it may have. Default DefaultMemory.
	Memory uint64
	// Output gets each line that the guest writes to stdout or stderr. It may be nil.
	Output func(line string)
	// IODetail returns the host's error behind the last I/O error that the guest was given. It may be nil.
	IODetail func() error
}

// Instance is one attempt of a driver. One goroutine at a time makes, calls and closes it; only Abort may be called by
// others. After a call that failed with a crash it is only good for Close.
type Instance struct {
	module *Module
	config InstanceConfig
	memory *memory
	output *output
	abi    *host.Instance
	guest  api.Module
	// aborted is what Abort was given, abort is closed then.
	aborted atomic.Pointer[error]
	abort   chan struct{}
}

// Instantiate makes an instance and runs the module's initialisation. What goes wrong is a *failure.Failure of phase.
func (m *Module) Instantiate(ctx context.Context, phase failure.Phase, c InstanceConfig) (*Instance, error) {
	c.Memory = cmp.Or(c.Memory, DefaultMemory)
	least := uint64(m.compiled.ExportedMemories()["memory"].Min()) * pageSize
	if least > c.Memory { // wazero would panic outside of its own recover
		return nil, &failure.Failure{Phase: phase, Kind: failure.Fatal, Code: failure.LimitMemory,
			Summary: fmt.Sprintf("the module needs %d bytes of memory from the start, its limit is %d", least, c.Memory)}
	}
	area, err := newMemory(c.Memory)
	if err != nil {
		return nil, failure.From(phase, err)
	}
	i := &Instance{module: m, config: c, memory: area, output: &output{line: c.Output}, abort: make(chan struct{})}
	i.abi = host.New(c.Imports, canon.Limits{})
	defer i.endWith(ctx, phase)()
	if err := i.start(ctx); err != nil {
		return nil, errors.Join(i.fault(phase, err), i.Close(ctx))
	}
	return i, nil
}

// start instantiates the module and calls the initialisation of a reactor (WASI application ABI: `_initialize`).
func (i *Instance) start(ctx context.Context) (err error) {
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions().
		WithStdout(i.output).WithStderr(i.output).
		WithRandSource(rand.Reader).
		WithWalltime(i.walltime, clockResolution).WithNanotime(i.nanotime, clockResolution).WithNanosleep(i.sleep)
	ctx = i.context(experimental.WithMemoryAllocator(ctx, i.memory))
	if i.guest, err = i.module.runtime.InstantiateModule(ctx, i.module.compiled, config); err != nil {
		return unlinked(err)
	}
	if initialize := i.guest.ExportedFunction("_initialize"); initialize != nil {
		if _, err := initialize.Call(ctx); err != nil {
			return err
		}
	}
	return i.abi.Attach(i.guest)
}

// context is what every call into the guest is made with.
func (i *Instance) context(ctx context.Context) context.Context { return i.abi.Context(ctx) }

// endWith aborts the guest when ctx is done, until the function that it returns is called.
func (i *Instance) endWith(ctx context.Context, phase failure.Phase) (release func() bool) {
	return context.AfterFunc(ctx, func() {
		if cause := context.Cause(ctx); !errors.Is(cause, context.DeadlineExceeded) {
			i.Abort(failure.New(phase, failure.DriverOther, cause.Error()))
			return
		}
		i.Abort(failure.New(phase, failure.LimitDeadline, "the driver did not return in time"))
	})
}

// Configure calls the guest's configure.
func (i *Instance) Configure(ctx context.Context, c driver.Config) error {
	ctx, cancel := context.WithTimeout(ctx, phaseDeadline)
	defer cancel()
	_, err := call(i, failure.PhaseConfigure, func() (component.Result[component.Unit, driver.Failure], error) {
		return i.abi.Configure(i.context(ctx), c)
	})
	return err
}

// Connect calls the guest's connect.
func (i *Instance) Connect(ctx context.Context, s driver.Session) error {
	_, err := call(i, failure.PhaseConnect, func() (component.Result[component.Unit, driver.Failure], error) {
		return i.abi.Connect(i.context(ctx), s)
	})
	return err
}

// Init calls the guest's init.
func (i *Instance) Init(ctx context.Context, s driver.Session) (driver.Handle, error) {
	return call(i, failure.PhaseInit, func() (component.Result[driver.Handle, driver.Failure], error) {
		return i.abi.Init(i.context(ctx), s)
	})
}

// Run calls the guest's run.
func (i *Instance) Run(ctx context.Context, s driver.Session) (driver.Outcome, error) {
	return call(i, failure.PhaseRun, func() (component.Result[driver.Outcome, driver.Failure], error) {
		return i.abi.Run(i.context(ctx), s)
	})
}

// call makes one error of the two ways in which a phase can fail: the guest broke, or it says that it failed.
func call[T any](i *Instance, phase failure.Phase, f func() (component.Result[T, driver.Failure], error)) (T, error) {
	r, err := f()
	switch {
	case err != nil:
		return r.Value, i.fault(phase, err)
	case r.Failed:
		return r.Value, i.Failure(phase, r.Err)
	}
	return r.Value, nil
}

// Failure makes a failure of one that the driver reported.
func (i *Instance) Failure(phase failure.Phase, f driver.Failure) *failure.Failure {
	var detail error
	if i.config.IODetail != nil {
		detail = i.config.IODetail()
	}
	return i.module.failure(phase, f, detail)
}

func (i *Instance) fault(phase failure.Phase, err error) *failure.Failure {
	i.output.close()
	return fault(phase, err, i.output.lastWords, i.memory.refused.Load())
}

// Memory returns the size of the guest's memory in bytes, which is also the most that it had.
func (i *Instance) Memory() uint64 { return i.memory.size.Load() }

// Abort ends the guest with err: at its next call of the host, or at once in one that sleeps.
func (i *Instance) Abort(err error) {
	if i.aborted.CompareAndSwap(nil, &err) {
		close(i.abort)
	}
	i.abi.Abort(err)
}

// Close drops the resources that the guest left and gives its memory back. No call may be running.
func (i *Instance) Close(ctx context.Context) error {
	i.output.close()
	i.abi.Drop(ctx)
	var err error
	if i.guest != nil {
		err = i.guest.Close(ctx)
	}
	return errors.Join(err, i.memory.release())
}
