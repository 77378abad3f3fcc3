package module

import (
	"cmp"
	"fmt"
	goruntime "runtime"
	"time"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/runtime/failure"
)

// Limits bound what one instance takes of the machine. A field that is zero has its default.
type Limits struct {
	// Memory is how many bytes of memory the guest may have. Default DefaultMemory.
	Memory uint64
	// Stack is how many bytes the guest's calls may take of the native stack, up to DefaultStack, which is the default.
	Stack uint64
	// Compute is how long the guest may compute without calling an import, in time of its own: neither waiting for a
	// processor nor being throttled counts. Default DefaultCompute. wazero's interpreter, where it is what there is, gets
	// 20 times that.
	Compute time.Duration
	// Share is how much of one core the guest may take over ShareWindow; above that it is slowed down, not ended. Default
	// 1, which is all that one guest can take.
	Share float64
	// ShareWindow is how long a guest that was idle may then compute at full speed, divided by Share. Default 10 s.
	ShareWindow time.Duration
	// Lift bounds what one call of the guest's may make the host hold.
	Lift canon.Limits
}

const (
	// DefaultMemory is the memory that an instance may have when its channel does not say.
	DefaultMemory = 32 << 20
	// DefaultStack is what the calls of a guest may take of the native stack.
	DefaultStack = 16 << 20
	// DefaultCompute is how long a guest may compute without calling an import.
	DefaultCompute = time.Second
	// defaultShareWindow is Limits.ShareWindow when its channel does not say.
	defaultShareWindow = 10 * time.Second
	// interpreterFactor is how much slower wazero's interpreter is than its compiler.
	interpreterFactor = 20
)

// withDefaults returns l with the defaults filled in.
func (l Limits) withDefaults() Limits {
	l.Memory = cmp.Or(l.Memory, DefaultMemory)
	l.Stack = min(cmp.Or(l.Stack, DefaultStack), DefaultStack)
	l.Compute = cmp.Or(l.Compute, DefaultCompute)
	l.Share = cmp.Or(l.Share, 1)
	l.ShareWindow = cmp.Or(l.ShareWindow, defaultShareWindow)
	return l
}

// holds refuses a module whose memory has so many pages from the start, when they are too many.
func (l Limits) holds(phase failure.Phase, pages uint32) error {
	least := uint64(pages) * pageSize
	if least <= l.Memory {
		return nil
	}
	return &failure.Failure{Phase: phase, Kind: failure.Fatal, Code: failure.LimitMemory,
		Summary: fmt.Sprintf("the module needs %d bytes of memory from the start, its limit is %d", least, l.Memory)}
}

// compute is how long the guest may compute on this machine without calling an import.
func (l Limits) compute() time.Duration {
	if compiles() {
		return l.Compute
	}
	return l.Compute * interpreterFactor
}

// compiles says whether wazero compiles modules on this machine; elsewhere it interprets them.
func compiles() bool { return goruntime.GOARCH == "amd64" || goruntime.GOARCH == "arm64" }

// Usage is what an instance has taken of the machine.
type Usage struct {
	// CPU is for how long the guest's code ran, and host functions for it. Waiting is not in it.
	CPU time.Duration
	// Memory is the size of the guest's memory in bytes, which is also the most that it had: what its limit is about. The
	// machine gives less for it: pages that the guest never wrote to are shared with other instances, or are not there.
	Memory uint64
}

// Usage returns what the instance has taken so far. Any goroutine may call it, also after Close.
func (i *Instance) Usage() Usage { return Usage{CPU: i.cpu.spent(), Memory: i.memory.size.Load()} }

// Tune changes the limits of computing from now on. What memory and stack there are was decided when the instance was
// made. It is called from within a call of the guest's.
func (i *Instance) Tune(l Limits) {
	l = l.withDefaults()
	if share := &i.config.Limits; share.Share != l.Share || share.ShareWindow != l.ShareWindow {
		i.throttle = newThrottle(l, canon.Now())
		i.throttle.spent = i.cpu.spent()
	}
	i.config.Limits.Compute, i.config.Limits.Share, i.config.Limits.ShareWindow = l.Compute, l.Share, l.ShareWindow
}
