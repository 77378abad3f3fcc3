package stream

import (
	"syscall"

	"golang.org/x/sys/windows"

	"github.com/droverhq/drover/abi/driver"
)

// systemCode knows the error numbers of Windows, which the POSIX names of package syscall do not match.
func systemCode(e syscall.Errno) (driver.IOError, bool) {
	switch e {
	case windows.WSAETIMEDOUT:
		return driver.IOErrorTimeout, true
	case windows.WSAECONNRESET, windows.WSAECONNABORTED:
		return driver.IOErrorReset, true
	case windows.WSAECONNREFUSED:
		return driver.IOErrorRefused, true
	case windows.WSAEHOSTUNREACH, windows.WSAENETUNREACH, windows.WSAENETDOWN, windows.WSAEADDRNOTAVAIL:
		return driver.IOErrorUnreachable, true
	case windows.WSAEACCES, windows.ERROR_ACCESS_DENIED:
		return driver.IOErrorDenied, true
	case windows.WSAEADDRINUSE:
		return driver.IOErrorBusy, true
	case windows.WSAEMSGSIZE:
		return driver.IOErrorInvalid, true
	case windows.ERROR_FILE_NOT_FOUND, windows.ERROR_PATH_NOT_FOUND:
		return driver.IOErrorNotFound, true
	case windows.ERROR_OPERATION_ABORTED, windows.ERROR_INVALID_HANDLE, windows.ERROR_DEVICE_REMOVED:
		return driver.IOErrorClosed, true
	}
	return 0, false
}
