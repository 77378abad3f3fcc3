package stream

import (
	"context"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// Read implements host.Stream.
func (s *Stream) Read(
	ctx context.Context, max uint32, timeout driver.Duration,
) component.Result[[]byte, driver.IOError] {
	if err := s.sized(int(max), 0); err != nil {
		return s.failRead("read", err)
	}
	until := s.after(length(timeout))
	return s.received("read", s.block(ctx, 0, func(time.Duration) (bool, time.Duration, error) {
		done, err := s.take(int(max))
		return done, until, err
	}))
}

// ReadFrame implements host.Stream. Bytes that arrived before the call have their times too: a silence among them ends
// the frame as well. Where the call is ended, by a stop, a yield or the end of the phase, the bytes of a frame that is
// not complete stay for the next call.
func (s *Stream) ReadFrame(
	ctx context.Context, max uint32, first, gap driver.Duration, expect uint32,
) component.Result[[]byte, driver.IOError] {
	if err := s.sized(int(max), int(expect)); err != nil {
		return s.failRead("read", err)
	}
	limit := int(max)
	if expect > 0 {
		limit = int(expect)
	}
	until := s.after(length(first))
	return s.received("read", s.block(ctx, 0, func(now time.Duration) (bool, time.Duration, error) {
		done, again, err := s.takeFrame(limit, length(gap), now)
		if again == 0 {
			again = until
		}
		return done, again, err
	}))
}

// sized checks the parameters of a read.
func (s *Stream) sized(max, expect int) error {
	if err := s.usable(); err != nil {
		return err
	}
	if max < 1 || max > MaxTransfer || expect > max {
		return errSize
	}
	return nil
}

// take moves what is there into the result. It fails where nothing is there and nothing will come.
func (s *Stream) take(max int) (done bool, err error) {
	l := s.line
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buf.size == 0 {
		return false, l.err
	}
	s.remove(max)
	return true, nil
}

// takeFrame moves a frame that is complete into the result; or says until when it is not, 0 where it has not begun.
func (s *Stream) takeFrame(limit int, gap, now time.Duration) (done bool, again time.Duration, err error) {
	l := s.line
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buf.size == 0 {
		return false, 0, l.err
	}
	if l.dev != nil {
		gap = max(gap, l.dev.Gap())
	}
	size, complete, last := l.buf.frame(limit, gap)
	if complete || l.err != nil || now-last >= gap {
		s.remove(size)
		return true, 0, nil
	}
	return false, last + gap, nil
}

// remove takes n bytes out of the buffer. The line's lock is held.
func (s *Stream) remove(n int) {
	s.line.touched.Store(true)
	s.out = s.line.buf.take(s.out[:0], n)
	poke(s.line.room)
}

func (s *Stream) received(op string, err error) component.Result[[]byte, driver.IOError] {
	if err != nil {
		return s.failRead(op, err)
	}
	return component.OK[driver.IOError](s.out)
}

func (s *Stream) failRead(op string, err error) component.Result[[]byte, driver.IOError] {
	return component.Err[[]byte](s.report(op, err))
}
