package serial

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/stream"
)

var plain = driver.Mode{Baud: 9600, DataBits: 8}

// line returns a pseudo-terminal: the end that plays the device, whose Close ends its reads, and the path of the port.
func line(t *testing.T) (device *os.File, path string) {
	t.Helper()
	blocking, port, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	fd, err := unix.FcntlInt(blocking.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.SetNonblock(fd, true); err != nil {
		t.Fatal(err)
	}
	device = os.NewFile(uintptr(fd), blocking.Name())
	_ = blocking.Close()
	t.Cleanup(func() {
		_ = device.Close()
		_ = port.Close()
	})
	return device, port.Name()
}

// ports returns a table that must be empty in the end, and in the end leave as many files open as in the beginning.
func ports(t *testing.T) *Ports {
	t.Helper()
	before := openFiles(t)
	p := NewPorts()
	t.Cleanup(func() {
		if n := p.Taken(); n != 0 {
			t.Errorf("%d ports are still taken", n)
		}
		p.Close()
		if after := openFiles(t); after != before {
			t.Errorf("%d files are open, %d before", after, before)
		}
	})
	return p
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// open opens a port that is closed with the test.
func open(t *testing.T, p *Ports, path string) *Port {
	t.Helper()
	port, err := p.Open(t.Context(), grant.Serial{Path: path, Mode: plain}, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = port.Close() })
	return port
}

// wantCode checks that err is there and has that code.
func wantCode(t *testing.T, err error, want driver.IOError) {
	t.Helper()
	if err == nil || stream.Code(err) != want {
		t.Fatalf("got %v, want an error with code %v", err, want)
	}
}

// opener opens a port as a line does.
func opener(p *Ports, path string) func(context.Context) (stream.Device, error) {
	return func(ctx context.Context) (stream.Device, error) {
		port, err := p.Open(ctx, grant.Serial{Path: path, Mode: plain}, time.Time{})
		if err != nil {
			return nil, err
		}
		return port, nil
	}
}
