package stream

import (
	"context"
	"errors"
	"time"
)

// attempt tries once what a call is to do, at the time now. It says whether that is done, or until when it may be tried
// again; at that time, the call's time is over. An error ends the call.
type attempt func(now time.Duration) (done bool, until time.Duration, err error)

// block tries again at every change of the line, until that is at its end, or the call's time is over, or the session
// wants the call to end. A try that succeeds comes before any of these. A yield is not heeded before yieldable, as far
// as the call's own time goes.
func (s *Stream) block(ctx context.Context, yieldable time.Duration, try attempt) error {
	for {
		now := time.Since(s.line.start)
		done, until, err := try(now)
		if done || err != nil {
			return err
		}
		if now >= until {
			return errTimeout
		}
		if err := s.pause(ctx, now, until, yieldable); err != nil {
			return err
		}
	}
}

// pause waits for a change of the line, the given times, or what ends the call.
func (s *Stream) pause(ctx context.Context, now, until, yieldable time.Duration) error {
	if ctx.Err() != nil {
		return phaseOver(ctx)
	}
	var yield <-chan struct{}
	if now >= yieldable {
		yield = s.owner.Yield()
	} else {
		until = min(until, yieldable)
	}
	s.arm(until - now)
	defer s.timer.Stop()
	select {
	case <-s.line.wake:
	case <-s.timer.C:
	case <-ctx.Done():
		return phaseOver(ctx)
	case <-yield:
		s.owner.YieldSeen()
		return errCancelled
	}
	return nil
}

// arm sets the stream's one timer.
func (s *Stream) arm(d time.Duration) {
	if s.timer == nil {
		s.timer = time.NewTimer(d)
		return
	}
	s.timer.Reset(d)
}

// phaseOver says why the context is done: a stop, or the end of the time that the phase has for I/O.
func phaseOver(ctx context.Context) error {
	if errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		return errTimeout
	}
	return errCancelled
}
