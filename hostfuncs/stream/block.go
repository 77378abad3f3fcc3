package stream

import (
	"context"
	"errors"
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// attempt tries once what a call is to do, at the time now. It says whether that is done, or until when it may be tried
// again; at that time, the call's time is over. An error ends the call.
type attempt func(now time.Duration) (done bool, until time.Duration, err error)

// waiter is how the calls of a guest wait. A guest is one thread, so one call waits at a time.
type waiter struct {
	signals Signals
	// start is what the times of a call are counted from.
	start time.Time
	// wake is poked when something has changed.
	wake  <-chan struct{}
	timer *time.Timer
}

// Waiter is how the calls of a guest wait for what is no stream: until it is there, the call's time is over, or the
// session wants the call to end.
type Waiter struct{ waiter }

// NewWaiter returns one for calls of a session. What they try, they try again when wake is poked.
func NewWaiter(s Signals, wake <-chan struct{}) *Waiter {
	return &Waiter{waiter{signals: s, start: time.Now(), wake: wake}}
}

// Wait calls try, at once and at each change, until it is done or fails, for as long as the guest gives it. The error is
// `timeout` when that is over, or the phase is about to end, and `cancelled` when the session is to stop or, once, to
// yield.
func (w *Waiter) Wait(ctx context.Context, timeout driver.Duration, try func() (done bool, err error)) error {
	until := w.after(length(timeout))
	return w.block(ctx, 0, func(time.Duration) (bool, time.Duration, error) {
		done, err := try()
		return done, until, err
	})
}

// block tries again at every change of the line, until that is at its end, or the call's time is over, or the session
// wants the call to end. A try that succeeds comes before any of these. A yield is not heeded before yieldable, as far
// as the call's own time goes.
func (w *waiter) block(ctx context.Context, yieldable time.Duration, try attempt) error {
	for {
		now := time.Since(w.start)
		done, until, err := try(now)
		if done || err != nil {
			return err
		}
		if now >= until {
			return errTimeout
		}
		if err := w.pause(ctx, now, until, yieldable); err != nil {
			return err
		}
	}
}

// pause waits for a change of the line, the given times, or what ends the call.
func (w *waiter) pause(ctx context.Context, now, until, yieldable time.Duration) error {
	if ctx.Err() != nil {
		return phaseOver(ctx)
	}
	var yield <-chan struct{}
	if now >= yieldable {
		yield = w.signals.Yield()
	} else {
		until = min(until, yieldable)
	}
	w.arm(until - now)
	defer w.timer.Stop()
	select {
	case <-w.wake:
	case <-w.timer.C:
	case <-ctx.Done():
		return phaseOver(ctx)
	case <-yield:
		w.signals.YieldSeen()
		return errCancelled
	}
	return nil
}

// arm sets the one timer.
func (w *waiter) arm(d time.Duration) {
	if w.timer == nil {
		w.timer = time.NewTimer(d)
		return
	}
	w.timer.Reset(d)
}

// after returns the time, counted from the start, that is d from now.
func (w *waiter) after(d time.Duration) time.Duration {
	now := time.Since(w.start)
	return now + min(d, 1<<62-now)
}

// phaseOver says why the context is done: a stop, or the end of the time that the phase has for I/O.
func phaseOver(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return errTimeout
	}
	return errCancelled
}
