package sdktest

import (
	"bytes"
	"math"
	"slices"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
)

type (
	opened = component.Result[sdk.StreamHandle, driver.IOError]
	done   = component.Result[component.Unit, driver.IOError]
	got    = component.Result[[]byte, driver.IOError]
)

func ok() done                         { return component.Done[driver.IOError]() }
func failed(cause driver.IOError) done { return component.Err[component.Unit](cause) }

// SerialOpen implements sdk.Host.
func (h *Host) SerialOpen(name string) opened { return h.open(name, driver.ConnectionKindSerial) }

// SocketConnect implements sdk.Host. An address is a line of that name.
func (h *Host) SocketConnect(to driver.Target) opened {
	if to.Tag() == driver.TargetTagAddress {
		return h.open(to.Address(), driver.ConnectionKindTCP)
	}
	return h.open(to.Name(), driver.ConnectionKindTCP)
}

func (h *Host) open(name string, kind driver.ConnectionKind) opened {
	i := slices.IndexFunc(h.lines, func(l *Line) bool { return l.name == name && l.kind == kind })
	switch {
	case h.phase == "configure":
		return component.Err[sdk.StreamHandle](driver.IOErrorInvalid)
	case i < 0:
		return component.Err[sdk.StreamHandle](driver.IOErrorNotFound)
	case h.lines[i].OpenErr != nil:
		return component.Err[sdk.StreamHandle](cause(h, h.lines[i].OpenErr))
	case h.lines[i].handle != 0:
		return component.Err[sdk.StreamHandle](driver.IOErrorBusy)
	}
	l := h.lines[i]
	h.handles++
	l.handle, l.ready, l.opened = h.handles, h.now.Add(l.ReadyAfter), l.opened+1
	if !l.Resumed && l.broken != nil && !l.broken.at.After(h.now) {
		l.broken, l.inbox = nil, nil // a fresh connection
	}
	h.streams[l.handle] = l
	return component.OK[driver.IOError](l.handle)
}

// line returns the line behind a handle. The real host ends an instance that uses a stale one.
func (h *Host) line(s sdk.StreamHandle) *Line {
	h.tb.Helper()
	l := h.streams[s]
	if l == nil {
		h.tb.Fatalf("sdktest: the driver used stream %d, which is not open", s)
	}
	return l
}

// block waits for change as a blocking call of the contract does: a stop ends it, and a yield does once.
func (h *Host) block(timeout uint64, change func() bool) (driver.IOError, bool) {
	interrupted := func() bool { return timeout > 0 && (h.stopping || h.yielding && !h.yieldSpent) }
	if !h.await(timeout, func() bool { return change() || interrupted() }) {
		return driver.IOErrorTimeout, false
	}
	if change() {
		return 0, true
	}
	h.yieldSpent = h.yielding
	return driver.IOErrorCancelled, false
}

// StreamReady implements sdk.Host.
func (h *Host) StreamReady(s sdk.StreamHandle, timeout uint64) done {
	l := h.line(s)
	if cause, ready := h.block(timeout, func() bool { return !l.ready.After(h.now) }); !ready {
		return failed(cause)
	}
	if l.ReadyErr != nil {
		return failed(cause(h, l.ReadyErr))
	}
	return ok()
}

// StreamResumed implements sdk.Host.
func (h *Host) StreamResumed(s sdk.StreamHandle) bool { return h.line(s).Resumed }

// until returns what is left of a timeout that began at start.
func (h *Host) until(start time.Time, timeout uint64) uint64 {
	if timeout >= math.MaxInt64 {
		return timeout
	}
	return uint64(max(time.Duration(timeout)-h.now.Sub(start), 0))
}

// first waits for the stream to be open and for something to read.
func (h *Host) first(l *Line, timeout uint64) (driver.IOError, bool) {
	start := h.now
	if r := h.StreamReady(l.handle, timeout); r.Failed {
		return r.Err, false
	}
	cause, ready := h.block(h.until(start, timeout), func() bool { return l.available(h.now) || l.failed(h.now) })
	if ready && !l.available(h.now) {
		return l.broken.cause, false
	}
	return cause, ready
}

// StreamRead implements sdk.Host.
func (h *Host) StreamRead(s sdk.StreamHandle, limit uint32, timeout uint64, buf []byte) got {
	l := h.line(s)
	if cause, ready := h.first(l, timeout); !ready {
		return component.Err[[]byte](cause)
	}
	return component.OK[driver.IOError](l.receive(buf, int(limit)))
}

