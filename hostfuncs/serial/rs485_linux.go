package serial

import (
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/droverhq/drover/abi/driver"
)

// rs485 is struct serial_rs485 of linux/serial.h.
type rs485 struct {
	flags, delayBefore, delayAfter uint32
	_                              [5]uint32
}

// The flags of struct serial_rs485.
const (
	rs485Enabled      = 1 << 0
	rs485RTSOnSend    = 1 << 1
	rs485RTSAfterSend = 1 << 2
	rs485RxDuringTx   = 1 << 4
)

func kernelRS485(m driver.RS485) rs485 {
	k := rs485{delayBefore: m.DelayBeforeSend, delayAfter: m.DelayAfterSend}
	if m.Enabled {
		k.flags |= rs485Enabled
	}
	if m.RTSOnSend {
		k.flags |= rs485RTSOnSend
	} else {
		k.flags |= rs485RTSAfterSend
	}
	if m.RxDuringTx {
		k.flags |= rs485RxDuringTx
	}
	return k
}

func (h *hold) setRS485(m driver.RS485) error {
	k := kernelRS485(m)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(h.fd), unix.TIOCSRS485, uintptr(unsafe.Pointer(&k)))
	if errno != 0 {
		return errno
	}
	return nil
}
