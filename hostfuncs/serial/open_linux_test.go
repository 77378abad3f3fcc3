package serial

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	bugst "go.bug.st/serial"
	"golang.org/x/sys/unix"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
)

func TestOpenFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("no port"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, path := line(t)
	rs485 := &driver.RS485{Enabled: true}
	tests := []struct {
		name string
		g    grant.Serial
		want driver.IOError
		text string
	}{
		{"missing", grant.Serial{Path: "/dev/ttyNone", Mode: plain}, driver.IOErrorNotFound, "open /dev/ttyNone: no such file or directory"},
		{"a file", grant.Serial{Path: file, Mode: plain}, driver.IOErrorInvalid, "not a serial port"},
		{"no terminal", grant.Serial{Path: "/dev/null", Mode: plain}, driver.IOErrorInvalid, "not a serial port"},
		{"a directory", grant.Serial{Path: "/dev", Mode: plain}, driver.IOErrorOther, "is a directory"},
		{"stop bits that Linux lacks", grant.Serial{Path: path, Mode: driver.Mode{Baud: 9600, DataBits: 8, StopBits: driver.StopBitsOneAndHalf}}, driver.IOErrorInvalid, "stop bits"},
		{"RS-485 on a pseudo-terminal", grant.Serial{Path: path, Mode: plain, RS485: rs485}, driver.IOErrorOther, "inappropriate ioctl"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ports(t).Open(t.Context(), tt.g, time.Time{})
			wantCode(t, err, tt.want)
			if !strings.Contains(err.Error(), tt.text) {
				t.Errorf("the error is %q, want %q in it", err, tt.text)
			}
		})
	}
}

// As root, the operating system opens a port as often as it is asked to, and a port can have two names.
func TestSecondOpenIsBusy(t *testing.T) {
	p := ports(t)
	_, path := line(t)
	first := open(t, p, path)
	_, err := p.Open(t.Context(), grant.Serial{Path: path, Mode: plain}, time.Time{})
	wantCode(t, err, driver.IOErrorBusy)

	alias := filepath.Join(t.TempDir(), "meter")
	if err := os.Symlink(path, alias); err != nil {
		t.Fatal(err)
	}
	_, err = p.Open(t.Context(), grant.Serial{Path: alias, Mode: plain}, time.Time{})
	wantCode(t, err, driver.IOErrorBusy)

	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	_ = open(t, p, alias)
}

// Another process that locked the port holds it.
func TestLockedByAnotherIsBusy(t *testing.T) {
	p := ports(t)
	_, path := line(t)
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(fd, unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	_, err = p.Open(t.Context(), grant.Serial{Path: path, Mode: plain}, time.Time{})
	wantCode(t, err, driver.IOErrorBusy)
	if err := unix.Close(fd); err != nil {
		t.Fatal(err)
	}
	_ = open(t, p, path)
}

// Whoever locks as well is kept out while the port is open.
func TestLocksOutOthers(t *testing.T) {
	p := ports(t)
	_, path := line(t)
	port := open(t, p, path)
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != unix.EWOULDBLOCK {
		t.Errorf("locked by another: %v", err)
	}
	if err := port.Close(); err != nil {
		t.Fatal(err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		t.Errorf("still locked after Close: %v", err)
	}
}

// The library waits with select(2), which knows descriptors below 1024 only.
func TestManyOpenFiles(t *testing.T) {
	device, path := line(t)
	p := ports(t)
	crowd(t)
	port := open(t, p, path)
	if _, err := device.WriteString("abc"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 8)
	if n, err := port.Read(got); err != nil || string(got[:n]) != "abc" {
		t.Fatalf("read %q, %v", got[:n], err)
	}
	for range 3 { // What a port gives back serves the next.
		if err := port.Close(); err != nil {
			t.Fatal(err)
		}
		port = open(t, p, path)
	}
}

// Without a reserve the port cannot be had; that must be an error, and nothing may stay open.
func TestManyOpenFilesWithoutReserve(t *testing.T) {
	_, path := line(t)
	p := ports(t)
	p.Close()
	crowd(t)
	before := openFiles(t)
	_, err := p.Open(t.Context(), grant.Serial{Path: path, Mode: plain}, time.Time{})
	wantCode(t, err, driver.IOErrorOther)
	if after := openFiles(t); after != before {
		t.Errorf("%d files are open, %d before", after, before)
	}
}

// crowd opens 1,100 files, until the test ends.
func crowd(t *testing.T) {
	t.Helper()
	for range 1100 {
		fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(fd) })
	}
}

