package stream

import (
	"context"
	"os"
	"sync"
	"testing"
	"time"
)

// device is a device in memory, with the faults that the real ones have.
type device struct {
	in      chan []byte   // what arrives; closed: the device went away
	full    chan struct{} // a token lets one blocked write go on; nil: writes do not block
	stiff   bool          // Interrupt does not end a blocked write
	lasting bool          // Interrupt does not end reads, as on a serial port

	gap      time.Duration
	readErr  error // what a read gives when in is closed
	writeErr error
	tick     time.Duration // how long a read waits before it gives 0 and nil; 0: for ever

	stop chan struct{}
	once sync.Once

	mu       sync.Mutex
	rest     []byte
	written  []byte
	discards int
	closed   bool
}

func newDevice() *device {
	return &device{in: make(chan []byte, 100), stop: make(chan struct{})}
}

func (d *device) Read(p []byte) (int, error) {
	if len(d.rest) == 0 {
		var tick <-chan time.Time
		if d.tick > 0 {
			tick = time.After(d.tick)
		}
		select {
		case b, ok := <-d.in:
			if !ok {
				return 0, d.readErr
			}
			d.rest = b
		case <-tick:
			return 0, nil
		case <-d.stop:
			return 0, os.ErrDeadlineExceeded
		}
	}
	n := copy(p, d.rest)
	d.rest = d.rest[n:]
	return n, nil
}

func (d *device) Write(p []byte) (int, error) {
	if d.full != nil {
		stop := d.stop
		if d.stiff {
			stop = nil
		}
		select {
		case <-d.full:
		case <-stop:
			return 0, os.ErrDeadlineExceeded
		}
	}
	if d.writeErr != nil {
		return 0, d.writeErr
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	n := min(len(p), 100) // A short write.
	d.written = append(d.written, p[:n]...)
	return n, nil
}

func (d *device) Drain() error {
	if d.full != nil {
		select {
		case <-d.full:
		case <-d.stop:
		}
	}
	return nil
}

func (d *device) Discard() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.discards++
	return nil
}

func (d *device) Interrupt() {
	if !d.lasting {
		d.once.Do(func() { close(d.stop) })
	}
}

func (d *device) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		panic("closed twice")
	}
	d.closed = true
	return nil
}

func (d *device) Gap() time.Duration { return d.gap }

func (d *device) sent() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return string(d.written)
}

func (d *device) isClosed() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.closed
}

func (d *device) open(context.Context) (Device, error) { return d, nil }

// arrive has pieces arrive, each after its delay.
func (d *device) arrive(pieces ...piece) {
	go func() {
		for _, p := range pieces {
			time.Sleep(p.after)
			d.in <- []byte(p.bytes)
		}
	}()
}

type piece struct {
	after time.Duration
	bytes string
}

// session is an owner.
type session struct {
	mu      sync.Mutex
	forbids bool
	yield   chan struct{}
	seen    int
	last    Failure
	dropped int
}

func newSession() *session { return &session{yield: make(chan struct{})} }

func (s *session) IOAllowed() bool { return !s.forbids }

func (s *session) Yield() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen > 0 {
		return nil
	}
	return s.yield
}

func (s *session) YieldSeen() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen++
}

func (s *session) Yielding() bool { return false }

func (s *session) Failed(f Failure) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = f
}

func (s *session) Dropped(st *Stream) {
	s.dropped++
	_ = st.Line().Close()
}

// opened returns a stream over d that is open, and is closed with the test.
func opened(t *testing.T, d *device) (*Stream, *session) {
	t.Helper()
	owner := newSession()
	line := Open(d.open)
	t.Cleanup(func() { _ = line.Close() })
	return New("main", line, owner, false), owner
}
