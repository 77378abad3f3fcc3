package sdk

import (
	"fmt"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// MaxTransfer is the most bytes that one call to the host carries. Longer writes are split, longer reads are short.
const MaxTransfer = 65536

// Stream is an open serial port or connection, borrowed from the host. It has the methods and the deadlines of
// net.Conn, except that the end of the stream is ErrClosed, which errors.Is finds as io.EOF: a failure keeps its cause
// that way.
//
// Without a deadline, an operation blocks until it is done or a yield or stop ends it with ErrCancelled. After a yield,
// further operations work again, so that a driver can finish what is on the wire; Context.Hold does that by itself.
// After a stop, every blocking operation ends at once.
//
// No method allocates. A Stream belongs to the one thread that a driver is.
type Stream struct {
	ctx           *Context
	handle        StreamHandle
	name          string
	closed        bool
	readDeadline  time.Time
	writeDeadline time.Time
}

// Open opens the connection of that name, serial or TCP, whichever the configuration grants; the empty name is the only
// connection there is. It answers at once and goes on behind: Ready waits for it, and every other operation does within
// its own deadline. The caller closes the stream, unless the session yields.
func (c *Context) Open(name string) (*Stream, error) {
	conn, ok := c.config.Connection(name)
	if !ok {
		return nil, fmt.Errorf("open connection %q: %w", name, ErrNotFound)
	}
	switch conn.Kind {
	case driver.ConnectionKindSerial:
		return c.OpenSerial(conn.Name)
	case driver.ConnectionKindTCP:
		return c.Dial(conn.Name)
	}
	return nil, fmt.Errorf("open connection %q as a stream: it is %s: %w", conn.Name, conn.Kind, ErrInvalid)
}

// OpenSerial opens a serial port by its configured name.
func (c *Context) OpenSerial(name string) (*Stream, error) {
	return c.newStream(name, c.host.SerialOpen(name))
}

// Dial connects to a configured TCP connection by its name.
func (c *Context) Dial(name string) (*Stream, error) {
	return c.newStream(name, c.host.SocketConnect(driver.TargetName(name)))
}

// DialAddress connects to "host:port" or "[v6]:port", where the channel's grants cover it.
func (c *Context) DialAddress(address string) (*Stream, error) {
	return c.newStream(address, c.host.SocketConnect(driver.TargetAddress(address)))
}

func (c *Context) newStream(name string, r component.Result[StreamHandle, driver.IOError]) (*Stream, error) {
	if r.Failed {
		return nil, fmt.Errorf("open connection %q: %w", name, IOError(r.Err))
	}
	return &Stream{ctx: c, handle: r.Value, name: name}, nil
}

// Name returns the name or the address that the stream was opened by.
func (s *Stream) Name() string { return s.name }

// Ready waits until the stream is open.
func (s *Stream) Ready(timeout time.Duration) error {
	if s.closed {
		return ErrClosed
	}
	deadline := s.ctx.deadline(timeout)
	r := s.ctx.host.StreamReady(s.handle, nanos(timeout))
	if r.Failed && s.ctx.carryOn(r.Err) {
		r = s.ctx.host.StreamReady(s.handle, s.ctx.until(deadline))
	}
	return ioError(r)
}

// Resumed says whether the stream was taken over, open, from the session before.
func (s *Stream) Resumed() bool { return !s.closed && s.ctx.host.StreamResumed(s.handle) }

// Read receives at least one byte and at most len(p), as many as there are. With a read deadline in the past it returns
// what is there, or ErrTimeout.
func (s *Stream) Read(p []byte) (int, error) {
	if s.closed {
		return 0, ErrClosed
	}
	if len(p) == 0 {
		return 0, nil
	}
	p = p[:min(len(p), MaxTransfer)]
	limit, host := uint32(len(p)), s.ctx.host
	r := host.StreamRead(s.handle, limit, s.ctx.until(s.readDeadline), p[:0])
	if r.Failed && s.ctx.carryOn(r.Err) {
		r = host.StreamRead(s.handle, limit, s.ctx.until(s.readDeadline), p[:0])
	}
	return received(p, r)
}

// ReadFrame receives one frame of at most len(p) bytes. It waits up to first for the first byte, then until there are
// expect bytes or the line was silent for gap, whichever is first, by the host's clock. With expect 0 only the gap, or
// len(p), ends the frame. It knows no deadline but first.
func (s *Stream) ReadFrame(p []byte, first, gap time.Duration, expect int) (int, error) {
	if s.closed {
		return 0, ErrClosed
	}
	p = p[:min(len(p), MaxTransfer)]
	if len(p) == 0 || expect < 0 || expect > len(p) {
		return 0, ErrInvalid
	}
	limit, host, deadline := uint32(len(p)), s.ctx.host, s.ctx.deadline(first)
	r := host.StreamReadFrame(s.handle, limit, nanos(first), nanos(gap), uint32(expect), p[:0])
	if r.Failed && s.ctx.carryOn(r.Err) {
		r = host.StreamReadFrame(s.handle, limit, s.ctx.until(deadline), nanos(gap), uint32(expect), p[:0])
	}
	return received(p, r)
}

// received returns what a read answered. The bytes are in p already where the host appended in place.
func received(p []byte, r component.Result[[]byte, driver.IOError]) (int, error) {
	if r.Failed {
		return 0, IOError(r.Err)
	}
	return copy(p, r.Value), nil
}

// Write sends all of p or fails. After a failure bytes may have left: the count is of whole transfers only. A write
// that a yield ended is never sent again by itself.
func (s *Stream) Write(p []byte) (int, error) {
	if s.closed {
		return 0, ErrClosed
	}
	sent := 0
	for sent < len(p) {
		part := p[sent:min(len(p), sent+MaxTransfer)]
		r := s.ctx.host.StreamWrite(s.handle, part, s.ctx.until(s.writeDeadline))
		if r.Failed {
			return sent, IOError(r.Err)
		}
		sent += len(part)
	}
	return sent, nil
}

// Flush discards what was received and not read.
func (s *Stream) Flush() error {
	if s.closed {
		return ErrClosed
	}
	return ioError(s.ctx.host.StreamFlush(s.handle))
}

// Drain waits until everything written has left the machine, as far as the operating system can tell.
func (s *Stream) Drain(timeout time.Duration) error {
	if s.closed {
		return ErrClosed
	}
	deadline := s.ctx.deadline(timeout)
	r := s.ctx.host.StreamDrain(s.handle, nanos(timeout))
	if r.Failed && s.ctx.carryOn(r.Err) {
		r = s.ctx.host.StreamDrain(s.handle, s.ctx.until(deadline))
	}
	return ioError(r)
}

// Close gives the stream back. The host closes what it stands for, unless the session yields. A second Close returns
// ErrClosed.
func (s *Stream) Close() error {
	if s.closed {
		return ErrClosed
	}
	s.closed = true
	s.ctx.host.StreamDrop(s.handle)
	return nil
}

// SetDeadline sets the read and the write deadline. The zero time is none.
func (s *Stream) SetDeadline(t time.Time) error {
	s.readDeadline, s.writeDeadline = t, t
	return s.open()
}

// SetReadDeadline sets when Read gives up with ErrTimeout.
func (s *Stream) SetReadDeadline(t time.Time) error {
	s.readDeadline = t
	return s.open()
}

// SetWriteDeadline sets when Write gives up with ErrTimeout.
func (s *Stream) SetWriteDeadline(t time.Time) error {
	s.writeDeadline = t
	return s.open()
}

func (s *Stream) open() error {
	if s.closed {
		return ErrClosed
	}
	return nil
}

func ioError(r component.Result[component.Unit, driver.IOError]) error {
	if r.Failed {
		return IOError(r.Err)
	}
	return nil
}

// deadline returns when a timeout that starts now ends. The zero time is never.
func (c *Context) deadline(timeout time.Duration) time.Time {
	if timeout == Forever {
		return time.Time{}
	}
	return c.host.Now().Add(timeout)
}

// until returns the timeout that ends at a deadline.
func (c *Context) until(deadline time.Time) uint64 {
	if deadline.IsZero() {
		return nanos(Forever)
	}
	return nanos(deadline.Sub(c.host.Now()))
}
