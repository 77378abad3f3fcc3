package module

import (
	"sync/atomic"
	"time"

	"github.com/droverhq/drover/abi/canon"
)

// account says how long the guest's code ran, and the host's for it. The goroutine that calls the instance keeps it; spent
// may be called by others. Times are those of canon.Now.
//
// It counts by the wall clock: reading that costs a twentieth of what the processor's own clock does. From one yield to the
// next, which is all that matters to a guest that calls nothing, it takes the thread's processor time where the system
// tells it, so that a machine that has other work to do, or a container with a quota, does not end a guest for it.
//
// A call of the host counts as well: a guest that calls again and again takes a processor as much as one that computes. Of
// a call that may wait for something only what it takes to begin and to end counts.
type account struct {
	total   atomic.Int64
	running bool
	since   int64
	thread  int64 // the thread's processor time at since, or noThread
	stretch int64 // how long the guest computed since it last called an import
	rested  int64 // when the guest last called an import
}

// waitingCall is how much of a call that may wait is work.
const waitingCall = 20 * time.Microsecond

// noTurn is how long a turn of the scheduler takes at most when there is nobody else.
const noTurn = 2 * time.Microsecond

// noThread stands for a processor time that is not known.
const noThread = -1

// spent is how long the guest's code has run, and the host's for it, but for the last moment.
func (a *account) spent() time.Duration { return time.Duration(a.total.Load()) }

// run says that the guest's code runs from now on.
func (a *account) run(now int64) { a.running, a.since, a.thread, a.stretch = true, now, noThread, 0 }

// rest says that it does not.
func (a *account) rest(now int64) {
	if a.running {
		a.add(now - a.since)
		a.running = false
	}
	a.rested = now
}

// called counts the call of f that returns now, and says whether it may have waited.
func (a *account) called(f *canon.Function, now int64) (waited bool) {
	d := now - a.rested
	if waited = d > int64(waitingCall) && f.Waits(); waited {
		d = int64(waitingCall)
	}
	a.total.Store(a.total.Load() + d)
	return waited
}

func (a *account) add(d int64) {
	a.total.Store(a.total.Load() + d) // nobody else writes
	a.stretch += d
}

// pause counts until now, when the guest yields. The guest does not run until resume.
func (a *account) pause(now int64) {
	d := now - a.since
	if a.thread != noThread {
		thread := threadTime()
		if own := thread - a.thread; own >= 0 { // negative: the goroutine has changed its thread
			d = min(d, own)
		}
		a.thread = thread
	}
	a.since = now
	a.add(d)
}

// lap counts until now and goes on.
func (a *account) lap(now int64) {
	a.pause(now)
	a.thread, a.since = noThread, now
}

// resume goes on counting at now. When hardly any time has passed, nobody else had the thread: asking for its time again
// would take as long as all the rest of a yield.
func (a *account) resume(now int64) {
	if a.thread == noThread || now-a.since > int64(noTurn) {
		a.thread = threadTime()
	}
	a.since = now
}

// slept is told of a sleep of the guest's that has just ended, for which it had paused. A guest that sleeps does not
// compute, but one that sleeps for a moment now and then still does.
func (a *account) slept(d time.Duration) {
	a.stretch = max(0, a.stretch-int64(d))
	a.thread, a.since = noThread, canon.Now()
}
