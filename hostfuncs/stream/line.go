package stream

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

// closeGrace is how long Close waits for a device: long enough for a slow line to send what was written.
const closeGrace = 2 * time.Second

// Line is an open, or opening, port or connection. Its owner closes it.
type Line struct {
	start  time.Time
	ctx    context.Context
	cancel context.CancelFunc
	wake   chan struct{} // capacity 1: something changed, for the call that waits
	room   chan struct{} // capacity 1: the buffer has room again, for the reader
	work   chan struct{} // capacity 1: there is a job, for the writer
	// traffic is counted where the owner says; never nil.
	traffic *Traffic
	done    chan struct{} // closed when the device is closed and the goroutines are at their end
	// touched is set when whoever borrows the line has written to it, or taken something from it.
	touched atomic.Bool

	mu     sync.Mutex
	dev    Device // nil until open
	err    error  // why the line is of no use any more; set once
	dirty  bool
	buf    buffer
	notify chan<- struct{}
	job    job
}

// Traffic counts what came and went. Any goroutine may read it.
type Traffic struct {
	// Received and Sent are bytes.
	Received, Sent atomic.Uint64
	// Denied are datagrams and connections that came from where the grants do not reach, Overflowed those for which there
	// was no room. Nobody gets them.
	Denied, Overflowed atomic.Uint64
}

// Open is OpenCounted for those who do not count.
func Open(open func(context.Context) (Device, error)) *Line { return OpenCounted(new(Traffic), open) }

// OpenCounted starts to open a device and returns at once. The context of open ends when the line is closed. What comes
// and goes is added to traffic. Close must be called, also after a failure.
func OpenCounted(traffic *Traffic, open func(context.Context) (Device, error)) *Line {
	ctx, cancel := context.WithCancel(context.Background())
	l := &Line{
		start: time.Now(), ctx: ctx, cancel: cancel, traffic: traffic,
		wake: make(chan struct{}, 1), room: make(chan struct{}, 1), work: make(chan struct{}, 1),
		done: make(chan struct{}),
	}
	go l.pump(open)
	return l
}

// Err returns why the line is of no use any more, or nil.
func (l *Line) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Dirty says whether a write was cut off, or is not at its end yet: the other side may have seen a part of it.
func (l *Line) Dirty() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.dirty || l.job.running && l.job.task == nil
}

// Touched says whether anybody has written to the line, taken bytes from it or changed its device since Untouched.
func (l *Line) Touched() bool { return l.touched.Load() }

// Untouched begins a new hold: see Touched.
func (l *Line) Untouched() { l.touched.Store(false) }

// Close ends the line: calls that wait on it get `closed`. It returns when the device is closed, or with ErrStuck when
// a write holds the device; the device is then closed when that write returns, and Done tells when.
func (l *Line) Close() error {
	l.fail(ErrClosed)
	timer := time.NewTimer(closeGrace)
	defer timer.Stop()
	select {
	case <-l.done:
		return nil
	case <-timer.C:
		return ErrStuck
	}
}

// Done is closed when the device is closed and the line's goroutines are at their end.
func (l *Line) Done() <-chan struct{} { return l.done }

// pump opens the device and reads it until the line ends, and closes it.
func (l *Line) pump(open func(context.Context) (Device, error)) {
	defer close(l.done)
	dev, err := l.open(open)
	if err != nil {
		l.fail(err)
		return
	}
	var writer sync.WaitGroup
	if l.opened(dev) {
		writer.Go(func() { l.writes(dev) })
		l.reads(dev)
	}
	writer.Wait()
	_ = dev.Close() // Nobody is left who could act on it.
}

// open calls a function of a library that may panic: that must end the line, not the node.
func (l *Line) open(open func(context.Context) (Device, error)) (dev Device, err error) {
	defer recoverInto("open", &err)
	return open(l.ctx)
}

// opened says whether the line is to go on.
func (l *Line) opened(dev Device) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dev = dev
	l.changed()
	return l.err == nil
}

// reads moves what arrives into the buffer.
func (l *Line) reads(dev Device) {
	chunk := make([]byte, 1024)
	for l.ctx.Err() == nil {
		n, err := read(dev, chunk)
		l.traffic.Received.Add(uint64(n))
		l.arrived(chunk[:n])
		if err != nil {
			l.fail(broken(err))
		}
	}
}

// read recovers: the select(2) under a serial port panics at descriptors of 1024 and more.
func read(dev Device, p []byte) (n int, err error) {
	defer recoverInto("read", &err)
	return dev.Read(p)
}

func recoverInto(op string, err *error) {
	if p := recover(); p != nil {
		*err = fmt.Errorf("%s: panic: %v", op, p)
	}
}

// arrived puts p into the buffer, and waits for room where there is none.
func (l *Line) arrived(p []byte) {
	at := time.Since(l.start)
	for len(p) > 0 && l.ctx.Err() == nil {
		l.mu.Lock()
		n := l.buf.put(p, at)
		if n > 0 {
			l.changed()
		}
		l.mu.Unlock()
		if p = p[n:]; len(p) == 0 {
			return
		}
		select {
		case <-l.room:
		case <-l.ctx.Done():
		}
	}
}

// fail ends the line, with the first error that says why.
func (l *Line) fail(err error) {
	l.mu.Lock()
	if l.err == nil {
		l.err = err
	}
	dev := l.dev
	l.changed()
	l.mu.Unlock()
	l.cancel()
	if dev != nil {
		dev.Interrupt()
	}
}

// changed tells who waits. The lock is held.
func (l *Line) changed() {
	poke(l.wake)
	if l.notify != nil {
		poke(l.notify)
	}
}

func poke(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// readable says whether a read would answer at once.
func (l *Line) readable() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.size > 0 || l.err != nil
}

func (l *Line) setNotify(c chan<- struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.notify = c
}

// device returns the open device; nil and nil while it is opening; or why there is none.
func (l *Line) device() (Device, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err != nil {
		return nil, l.err
	}
	return l.dev, nil
}

// discard forgets what was received and not read.
func (l *Line) discard() error {
	dev, err := l.device()
	if err == nil && dev != nil {
		err = dev.Discard()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.buf.clear()
	poke(l.room)
	return err
}
