package module

import (
	"context"
	"crypto/rand"
	"errors"
	"runtime/debug"
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
	Limits  Limits
	// Secrets are what nobody is to read. They are redacted in what the guest prints, and in the calls of a post-mortem.
	Secrets [][]byte
	// Output gets each line that the guest writes to stdout or stderr. It may be nil.
	Output func(line string)
	// IODetail returns the host's error behind the last I/O error that the guest was given. It may be nil.
	IODetail func() error
}

// Instance is one attempt of a driver. One goroutine at a time makes, calls and closes it; only Abort and Usage may be
// called by others. After a call that failed with a crash it is only good for Close.
type Instance struct {
	module *Module
	config InstanceConfig
	memory *memory
	output *output
	abi    *host.Instance
	guest  api.Module

	cpu      account
	throttle throttle
	turn     int64        // when it last gave way to others
	calling  *callContext // of the last call
	running  atomic.Bool  // a phase
	skipped  int64        // by how much the guest's monotonic clock is ahead
	stack    string       // of the failure

	// aborted is what Abort was given, abort is closed then.
	aborted atomic.Pointer[error]
	abort   chan struct{}
}

// Instantiate makes an instance and runs the module's initialisation. What goes wrong is a *failure.Failure of phase.
func (m *Module) Instantiate(ctx context.Context, phase failure.Phase, c InstanceConfig) (*Instance, error) {
	c.Limits = c.Limits.withDefaults()
	if err := c.Limits.holds(phase, m.compiled.ExportedMemories()["memory"].Min()); err != nil {
		return nil, err
	}
	image := m.image
	if image != nil && image.size > c.Limits.Memory { // it may do with less
		image = nil
	}
	area, err := newMemory(c.Limits.Memory, image)
	if err != nil {
		return nil, failure.From(phase, err)
	}
	i := &Instance{module: m, config: c, memory: area, abort: make(chan struct{})}
	i.output = &output{line: c.Output, check: i.printing, secrets: c.Secrets}
	i.throttle = newThrottle(c.Limits, canon.Now())
	i.abi = host.New(c.Imports, c.Limits.Lift)
	i.abi.Guest().Watch(stopwatch{i})
	defer i.endWith(ctx, phase)()
	if err := i.start(ctx, image); err != nil {
		return nil, errors.Join(i.fault(phase, err), i.Close(ctx))
	}
	return i, nil
}

// start puts the module together and makes it ready to be called: as it was when the image was made, or, without one, by
// its initialisation.
func (i *Instance) start(ctx context.Context, image *image) (err error) {
	ctx = i.context(ctx)
	i.cpu.run(canon.Now())
	defer func() { i.cpu.rest(canon.Now()) }()
	if i.guest, err = i.instantiate(ctx); err != nil {
		return unlinked(err)
	}
	i.cpu.run(canon.Now())
	if image != nil {
		err = image.restore(i)
	} else {
		err = i.initialize(ctx)
	}
	if err != nil {
		return err
	}
	return i.abi.Attach(i.guest)
}

// initialize calls the initialisation of a reactor (WASI application ABI: `_initialize`).
func (i *Instance) initialize(ctx context.Context) error {
	if i.module.detached != nil {
		if err := i.fill(); err != nil {
			return unlinked(err)
		}
	}
	initialize := i.guest.ExportedFunction("_initialize")
	if initialize == nil {
		return nil
	}
	_, err := initialize.Call(ctx)
	return err
}

// instantiate puts the module together, which runs its start function. What wazero panics with outside of its own
// recover becomes an error.
func (i *Instance) instantiate(ctx context.Context) (m api.Module, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = &canon.HostPanic{Func: "instantiate", Value: p, Stack: debug.Stack()}
		}
	}()
	config := wazero.NewModuleConfig().WithName("").WithStartFunctions().
		WithStdout(i.output).WithStderr(i.output).
		WithRandSource(rand.Reader).
		WithWalltime(i.walltime, clockResolution).WithNanotime(i.nanotime, clockResolution).WithNanosleep(i.sleep)
	ctx = experimental.WithMemoryAllocator(ctx, i.memory)
	return i.module.runtime.InstantiateModule(ctx, i.module.compiled, config)
}

// context is what every call into the guest is made with.
func (i *Instance) context(ctx context.Context) context.Context {
	i.calling = &callContext{ctx, i}
	return i.abi.Context(i.calling)
}

// endWith aborts the guest when ctx is done, until the function that it returns is called. A cause that is a failure is
// what the guest ends with.
func (i *Instance) endWith(ctx context.Context, phase failure.Phase) (release func() bool) {
	return context.AfterFunc(ctx, func() {
		cause := context.Cause(ctx)
		if f, ok := errors.AsType[*failure.Failure](cause); ok {
			i.Abort(f)
			return
		}
		if !errors.Is(cause, context.DeadlineExceeded) {
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
	i.running.Store(true)
	defer i.running.Store(false)
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

// fault makes a failure of an error that a call into the guest ended with. A crash has the post-mortem with it.
func (i *Instance) fault(phase failure.Phase, err error) *failure.Failure {
	i.output.close()
	f := fault(phase, err, i.output.lastWords, i.memory.refused.Load())
	i.stack = stackOf(err)
	if f.Code.Crash() {
		f.Remains = i.PostMortem()
	}
	return f
}

// Abort ends the guest with err: at its next call of the host or when it has used up its allowance of code, whichever is
// first, or at once when it sleeps.
func (i *Instance) Abort(err error) {
	if i.aborted.CompareAndSwap(nil, &err) {
		close(i.abort)
	}
	i.abi.Abort(err)
}

// Close drops the resources that the guest left and gives its memory back. It refuses to while a call is running: the
// code would go on in memory that is not its own.
func (i *Instance) Close(ctx context.Context) error {
	if i.running.Load() {
		return errors.New("close an instance: a call is running")
	}
	i.output.close()
	i.abi.Drop(ctx)
	var err error
	if i.guest != nil {
		err = i.guest.Close(ctx)
	}
	return errors.Join(err, i.memory.release())
}
