//go:build !linux

package serial

import (
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/stream"
)

func (h *hold) setRS485(driver.RS485) error {
	return stream.Errorf(driver.IOErrorOther, "this system has no control of RS-485")
}
