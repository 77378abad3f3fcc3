package channel

import (
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
)

// Usage is what a channel's drivers have taken of the machine since the node started.
type Usage struct {
	// CPU is for how long their code ran, in all attempts.
	CPU time.Duration
	// Memory is what the instances that there are now have, in bytes; Highest is the most that one ever had.
	Memory, Highest uint64
}

// Usage returns what the channel's drivers have taken so far.
func (c *Channel) Usage() Usage { return c.usage.sum() }

// usage adds up what instances take. Any goroutine may use it.
type usage struct {
	mu   sync.Mutex
	past Usage
	live map[*module.Instance]struct{}
}

func (u *usage) begin(i *module.Instance) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.live == nil {
		u.live = make(map[*module.Instance]struct{})
	}
	u.live[i] = struct{}{}
}

// end keeps what an instance took that will be closed.
func (u *usage) end(i *module.Instance) {
	u.mu.Lock()
	defer u.mu.Unlock()
	delete(u.live, i)
	u.keep(i.Usage())
}

// lost keeps what an instance took that could not be made.
func (u *usage) lost(err error) {
	f, ok := errors.AsType[*failure.Failure](err)
	if !ok {
		return
	}
	if left, ok := f.Remains.(module.PostMortem); ok {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.keep(module.Usage{CPU: left.CPU, Memory: left.Memory})
	}
}

func (u *usage) keep(took module.Usage) {
	u.past.CPU += took.CPU
	u.past.Highest = max(u.past.Highest, took.Memory)
}

func (u *usage) sum() Usage {
	u.mu.Lock()
	defer u.mu.Unlock()
	sum := u.past
	for i := range maps.Keys(u.live) {
		took := i.Usage()
		sum.CPU += took.CPU
		sum.Memory += took.Memory
		sum.Highest = max(sum.Highest, took.Memory)
	}
	return sum
}
