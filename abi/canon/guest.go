package canon

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync/atomic"

	"github.com/tetratelabs/wazero/api"
)

// Realloc is the name of the export by which the host takes memory from the guest.
const Realloc = "cabi_realloc"

// Guest is the host's view of one instance: its memory, its allocator, and what the current lift may still take.
//
// It is used by one goroutine at a time, the one that calls the instance.
type Guest struct {
	limits   Limits
	module   api.Module
	memory   api.Memory
	realloc  api.Function // nil until a call of an export needs it
	calling  atomic.Bool
	closedBy string // the guest function that runs and may call no import, or empty
	bytes    int    // what is left of the budget
	elements int
	stack    [4]uint64
	aborted  atomic.Pointer[error]
	watch    Stopwatch
	trace    trace
}

// Stopwatch hears when the guest's code runs and when it rests, on the goroutine that calls the instance. now is what Now
// said.
type Stopwatch interface {
	// Run says that an export is called.
	Run(now int64)
	// Rest says that an export returned, or that an import was called.
	Rest(now int64)
	// Resume says that the import f returns. It may end the guest's call by a panic.
	Resume(f *Function, now int64)
}

// idle is the Stopwatch of a Guest that was given none.
type idle struct{}

func (idle) Run(int64)               {}
func (idle) Rest(int64)              {}
func (idle) Resume(*Function, int64) {}

// NewGuest returns a Guest that is attached to no instance: until it is, every import traps.
func NewGuest(limits Limits) *Guest { return &Guest{limits: limits.withDefaults(), watch: idle{}} }

// Watch has w hear of the guest from now on.
func (g *Guest) Watch(w Stopwatch) { g.watch = w }

// Limits returns the limits with the defaults filled in.
func (g *Guest) Limits() Limits { return g.limits }

// Attach binds the guest to its instance, whose exports the caller has checked.
//
// An exported function that was looked up has a stack of its own, some 12 KB. Most are called once in an instance's life,
// so each is looked up when it is called, but for the allocator, which is kept until the call that needs it is over.
func (g *Guest) Attach(m api.Module) error {
	if m.Memory() == nil {
		return errors.New("the module has no memory")
	}
	g.module, g.memory = m, m.Memory()
	return nil
}

// export looks an exported function up: nil where there is none, or no instance.
func (g *Guest) export(name string) api.Function {
	if g.module == nil {
		return nil
	}
	return g.module.ExportedFunction(name)
}

// Enter begins the import f, which was called with the flat parameters s: it traps when no import may be called now, and
// gives the lift of its parameters a new budget.
func (g *Guest) Enter(f *Function, s []uint64) {
	now := Now()
	g.watch.Rest(now)
	g.trace.begin(f, s, g.memory, now)
	if err := g.aborted.Load(); err != nil {
		panic(*err)
	}
	if g.closedBy != "" {
		fault("an import was called while %s ran", g.closedBy)
	}
	if g.memory == nil {
		fault("an import was called before the instance was attached")
	}
	g.Begin()
}

// Leave ends the import that was entered last, with its flat result in s: the guest goes on. An import that ends the
// guest's call by a panic does not come here.
func (g *Guest) Leave(s []uint64) {
	now := Now()
	g.watch.Resume(g.trace.end(s, g.memory, now), now)
}

// Abort makes every import that is called from now on end the guest's call with err. Any goroutine may call it; the
// first error stays.
func (g *Guest) Abort(err error) { g.aborted.CompareAndSwap(nil, &err) }

// Begin gives the next lift a new budget.
func (g *Guest) Begin() { g.bytes, g.elements = g.limits.Bytes, g.limits.Elements }

// Call calls an export, which people know as name, with the lowered parameters in stack, which has the results afterwards.
// The error is the one that the guest's call ended with, wrapped.
func (g *Guest) Call(ctx context.Context, export, name string, stack []uint64) error {
	f := g.export(export)
	if f == nil {
		return fmt.Errorf("call %s: the instance is not attached", name)
	}
	if !g.calling.CompareAndSwap(false, true) {
		return fmt.Errorf("call %s: another export is running", name)
	}
	defer func() {
		g.realloc = nil
		g.calling.Store(false)
	}()
	if err := g.run(ctx, f, stack); err != nil {
		return fmt.Errorf("call %s: %w", name, err)
	}
	return nil
}

// run has the guest's code run.
func (g *Guest) run(ctx context.Context, f api.Function, stack []uint64) error {
	g.watch.Run(Now())
	err := f.CallWithStack(ctx, stack)
	g.watch.Rest(Now())
	return err
}

// PostReturn tells the guest that the result of the export that people know as name was lifted. The guest need not have
// the function for it, export.
func (g *Guest) PostReturn(ctx context.Context, export, name string, result uint64) error {
	f := g.export(export)
	if f == nil {
		return nil
	}
	g.stack[0] = result
	if err := g.alone(ctx, f, "the post-return of "+name); err != nil {
		return fmt.Errorf("post-return of %s: %w", name, err)
	}
	return nil
}

// alone calls a function during which no import may be called.
func (g *Guest) alone(ctx context.Context, f api.Function, name string) error {
	g.closedBy = name
	defer func() { g.closedBy = "" }()
	return g.run(ctx, f, g.stack[:])
}

// Alloc takes size bytes from the guest's allocator and checks what it gave. It traps when the guest cannot.
func (g *Guest) Alloc(ctx context.Context, size uint64, align uint32) uint32 {
	if size > math.MaxInt32 {
		fault("a value of %d bytes is too large for the guest", size)
	}
	if g.closedBy != "" || g.module == nil {
		fault("%s cannot be called now", Realloc)
	}
	if g.realloc == nil {
		g.realloc = g.export(Realloc)
	}
	g.stack = [4]uint64{0, 0, uint64(align), size}
	if err := g.alone(ctx, g.realloc, Realloc); err != nil {
		panic(&guestError{Realloc, err})
	}
	ptr := api.DecodeU32(g.stack[0])
	g.check(ptr, size, align, Realloc+" returned")
	return ptr
}

// check traps unless the size bytes at ptr are aligned and inside of the memory.
func (g *Guest) check(ptr uint32, size uint64, align uint32, what string) {
	if ptr&(align-1) != 0 {
		fault("%s address %#x, not aligned to %d", what, ptr, align)
	}
	if uint64(ptr)+size > uint64(g.memory.Size()) {
		fault("%s address %#x with %d bytes, outside of the memory of %d", what, ptr, size, g.memory.Size())
	}
}
