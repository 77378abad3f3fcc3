package stream

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"syscall"
	"testing"

	"github.com/droverhq/drover/abi/driver"
)

func TestCode(t *testing.T) {
	tests := []struct {
		err  error
		want driver.IOError
	}{
		{io.EOF, driver.IOErrorClosed},
		{net.ErrClosed, driver.IOErrorClosed},
		{ErrClosed, driver.IOErrorClosed},
		{ErrStuck, driver.IOErrorStuck},
		{syscall.EPIPE, driver.IOErrorClosed},
		{syscall.EIO, driver.IOErrorClosed},
		{syscall.ECONNRESET, driver.IOErrorReset},
		{syscall.ECONNREFUSED, driver.IOErrorRefused},
		{syscall.EHOSTUNREACH, driver.IOErrorUnreachable},
		{syscall.ENETUNREACH, driver.IOErrorUnreachable},
		{syscall.ETIMEDOUT, driver.IOErrorTimeout},
		{syscall.EACCES, driver.IOErrorDenied},
		{syscall.EPERM, driver.IOErrorDenied},
		{syscall.EBUSY, driver.IOErrorBusy},
		{&fs.PathError{Op: "open", Path: "/dev/ttyUSB0", Err: syscall.ENOENT}, driver.IOErrorNotFound},
		{syscall.ENODEV, driver.IOErrorNotFound},
		{syscall.EINVAL, driver.IOErrorInvalid},
		{syscall.ENOTTY, driver.IOErrorOther},
		{syscall.EMFILE, driver.IOErrorOther},
		{os.ErrDeadlineExceeded, driver.IOErrorTimeout},
		{context.DeadlineExceeded, driver.IOErrorTimeout},
		{context.Canceled, driver.IOErrorCancelled},
		{&net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}, driver.IOErrorRefused},
		{&net.DNSError{Err: "no such host", IsNotFound: true}, driver.IOErrorNotFound},
		{&net.DNSError{Err: "i/o timeout", IsTimeout: true}, driver.IOErrorTimeout},
		{&net.DNSError{Err: "server misbehaving", IsTemporary: true}, driver.IOErrorUnreachable},
		{fmt.Errorf("open: %w", Errorf(driver.IOErrorBusy, "taken: %w", io.EOF)), driver.IOErrorBusy},
		{errors.New("something"), driver.IOErrorOther},
	}
	for _, tt := range tests {
		if got := Code(tt.err); got != tt.want {
			t.Errorf("%v: got %v, want %v", tt.err, got, tt.want)
		}
	}
}
