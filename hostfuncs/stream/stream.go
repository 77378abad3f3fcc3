package stream

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
)

// MaxTransfer is the most that one read or write carries.
const MaxTransfer = 64 << 10

// writeGrace is how long a write goes on although a yield is pending: what does not really block is not to be cut off,
// also where the machine has others to run first. What is cut off is lost, and the connection with it.
const writeGrace = time.Second

// openWait bounds the wait for the opening in operations that have no timeout of their own.
const openWait = 5 * time.Second

// Stream is a Line as one session sees it: the functions of the resource `stream`. A guest is one thread, so one call
// runs at a time; Detach and the end of the Line may come from elsewhere.
//
// The bytes that Read and ReadFrame return are valid until the next call.
type Stream struct {
	waiter
	name     string
	line     *Line
	owner    Owner
	resumed  bool
	detached atomic.Bool
	out      []byte
}

var _ host.Stream = (*Stream)(nil)

// New returns the line as a stream of owner's session. name is the connection's, for people; resumed says that the line
// was open already in the session before.
func New(name string, line *Line, owner Owner, resumed bool) *Stream {
	return &Stream{
		waiter: waiter{signals: owner, start: line.start, wake: line.wake}, name: name, line: line, owner: owner, resumed: resumed,
	}
}

// Line returns what the stream stands for.
func (s *Stream) Line() *Line { return s.line }

// Name returns the connection's name.
func (s *Stream) Name() string { return s.name }

// Detach ends the session's hold: every later call answers `closed`, and Drop does nothing any more.
func (s *Stream) Detach() {
	if !s.detached.Swap(true) {
		s.line.setNotify(nil)
	}
}

// Drop implements host.Stream: it gives the line back to the owner, once.
func (s *Stream) Drop(context.Context) {
	if !s.detached.Swap(true) {
		s.line.setNotify(nil)
		s.owner.Dropped(s)
	}
}

// Readable says whether a read would answer at once: with bytes, or with the reason why there are none.
func (s *Stream) Readable() bool { return s.detached.Load() || s.line.readable() }

// Notify has c poked, without blocking, whenever Readable may have become true. nil ends it.
func (s *Stream) Notify(c chan<- struct{}) {
	if !s.detached.Load() {
		s.line.setNotify(c)
	}
}

// Resumed implements host.Stream.
func (s *Stream) Resumed(context.Context) bool { return s.resumed }

// Ready implements host.Stream.
func (s *Stream) Ready(ctx context.Context, timeout driver.Duration) component.Result[component.Unit, driver.IOError] {
	if err := s.usable(); err != nil {
		return s.fail("open", err)
	}
	return s.answer("open", s.awaitOpen(ctx, length(timeout)))
}

// Flush implements host.Stream.
func (s *Stream) Flush(context.Context) component.Result[component.Unit, driver.IOError] {
	if err := s.usable(); err != nil {
		return s.fail("flush", err)
	}
	s.line.touched.Store(true)
	return s.answer("flush", s.line.discard())
}

// Drain implements host.Stream.
func (s *Stream) Drain(ctx context.Context, timeout driver.Duration) component.Result[component.Unit, driver.IOError] {
	if err := s.usable(); err != nil {
		return s.fail("drain", err)
	}
	return s.answer("drain", s.give(ctx, nil, Device.Drain, length(timeout), 0))
}

// Do has the device do a task that takes its time, after what was written before; it waits for the opening, and for the
// task's end, for at most timeout. A task that is left goes on, and what comes after it waits for it.
func (s *Stream) Do(
	ctx context.Context, op string, timeout time.Duration, task Task,
) component.Result[component.Unit, driver.IOError] {
	if err := s.usable(); err != nil {
		return s.fail(op, err)
	}
	return s.answer(op, s.give(ctx, nil, task, timeout, 0))
}

// Device waits until the device is open, for operations that do not block.
func (s *Stream) Device(ctx context.Context) (Device, error) {
	if err := s.usable(); err != nil {
		return nil, err
	}
	if err := s.awaitOpen(ctx, openWait); err != nil {
		return nil, err
	}
	s.line.touched.Store(true)
	return s.line.device()
}

// awaitOpen waits for the opening.
func (s *Stream) awaitOpen(ctx context.Context, timeout time.Duration) error {
	until := s.after(timeout)
	return s.block(ctx, 0, func(time.Duration) (bool, time.Duration, error) {
		dev, err := s.line.device()
		return dev != nil, until, err
	})
}

var (
	// ErrPhase refuses I/O in a phase that has none.
	ErrPhase = Errorf(driver.IOErrorInvalid, "no I/O in this phase")

	// ErrDropped answers calls on what the guest has no hold of any more.
	ErrDropped = Errorf(driver.IOErrorClosed, "it was dropped, or its session has ended")

	errSize = Errorf(driver.IOErrorInvalid, "size out of range")
)

// ended is the error of a call that the host ended: nothing more is known than its code.
type ended driver.IOError

func (e ended) Error() string { return driver.IOError(e).String() }

const (
	errTimeout   = ended(driver.IOErrorTimeout)
	errCancelled = ended(driver.IOErrorCancelled)
	errLeft      = ended(driver.IOErrorStuck)
)

func (s *Stream) usable() error {
	switch {
	case !s.owner.IOAllowed():
		return ErrPhase
	case s.detached.Load():
		return ErrDropped
	}
	return nil
}

func (s *Stream) answer(op string, err error) component.Result[component.Unit, driver.IOError] {
	if err != nil {
		return s.fail(op, err)
	}
	return component.Done[driver.IOError]()
}

func (s *Stream) fail(op string, err error) component.Result[component.Unit, driver.IOError] {
	return component.Err[component.Unit](s.report(op, err))
}

// report tells the owner, and returns the code.
func (s *Stream) report(op string, err error) driver.IOError {
	code := Code(err)
	s.owner.Failed(Failure{Op: op, Name: s.name, Code: code, Cause: err})
	return code
}

// length makes a duration of a guest's, which may be beyond what Go's can hold.
func length(d driver.Duration) time.Duration { return time.Duration(min(d, 1<<62)) }
