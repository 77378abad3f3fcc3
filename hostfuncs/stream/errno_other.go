//go:build !windows

package stream

import (
	"syscall"

	"github.com/droverhq/drover/abi/driver"
)

// systemCode adds nothing where the error numbers are POSIX's.
func systemCode(syscall.Errno) (driver.IOError, bool) { return 0, false }