func TestReserveFollowsThePorts(t *testing.T) {
	p := ports(t)
	if got := len(p.reserve.held); got != spare*perPort {
		t.Fatalf("%d descriptors in reserve", got)
	}
	p.Reserve(2)
	_, path := line(t)
	port := open(t, p, path)
	if got := len(p.reserve.held); got != (spare+2-1)*perPort {
		t.Errorf("%d descriptors in reserve with a port open", got)
	}
	if err := port.Close(); err != nil {
		t.Fatal(err)
	}
	p.Reserve(-2)
	if got := len(p.reserve.held); got != spare*perPort {
		t.Errorf("%d descriptors in reserve in the end", got)
	}
}

// What came while the port was opened is not lost.
func TestEarlyBytes(t *testing.T) {
	p := ports(t)
	device, path := line(t)
	quietly, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY, 0) // Raw before anything is written: no echo, no lines.
	if err != nil {
		t.Fatal(err)
	}
	raw := open(t, p, path)
	if err := raw.Close(); err != nil {
		t.Fatal(err)
	}
	early := strings.Repeat("0123456789", 10)
	if _, err := device.WriteString(early); err != nil {
		t.Fatal(err)
	}
	port := open(t, p, path)
	_ = unix.Close(quietly)
	var got []byte
	chunk := make([]byte, 7)
	for len(got) < len(early) {
		n, err := port.Read(chunk)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, chunk[:n]...)
	}
	if string(got) != early {
		t.Errorf("read %q", got)
	}
}

// After a user that was cut short, late answers are thrown away, until the line is silent.
func TestSettles(t *testing.T) {
	p := ports(t)
	device, path := line(t)
	keep := open(t, p, path) // Makes the line raw.
	if err := keep.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := device.WriteString("late answer"); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	port, err := p.Open(t.Context(), grant.Serial{Path: path, Mode: plain}, start)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	if took := time.Since(start); took < quiet {
		t.Errorf("took %v", took)
	}
	if n, err := port.Read(make([]byte, 8)); n != 0 || err != nil {
		t.Errorf("read %d bytes, %v", n, err)
	}
}

func TestShortestGap(t *testing.T) {
	dir := t.TempDir()
	usb := filepath.Join(dir, "ttyUSB0")
	if err := os.WriteFile(usb, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	alias := filepath.Join(dir, "usb-FTDI_FT232R-if00-port0")
	if err := os.Symlink(usb, alias); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		g    grant.Serial
		want time.Duration
	}{
		{grant.Serial{Path: usb}, 20 * time.Millisecond},
		{grant.Serial{Path: alias}, 20 * time.Millisecond},
		{grant.Serial{Path: "/dev/ttyACM7"}, 20 * time.Millisecond},
		{grant.Serial{Path: alias, Gap: 2 * time.Millisecond}, 2 * time.Millisecond},
		{grant.Serial{Path: "/dev/ttyS0"}, 0},
		{grant.Serial{Path: "/dev/ttyS0", Gap: time.Second}, time.Second},
	}
	for _, tt := range tests {
		if got := shortestGap(tt.g); got != tt.want {
			t.Errorf("%+v: got %v, want %v", tt.g, got, tt.want)
		}
	}
}

func TestPortCode(t *testing.T) {
	tests := map[bugst.PortErrorCode]driver.IOError{
		bugst.PortBusy:          driver.IOErrorBusy,
		bugst.PortNotFound:      driver.IOErrorNotFound,
		bugst.PermissionDenied:  driver.IOErrorDenied,
		bugst.PortClosed:        driver.IOErrorClosed,
		bugst.InvalidSpeed:      driver.IOErrorInvalid,
		bugst.InvalidParity:     driver.IOErrorInvalid,
		bugst.InvalidSerialPort: driver.IOErrorOther,
	}
	for code, want := range tests {
		if got := portCode(code); got != want {
			t.Errorf("%d: got %v, want %v", code, got, want)
		}
	}
	if coded(io.EOF) != io.EOF {
		t.Error("an error that is not the library's was changed")
	}
}
