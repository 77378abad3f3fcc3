package module

import (
	"context"
	"errors"
	"time"

	"github.com/tetratelabs/wazero/sys"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/runtime/failure"
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
	return int64(time.Since(started)) + i.skipped
}

// longSleep is a sleep that nothing follows.
const longSleep = int64(365 * 24 * time.Hour)

// sleep is the guest's sleep. In a phase that is told to end it takes no time, but the guest's monotonic clock goes on by
// as much as if it had: a guest cannot tell that from the end of its time, so that it comes to where it is told. A guest
// that sleeps for longer than any run lasts will not come there; it is ended.
func (i *Instance) sleep(ns int64) {
	begun := canon.Now()
	i.cpu.pause(begun)
	if i.asleep(time.Duration(ns)) {
		i.skip(ns, begun)
	}
	i.goesOn()
	i.cpu.slept(time.Duration(canon.Now() - begun))
}

// asleep waits for d, or less when the instance is aborted or the phase is told to end, which it says. A phase whose own
// deadline has passed is not told.
func (i *Instance) asleep(d time.Duration) (told bool) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return false
	case <-i.abort:
		return false
	case <-i.calling.Done():
	}
	if !errors.Is(context.Cause(i.calling), context.DeadlineExceeded) {
		return true
	}
	select {
	case <-timer.C:
	case <-i.abort:
	}
	return false
}

// skip goes on to the end of a sleep of ns that began at begun. It does take a moment, so that a guest that sleeps again
// and again does not compute instead.
func (i *Instance) skip(ns, begun int64) {
	left := max(0, ns-(canon.Now()-begun))
	if ns > longSleep || i.skipped > longSleep {
		panic(&failure.Failure{Code: failure.DriverOther, Summary: "the driver was asleep for good when it was told to end"})
	}
	i.hold(min(time.Duration(left), time.Millisecond))
	i.skipped += left
}

// goesOn ends the guest's call when the instance was aborted: a guest that waits by looking at the clock calls nothing
// else of the host.
func (i *Instance) goesOn() {
	if err := i.aborted.Load(); err != nil {
		panic(*err)
	}
}
