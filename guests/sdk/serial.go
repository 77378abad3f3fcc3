package sdk

import (
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// Mode returns the mode that a serial port is in. ErrInvalid: the stream is no serial port.
func (s *Stream) Mode() (driver.Mode, error) {
	if s.closed {
		return driver.Mode{}, ErrClosed
	}
	r := s.ctx.host.SerialGetMode(s.handle)
	if r.Failed {
		return driver.Mode{}, IOError(r.Err)
	}
	return r.Value, nil
}

// SetMode changes the mode of a serial port. What was received and not read is discarded.
func (s *Stream) SetMode(m driver.Mode) error {
	if s.closed {
		return ErrClosed
	}
	return ioError(s.ctx.host.SerialSetMode(s.handle, m))
}

// SetLines sets the modem lines that the host drives. ErrOther: the port has none, as a pseudo-terminal.
func (s *Stream) SetLines(dtr, rts bool) error {
	if s.closed {
		return ErrClosed
	}
	return ioError(s.ctx.host.SerialSetLines(s.handle, driver.OutputLines{DTR: dtr, RTS: rts}))
}

// Lines returns the modem lines that the device drives.
func (s *Stream) Lines() (driver.InputLines, error) {
	if s.closed {
		return driver.InputLines{}, ErrClosed
	}
	r := s.ctx.host.SerialGetLines(s.handle)
	if r.Failed {
		return driver.InputLines{}, IOError(r.Err)
	}
	return r.Value, nil
}

// SendBreak holds the line in the break state for that long.
func (s *Stream) SendBreak(length time.Duration) error {
	if s.closed {
		return ErrClosed
	}
	return ioError(s.ctx.host.SerialSendBreak(s.handle, nanos(length)))
}

// SetRS485 has the kernel switch the direction of a half-duplex RS-485 line.
func (s *Stream) SetRS485(m driver.RS485) error {
	if s.closed {
		return ErrClosed
	}
	return ioError(s.ctx.host.SerialSetRS485(s.handle, m))
}
