package serial

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	bugst "go.bug.st/serial"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/stream"
)

// tick is how long a read waits at most. The library's Close would end a read at once, but closes the descriptor under
// it: between its select(2) and its read(2), the number may come to mean another file.
const tick = 50 * time.Millisecond

// Port is an open serial port.
type Port struct {
	ports *Ports
	hold  hold
	gap   time.Duration

	// mu keeps Close apart from everything else: the library would use the descriptor's number after it was closed.
	mu     sync.RWMutex
	native bugst.Port
	closed bool

	mode        atomic.Pointer[driver.Mode]
	head        []byte // what came while the port was tried out
	busy        atomic.Int32
	interrupted atomic.Bool
}

var _ stream.Device = (*Port)(nil)

// open does all that can fail once the port is claimed.
func (p *Port) open(ctx context.Context, g grant.Serial, soiled time.Time) error {
	if err := p.hold.lock(); err != nil {
		return openError(g.Path, err)
	}
	if g.RS485 != nil {
		if err := p.hold.setRS485(*g.RS485); err != nil {
			return openError(g.Path, err)
		}
	}
	var err error
	if p.native, p.head, err = openLow(&p.ports.reserve, g.Path); err != nil {
		return openError(g.Path, err)
	}
	if err := p.SetMode(g.Mode); err != nil {
		return openError(g.Path, err)
	}
	if err := p.native.SetReadTimeout(tick); err != nil {
		return openError(g.Path, coded(err))
	}
	if err := p.settle(ctx, soiled); err != nil {
		return openError(g.Path, err)
	}
	return nil
}

// settle waits for silence on a line whose last user was cut short just now.
func (p *Port) settle(ctx context.Context, soiled time.Time) error {
	if soiled.IsZero() || time.Since(soiled) >= quiet {
		return nil
	}
	p.head = nil
	chunk := make([]byte, 256)
	start := time.Now()
	for last := start; time.Since(last) < quiet && time.Since(start) < quietLimit; {
		n, err := p.Read(chunk)
		if err != nil {
			return err
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if n > 0 {
			last = time.Now()
		}
	}
	return nil
}

// Read implements stream.Device: it waits for 50 ms at most.
func (p *Port) Read(b []byte) (n int, err error) {
	err = p.use(func(native bugst.Port) error {
		if n = copy(b, p.head); n > 0 {
			p.head = p.head[n:]
			return nil
		}
		n, err = native.Read(b)
		return err
	})
	return n, err
}

// Write implements stream.Device.
func (p *Port) Write(b []byte) (n int, err error) {
	err = p.slow(func(native bugst.Port) error {
		if n, err = native.Write(b); errors.Is(err, syscall.EINTR) {
			return nil
		}
		return err
	})
	return n, err
}

// Drain implements stream.Device.
func (p *Port) Drain() error {
	return p.slow(bugst.Port.Drain)
}

// Break holds the line in the break state for that long.
func (p *Port) Break(length time.Duration) error {
	return p.slow(func(native bugst.Port) error { return native.Break(length) })
}

// Discard implements stream.Device.
func (p *Port) Discard() error { return p.use(bugst.Port.ResetInputBuffer) }

// Interrupt implements stream.Device: it discards what a write, or a drain, waits for.
func (p *Port) Interrupt() {
	if p.busy.Load() == 0 {
		return
	}
	p.interrupted.Store(true)
	_ = p.use(func(native bugst.Port) error { // Where it does not help, the writer is stuck.
		err := native.ResetOutputBuffer()
		p.hold.wake()
		return err
	})
}

// Gap implements stream.Device.
func (p *Port) Gap() time.Duration { return p.gap }

// Close implements stream.Device. The port can be opened again when it returns.
func (p *Port) Close() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil
	}
	p.closed = true
	return p.release()
}

// release gives up what the port holds, as far as it was opened.
func (p *Port) release() error {
	var err error
	if p.native != nil {
		err = p.native.Close()
		p.ports.reserve.returned()
	}
	p.hold.close()
	p.ports.disclaim(p)
	return err
}

// stuck says whether a write was interrupted and goes on all the same.
func (p *Port) stuck() bool { return p.interrupted.Load() && p.busy.Load() > 0 }

// slow is use, for what may block for long.
func (p *Port) slow(f func(bugst.Port) error) error {
	p.busy.Add(1)
	defer p.busy.Add(-1)
	return p.use(f)
}

// use calls f, unless the port is closed.
func (p *Port) use(f func(bugst.Port) error) error {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.closed {
		return &stream.Error{Code: driver.IOErrorClosed, Err: errors.New("the port is closed")}
	}
	if err := f(p.native); err != nil {
		return coded(err)
	}
	return nil
}

// coded gives the library's errors their codes; they do not unwrap to what caused them.
func coded(err error) error {
	e, ok := errors.AsType[*bugst.PortError](err)
	if !ok {
		return err
	}
	return &stream.Error{Code: portCode(e.Code()), Err: err}
}

func portCode(c bugst.PortErrorCode) driver.IOError {
	switch c {
	case bugst.PortBusy:
		return driver.IOErrorBusy
	case bugst.PortNotFound:
		return driver.IOErrorNotFound
	case bugst.PermissionDenied:
		return driver.IOErrorDenied
	case bugst.PortClosed:
		return driver.IOErrorClosed
	case bugst.InvalidSpeed, bugst.InvalidDataBits, bugst.InvalidParity, bugst.InvalidStopBits, bugst.InvalidTimeoutValue:
		return driver.IOErrorInvalid
	}
	return driver.IOErrorOther
}
