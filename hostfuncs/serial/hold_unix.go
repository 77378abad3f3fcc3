//go:build linux || darwin

package serial

import (
	"errors"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/stream"
)

// hold is a descriptor of our own on a port, opened before the library's: for what the library cannot do, and for the
// lock that keeps other processes out (flock(2): root is not kept out by TIOCEXCL).
type hold struct {
	fd  int
	key string // the device's number: two names of one port are one
}

// openHold opens the port without waiting for a carrier.
func openHold(path string) (hold, error) {
	fd, err := retry(func() (int, error) {
		return unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return hold{}, openError(path, err)
	}
	h := hold{fd: fd}
	if err := h.identify(); err != nil {
		h.close()
		return hold{}, openError(path, err)
	}
	return h, nil
}

// identify finds out which terminal it is, if it is one.
func (h *hold) identify() error {
	_, err := unix.IoctlGetTermios(h.fd, getTermios)
	switch {
	case errors.Is(err, unix.EIO):
		return stream.Errorf(driver.IOErrorNotFound, "there is no hardware behind it: %w", err)
	case err != nil:
		return stream.Errorf(driver.IOErrorInvalid, "not a serial port: %w", err)
	}
	var st unix.Stat_t
	if err := unix.Fstat(h.fd, &st); err != nil {
		return err
	}
	h.key = strconv.FormatUint(uint64(st.Rdev), 16) //nolint:unconvert // int32 on darwin
	return nil
}

// lock keeps other processes out that lock as well.
func (h *hold) lock() error {
	_, err := retry(func() (int, error) { return 0, unix.Flock(h.fd, unix.LOCK_EX|unix.LOCK_NB) })
	if errors.Is(err, unix.EWOULDBLOCK) {
		return stream.Errorf(driver.IOErrorBusy, "another process has locked it: %w", err)
	}
	return err
}

func (h *hold) close() { _ = unix.Close(h.fd) } // Nothing was written through it.

// retry calls f again while a signal interrupts it.
func retry(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
