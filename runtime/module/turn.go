package module

import (
	goruntime "runtime"

	"github.com/droverhq/drover/abi/canon"
)

// turnLength is how long a guest may have the processor while others want it. To ask whether they do costs some 20 µs, when
// another thread wakes up for it.
const turnLength = 500_000

// stopwatch hears of an instance's code. It lets others have the processor when a guest has had it for long: one that
// calls the host for ever comes to a yield once in thousands of calls.
type stopwatch struct{ instance *Instance }

var _ canon.Stopwatch = stopwatch{}

// Run implements canon.Stopwatch.
func (w stopwatch) Run(now int64) { w.instance.cpu.run(now) }

// Rest implements canon.Stopwatch.
func (w stopwatch) Rest(now int64) { w.instance.cpu.rest(now) }

// Resume implements canon.Stopwatch.
func (w stopwatch) Resume(f *canon.Function, now int64) {
	i := w.instance
	switch waited := i.cpu.called(f, now); {
	case waited:
		i.turn = now
	case now-i.turn > turnLength:
		i.giveWay(now)
		now = canon.Now()
	}
	i.cpu.run(now)
}

// giveWay lets others have the processor, for as long as the guest has had more than its share.
func (i *Instance) giveWay(now int64) {
	goruntime.Gosched() // the scheduler cannot take the processor from compiled code
	if d := i.throttle.wait(now, i.cpu.spent()); d > 0 {
		i.hold(d)
	}
	i.turn = canon.Now()
}
