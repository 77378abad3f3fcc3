package module

import (
	"time"

	"github.com/tetratelabs/wazero/sys"
)

// clockResolution is what the guest is told of its clocks.
const clockResolution = sys.ClockResolution(1)

// started is where the guests' monotonic clock begins: a second before, because Go's runtime takes a clock at 0 for
// broken.
var started = time.Now().Add(-time.Second)

// walltime is the guest's CLOCK_REALTIME.
func (i *Instance) walltime() (sec int64, nsec int32) {
	i.goesOn()
	now := time.Now()
	return now.Unix(), int32(now.Nanosecond())
}

// nanotime is the guest's CLOCK_MONOTONIC. All instances of the process share its beginning.
func (i *Instance) nanotime() int64 {
	i.goesOn()
	return int64(time.Since(started))
}

// sleep is the guest's sleep. A stop does not end it early: a guest cannot tell that from the end of its time, and Go's
// runtime goes back to sleep.
func (i *Instance) sleep(ns int64) {
	timer := time.NewTimer(time.Duration(ns))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-i.abort:
	}
	i.goesOn()
}

// goesOn ends the guest's call when the instance was aborted: a guest that waits by looking at the clock calls nothing
// else of the host.
func (i *Instance) goesOn() {
	if err := i.aborted.Load(); err != nil {
		panic(*err)
	}
}
