package hostfuncs

import (
	"context"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/hostfuncs/serial"
	"github.com/droverhq/drover/hostfuncs/stream"
)

// maxBreak bounds a break: nothing can end it early.
const maxBreak = time.Second

// Open implements host.Serial.
func (s *Session) Open(_ context.Context, name string) component.Result[host.Stream, driver.IOError] {
	return s.borrow(name, driver.ConnectionKindSerial)
}

// GetMode implements host.Serial.
func (s *Session) GetMode(ctx context.Context, port host.Stream) component.Result[driver.Mode, driver.IOError] {
	return query(ctx, s, "get the mode of", port, func(p *serial.Port) (driver.Mode, error) { return p.Mode(), nil })
}

// SetMode implements host.Serial.
func (s *Session) SetMode(
	ctx context.Context, port host.Stream, mode driver.Mode,
) component.Result[component.Unit, driver.IOError] {
	done := s.change(ctx, "set the mode of", port, func(p *serial.Port) error { return p.SetMode(mode) })
	if done.Failed {
		return done
	}
	return port.Flush(ctx)
}

// SetLines implements host.Serial.
func (s *Session) SetLines(
	ctx context.Context, port host.Stream, lines driver.OutputLines,
) component.Result[component.Unit, driver.IOError] {
	return s.change(ctx, "set the lines of", port, func(p *serial.Port) error { return p.SetLines(lines) })
}

// GetLines implements host.Serial.
func (s *Session) GetLines(ctx context.Context, port host.Stream) component.Result[driver.InputLines, driver.IOError] {
	return query(ctx, s, "get the lines of", port, (*serial.Port).Lines)
}

// SendBreak implements host.Serial. A break longer than 1 s is `invalid`. Where the call is ended, the break still
// takes its time, and what is written waits for it.
func (s *Session) SendBreak(
	ctx context.Context, port host.Stream, length driver.Duration,
) component.Result[component.Unit, driver.IOError] {
	const op = "send a break to"
	st, _, err := s.port(ctx, port)
	if err == nil && length > uint64(maxBreak) {
		err = stream.Errorf(driver.IOErrorInvalid, "a break of more than %s", maxBreak)
	}
	if err != nil {
		return component.Err[component.Unit](s.report(op, nameOf(st), err))
	}
	d := time.Duration(length)
	return st.Do(ctx, op, d+maxBreak, func(dev stream.Device) error { return dev.(*serial.Port).Break(d) })
}

// SetRS485 implements host.Serial.
func (s *Session) SetRS485(
	ctx context.Context, port host.Stream, mode driver.RS485,
) component.Result[component.Unit, driver.IOError] {
	return s.change(ctx, "set RS-485 of", port, func(p *serial.Port) error { return p.SetRS485(mode) })
}

// change does something to a port that has no answer.
func (s *Session) change(
	ctx context.Context, op string, port host.Stream, f func(*serial.Port) error,
) component.Result[component.Unit, driver.IOError] {
	return query(ctx, s, op, port, func(p *serial.Port) (component.Unit, error) { return component.Unit{}, f(p) })
}

// query asks a port something.
func query[T any](
	ctx context.Context, s *Session, op string, port host.Stream, f func(*serial.Port) (T, error),
) component.Result[T, driver.IOError] {
	st, p, err := s.port(ctx, port)
	if err != nil {
		return component.Err[T](s.report(op, nameOf(st), err))
	}
	v, err := f(p)
	if err != nil {
		return component.Err[T](s.report(op, st.Name(), err))
	}
	return component.OK[driver.IOError](v)
}

// port returns the open serial port behind a stream; `invalid` where it is a connection.
func (s *Session) port(ctx context.Context, port host.Stream) (*stream.Stream, *serial.Port, error) {
	st, ok := port.(*stream.Stream)
	if !ok {
		return nil, nil, errNoPort
	}
	dev, err := st.Device(ctx)
	if err != nil {
		return st, nil, err
	}
	p, ok := dev.(*serial.Port)
	if !ok {
		return st, nil, errNoPort
	}
	return st, p, nil
}

var errNoPort = stream.Errorf(driver.IOErrorInvalid, "the stream is no serial port")

func nameOf(st *stream.Stream) string {
	if st == nil {
		return ""
	}
	return st.Name()
}
