package module

import "golang.org/x/sys/unix"

// threadTime is the processor time of the calling thread in nanoseconds. Code that wazero has compiled keeps its thread
// from one yield to the next, because Go cannot preempt it; what is interpreted may change it.
func threadTime() int64 {
	var t unix.Timespec
	if !compiles() || unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return noThread
	}
	return t.Nano()
}
