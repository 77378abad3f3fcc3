package serial

import (
	bugst "go.bug.st/serial"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/stream"
)

// Mode returns the mode that the port is in.
func (p *Port) Mode() driver.Mode { return *p.mode.Load() }

// SetMode changes the mode, at once.
func (p *Port) SetMode(m driver.Mode) error {
	if err := grant.CheckMode(m); err != nil {
		return &stream.Error{Code: driver.IOErrorInvalid, Err: err}
	}
	err := p.use(func(native bugst.Port) error { return native.SetMode(nativeMode(m)) })
	if err == nil {
		p.mode.Store(&m)
	}
	return err
}

func nativeMode(m driver.Mode) *bugst.Mode {
	parity := [...]bugst.Parity{
		driver.ParityNone:  bugst.NoParity,
		driver.ParityOdd:   bugst.OddParity,
		driver.ParityEven:  bugst.EvenParity,
		driver.ParityMark:  bugst.MarkParity,
		driver.ParitySpace: bugst.SpaceParity,
	}
	stop := [...]bugst.StopBits{
		driver.StopBitsOne:        bugst.OneStopBit,
		driver.StopBitsOneAndHalf: bugst.OnePointFiveStopBits,
		driver.StopBitsTwo:        bugst.TwoStopBits,
	}
	return &bugst.Mode{
		BaudRate: int(m.Baud), DataBits: int(m.DataBits), Parity: parity[m.Parity], StopBits: stop[m.StopBits],
	}
}

// SetLines sets the lines that the host drives.
func (p *Port) SetLines(lines driver.OutputLines) error {
	return p.use(func(native bugst.Port) error {
		if err := native.SetDTR(lines.DTR); err != nil {
			return err
		}
		return native.SetRTS(lines.RTS)
	})
}

// Lines returns the lines that the device drives.
func (p *Port) Lines() (driver.InputLines, error) {
	var lines driver.InputLines
	err := p.use(func(native bugst.Port) error {
		bits, err := native.GetModemStatusBits()
		if err == nil {
			lines = driver.InputLines{CTS: bits.CTS, DSR: bits.DSR, RI: bits.RI, DCD: bits.DCD}
		}
		return err
	})
	return lines, err
}

// SetRS485 has the kernel control the direction of the line. The library cannot: it goes by a descriptor of our own.
func (p *Port) SetRS485(mode driver.RS485) error {
	return p.use(func(bugst.Port) error { return p.hold.setRS485(mode) })
}
