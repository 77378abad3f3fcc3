//go:build linux || darwin

package modbus

import (
	"errors"
	"fmt"
	"os"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// PTY is the device's end of a pseudo-terminal: a line without pacing, parity or modem lines. It stays open while
// clients open and close the other end.
type PTY struct {
	device *os.File
	// client is held so that the device's end does not see a hang-up between two clients.
	client *os.File
}

// OpenPTY opens a pseudo-terminal in raw mode. The caller closes it.
func OpenPTY() (*PTY, error) {
	device, client, err := pty.Open()
	if err != nil {
		return nil, fmt.Errorf("open pseudo-terminal: %w", err)
	}
	p := &PTY{device: device, client: client}
	if err := p.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("prepare pseudo-terminal: %w", err), p.Close())
	}
	return p, nil
}

// prepare makes the line raw and the device's end one that Close can interrupt.
func (p *PTY) prepare() error {
	if err := makeRaw(int(p.client.Fd())); err != nil {
		return fmt.Errorf("raw mode: %w", err)
	}
	fd, err := unix.FcntlInt(p.device.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("duplicate: %w", err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		return errors.Join(err, unix.Close(fd))
	}
	blocking := p.device
	p.device = os.NewFile(uintptr(fd), blocking.Name())
	return blocking.Close()
}

// makeRaw is cfmakeraw of termios(3).
func makeRaw(fd int) error {
	t, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return err
	}
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag &^= unix.CSIZE | unix.PARENB
	t.Cflag |= unix.CS8
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, setTermios, t)
}

// Path returns the end that a client opens, as /dev/pts/3.
func (p *PTY) Path() string { return p.client.Name() }

// Read implements io.Reader on the device's end.
func (p *PTY) Read(b []byte) (int, error) { return p.device.Read(b) }

// Write implements io.Writer on the device's end.
func (p *PTY) Write(b []byte) (int, error) { return p.device.Write(b) }

// Close closes both ends and ends a Read that blocks.
func (p *PTY) Close() error { return errors.Join(p.device.Close(), p.client.Close()) }