// StreamReadFrame implements sdk.Host.
func (h *Host) StreamReadFrame(s sdk.StreamHandle, limit uint32, first, gap uint64, expect uint32, buf []byte) got {
	l := h.line(s)
	if cause, ready := h.first(l, first); !ready {
		return component.Err[[]byte](cause)
	}
	enough := int(limit)
	if expect > 0 {
		enough = min(enough, int(expect))
	}
	for {
		size, last, over := l.frame(time.Duration(gap))
		if size >= enough || over || l.failed(h.now) {
			return component.OK[driver.IOError](l.receive(buf, min(size, enough)))
		}
		more := func() bool { n, _, _ := l.frame(time.Duration(gap)); return n > size || l.failed(h.now) }
		if cause, _ := h.block(h.until(last, gap), more); cause == driver.IOErrorCancelled {
			return component.Err[[]byte](cause)
		}
	}
}

// StreamWrite implements sdk.Host.
func (h *Host) StreamWrite(s sdk.StreamHandle, data []byte, timeout uint64) done {
	l := h.line(s)
	if r := h.StreamReady(s, timeout); r.Failed {
		return r
	}
	switch {
	case len(data) > sdk.MaxTransfer:
		return failed(driver.IOErrorInvalid)
	case l.WriteErr != nil:
		return failed(cause(h, l.WriteErr))
	case l.failed(h.now):
		return failed(l.broken.cause)
	}
	l.written = append(l.written, bytes.Clone(data))
	if l.device != nil {
		l.Push(l.device(bytes.Clone(data))...)
	}
	return ok()
}

// StreamFlush implements sdk.Host.
func (h *Host) StreamFlush(s sdk.StreamHandle) done {
	l := h.line(s)
	l.receive(nil, math.MaxInt)
	return ok()
}

// StreamDrain implements sdk.Host.
func (h *Host) StreamDrain(s sdk.StreamHandle, timeout uint64) done { return h.StreamReady(s, timeout) }

// StreamDrop implements sdk.Host.
func (h *Host) StreamDrop(s sdk.StreamHandle) {
	l := h.line(s)
	delete(h.streams, s)
	l.handle = 0
}

func (h *Host) serial(s sdk.StreamHandle) (*Line, bool) {
	l := h.line(s)
	return l, l.kind == driver.ConnectionKindSerial
}

func (h *Host) ifSerial(s sdk.StreamHandle) done {
	if _, is := h.serial(s); !is {
		return failed(driver.IOErrorInvalid)
	}
	return ok()
}

// SerialGetMode implements sdk.Host.
func (h *Host) SerialGetMode(s sdk.StreamHandle) component.Result[driver.Mode, driver.IOError] {
	l, is := h.serial(s)
	if !is {
		return component.Err[driver.Mode](driver.IOErrorInvalid)
	}
	return component.OK[driver.IOError](l.Mode)
}

// SerialSetMode implements sdk.Host.
func (h *Host) SerialSetMode(s sdk.StreamHandle, m driver.Mode) done {
	l, is := h.serial(s)
	if !is {
		return failed(driver.IOErrorInvalid)
	}
	l.Mode = m
	return h.StreamFlush(s)
}

// SerialSetLines implements sdk.Host: the fake port has no modem lines.
func (h *Host) SerialSetLines(s sdk.StreamHandle, _ driver.OutputLines) done {
	if r := h.ifSerial(s); r.Failed {
		return r
	}
	return failed(driver.IOErrorOther)
}

// SerialGetLines implements sdk.Host: the fake port has no modem lines.
func (h *Host) SerialGetLines(s sdk.StreamHandle) component.Result[driver.InputLines, driver.IOError] {
	if r := h.ifSerial(s); r.Failed {
		return component.Err[driver.InputLines](r.Err)
	}
	return component.Err[driver.InputLines](driver.IOErrorOther)
}

// SerialSendBreak implements sdk.Host.
func (h *Host) SerialSendBreak(s sdk.StreamHandle, length uint64) done {
	h.Advance(time.Duration(length))
	return h.ifSerial(s)
}

// SerialSetRS485 implements sdk.Host.
func (h *Host) SerialSetRS485(s sdk.StreamHandle, _ driver.RS485) done { return h.ifSerial(s) }
