package stream

import (
	"context"
	"errors"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// Write implements host.Stream.
//
// A write that is ended before all was sent is cut off: a connection is then of no use any more, and a serial line is
// dirty. Where the device does not end it, the next write answers `stuck` for as long. With a timeout of 0 the bytes
// are taken over, as the operating system would, and an error comes with a later call.
func (s *Stream) Write(
	ctx context.Context, data []byte, timeout driver.Duration,
) component.Result[component.Unit, driver.IOError] {
	if err := s.usable(); err != nil {
		return s.fail("write", err)
	}
	if len(data) > MaxTransfer {
		return s.fail("write", errSize)
	}
	if len(data) == 0 {
		return component.Done[driver.IOError]()
	}
	return s.answer("write", s.send(ctx, data, length(timeout)))
}

// send has the device take what it takes at once, and the writer do the rest.
func (s *Stream) send(ctx context.Context, data []byte, timeout time.Duration) error {
	if ctx.Err() != nil {
		return phaseOver(ctx)
	}
	n, err := s.line.writeNow(data)
	if err != nil || n == len(data) {
		return err
	}
	if err = s.give(ctx, data[n:], nil, timeout, writeGrace); err != nil && n > 0 {
		s.line.soil()
	}
	return err
}

// give has the writer do a job, and waits for its end.
func (s *Stream) give(ctx context.Context, data []byte, task Task, timeout, grace time.Duration) error {
	if ctx.Err() != nil {
		return phaseOver(ctx)
	}
	s.line.touched.Store(true)
	until := s.after(timeout)
	err := s.block(ctx, 0, func(time.Duration) (bool, time.Duration, error) {
		taken, err := s.line.submit(data, task, timeout == 0)
		return taken, until, err
	})
	if errors.Is(err, errTimeout) && s.line.stuck() {
		return errLeft
	}
	if err != nil || timeout == 0 {
		return err
	}
	return s.await(ctx, until, grace)
}

// await waits for the end of the job, and leaves it where it takes too long.
func (s *Stream) await(ctx context.Context, until, grace time.Duration) error {
	err := s.block(ctx, s.after(grace), func(time.Duration) (bool, time.Duration, error) {
		ended, err := s.line.result()
		return ended, until, err
	})
	if _, left := errors.AsType[ended](err); left {
		s.line.leave()
	}
	return err
}
