package serial

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	bugst "go.bug.st/serial"
	"golang.org/x/sys/unix"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
	"github.com/droverhq/drover/hostfuncs/stream"
)

func TestReadAndWrite(t *testing.T) {
	p := ports(t)
	device, path := line(t)
	port := open(t, p, path)
	start := time.Now()
	if n, err := port.Read(make([]byte, 8)); n != 0 || err != nil || time.Since(start) < tick {
		t.Fatalf("a read of nothing: %d, %v after %v", n, err, time.Since(start))
	}
	if n, err := port.Write([]byte("abc\n")); n != 4 || err != nil {
		t.Fatalf("write: %d, %v", n, err)
	}
	if err := port.Drain(); err != nil {
		t.Fatal(err)
	}
	if got, err := bufio.NewReader(device).ReadString('\n'); got != "abc\n" || err != nil {
		t.Fatalf("the device got %q, %v", got, err)
	}
}

func TestModes(t *testing.T) {
	p := ports(t)
	device, path := line(t)
	port := open(t, p, path)
	const chars = unix.CSIZE | unix.PARENB | unix.PARODD | unix.CMSPAR | unix.CSTOPB
	tests := []struct {
		mode  driver.Mode
		speed uint32
		chars uint32
	}{
		{driver.Mode{Baud: 9600, DataBits: 8}, unix.B9600, unix.CS8},
		{driver.Mode{Baud: 19200, DataBits: 8, Parity: driver.ParityEven}, unix.B19200, unix.CS8 | unix.PARENB},
		{driver.Mode{Baud: 115200, DataBits: 7, Parity: driver.ParityOdd}, unix.B115200, unix.CS7 | unix.PARENB | unix.PARODD},
		{driver.Mode{Baud: 1200, DataBits: 5, StopBits: driver.StopBitsTwo}, unix.B1200, unix.CS5 | unix.CSTOPB},
		{driver.Mode{Baud: 2400, DataBits: 6, Parity: driver.ParityMark}, unix.B2400, unix.CS6 | unix.PARENB | unix.PARODD | unix.CMSPAR},
		{driver.Mode{Baud: 2400, DataBits: 8, Parity: driver.ParitySpace}, unix.B2400, unix.CS8 | unix.PARENB | unix.CMSPAR},
	}
	for _, tt := range tests {
		if err := port.SetMode(tt.mode); err != nil {
			t.Fatalf("%+v: %v", tt.mode, err)
		}
		if got := port.Mode(); got != tt.mode {
			t.Errorf("mode %+v, want %+v", got, tt.mode)
		}
		// The two ends of a pseudo-terminal share these settings. The kernel has no parity there: it keeps CS8 and
		// clears PARENB, so that only what it keeps can be compared.
		got, err := unix.IoctlGetTermios(int(device.Fd()), unix.TCGETS)
		if err != nil {
			t.Fatal(err)
		}
		const kept = chars &^ (unix.CSIZE | unix.PARENB)
		if got.Cflag&kept != tt.chars&kept || got.Cflag&unix.CBAUD != tt.speed {
			t.Errorf("%+v: flags %o, want %o and speed %o", tt.mode, got.Cflag, tt.chars, tt.speed)
		}
	}
	wantCode(t, port.SetMode(driver.Mode{Baud: 9600, DataBits: 9}), driver.IOErrorInvalid)
	wantCode(t, port.SetMode(driver.Mode{DataBits: 8}), driver.IOErrorInvalid)
	wantCode(t, port.SetMode(driver.Mode{Baud: 1, DataBits: 8, StopBits: driver.StopBitsOneAndHalf}), driver.IOErrorInvalid)
	if got, want := port.Mode(), tests[len(tests)-1].mode; got != want {
		t.Errorf("a mode that was refused is told: %+v", got)
	}
}

// Speeds that have no name of their own are set too.
func TestOddSpeed(t *testing.T) {
	p := ports(t)
	device, path := line(t)
	port := open(t, p, path)
	if err := port.SetMode(driver.Mode{Baud: 12345, DataBits: 8}); err != nil {
		t.Fatal(err)
	}
	got, err := unix.IoctlGetTermios(int(device.Fd()), unix.TCGETS2)
	if err != nil || got.Ospeed != 12345 {
		t.Errorf("speed %d, %v", got.Ospeed, err)
	}
}

// A pseudo-terminal has no modem lines and no RS-485.
func TestLacksLines(t *testing.T) {
	p := ports(t)
	_, path := line(t)
	port := open(t, p, path)
	wantCode(t, port.SetLines(driver.OutputLines{DTR: true}), driver.IOErrorOther)
	_, err := port.Lines()
	wantCode(t, err, driver.IOErrorOther)
	wantCode(t, port.SetRS485(driver.RS485{Enabled: true}), driver.IOErrorOther)
}

func TestKernelRS485(t *testing.T) {
	tests := []struct {
		mode driver.RS485
		want rs485
	}{
		{driver.RS485{}, rs485{flags: 4}},
		{driver.RS485{Enabled: true}, rs485{flags: 1 | 4}},
		{driver.RS485{Enabled: true, RTSOnSend: true, DelayBeforeSend: 1, DelayAfterSend: 2}, rs485{flags: 1 | 2, delayBefore: 1, delayAfter: 2}},
		{driver.RS485{Enabled: true, RTSOnSend: true, RxDuringTx: true}, rs485{flags: 1 | 2 | 16}},
	}
	for _, tt := range tests {
		if got := kernelRS485(tt.mode); got != tt.want {
			t.Errorf("%+v: got %+v, want %+v", tt.mode, got, tt.want)
		}
	}
}

// The library's port would use the number of its descriptor after Close, whatever file has it by then.
func TestUseAfterClose(t *testing.T) {
	p := ports(t)
	_, path := line(t)
	port := open(t, p, path)
	if err := port.Close(); err != nil {
		t.Fatal(err)
	}
	var victims []*os.File // They get the numbers that became free.
	for range 8 {
		f, err := os.CreateTemp(t.TempDir(), "victim")
		if err != nil {
			t.Fatal(err)
		}
		victims = append(victims, f)
	}
	_, err := port.Write([]byte("poison"))
	wantCode(t, err, driver.IOErrorClosed)
	_, err = port.Read(make([]byte, 8))
	wantCode(t, err, driver.IOErrorClosed)
	wantCode(t, port.Drain(), driver.IOErrorClosed)
	wantCode(t, port.Discard(), driver.IOErrorClosed)
	wantCode(t, port.Break(time.Hour), driver.IOErrorClosed)
	wantCode(t, port.SetMode(plain), driver.IOErrorClosed)
	wantCode(t, port.SetRS485(driver.RS485{}), driver.IOErrorClosed)
	port.Interrupt()
	for _, f := range victims {
		if info, err := f.Stat(); err != nil || info.Size() != 0 {
			t.Errorf("another file was written to: %v", err)
		}
		_ = f.Close()
	}
	if err := port.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestUnplugged(t *testing.T) {
	p := ports(t)
	device, path := line(t)
	l := stream.Open(opener(p, path))
	s := stream.New("main", l, owner{}, false)
	if r := s.Ready(t.Context(), uint64(time.Minute)); r.Failed {
		t.Fatal(l.Err())
	}
	if err := device.Close(); err != nil {
		t.Fatal(err)
	}
	if r := s.Read(t.Context(), 1, uint64(time.Minute)); r.Err != driver.IOErrorClosed {
		t.Errorf("read: %v (%v)", r.Err, l.Err())
	}
	if r := s.Write(t.Context(), []byte("x"), uint64(time.Minute)); r.Err != driver.IOErrorClosed {
		t.Errorf("write: %v (%v)", r.Err, l.Err())
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

// A device that takes no bytes: a stop ends the call at once, and discarding what waits ends the write.
func TestBlockedWrite(t *testing.T) {
	p := ports(t)
	_, path := line(t)
	port := open(t, p, path)
	l := blockWrite(t, port, path)
	if !l.Dirty() {
		t.Error("clean")
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	_ = open(t, p, path)
}

// stiff is a port whose driver does not let go of a write.
type stiff struct{ bugst.Port }

func (stiff) ResetOutputBuffer() error { return nil }

// A write that cannot be ended: a stop leaves it at once, and the port stays taken until it returns.
func TestStuckWrite(t *testing.T) {
	p := ports(t)
	device, path := line(t)
	port := open(t, p, path)
	port.native = stiff{port.native}
	l := blockWrite(t, port, path)
	if err := l.Close(); !errors.Is(err, stream.ErrStuck) {
		t.Fatalf("closed with %v", err)
	}
	_, err := p.Open(t.Context(), grant.Serial{Path: path, Mode: plain}, time.Time{})
	wantCode(t, err, driver.IOErrorStuck)

	read := make(chan struct{})
	go func() { // The device takes bytes again.
		defer close(read)
		_, _ = io.Copy(io.Discard, device) // It ends with the device.
	}()
	<-l.Done()
	_ = open(t, p, path)
	_ = device.Close()
	<-read
}

// blockWrite fills the port, has a write block, and stops it.
func blockWrite(t *testing.T, port *Port, path string) *stream.Line {
	t.Helper()
	fill(t, path)
	l := stream.Open(func(context.Context) (stream.Device, error) { return port, nil })
	s := stream.New("main", l, owner{}, false)
	if r := s.Ready(t.Context(), uint64(time.Minute)); r.Failed {
		t.Fatal(l.Err())
	}
	ctx, stop := context.WithCancel(t.Context())
	wrote := make(chan driver.IOError)
	go func() { wrote <- s.Write(ctx, make([]byte, 1000), uint64(time.Minute)).Err }()
	for port.busy.Load() == 0 {
		runtime.Gosched()
	}
	stop()
	if got := <-wrote; got != driver.IOErrorCancelled {
		t.Fatalf("ended with %v", got)
	}
	return l
}

// fill writes until the port takes nothing more, also after a while: the kernel moves what it took to the other end.
func fill(t *testing.T, path string) {
	t.Helper()
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	writable := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLOUT}}
	for {
		_, wrote := unix.Write(fd, make([]byte, 256))
		n, polled := unix.Poll(writable, 50)
		if wrote == unix.EAGAIN && polled == nil && n == 0 {
			return
		}
		if err := errors.Join(wrote, polled); err != nil && wrote != unix.EAGAIN && polled != unix.EINTR {
			t.Fatal(err)
		}
	}
}

// owner is a session that wants nothing.
type owner struct{}

func (owner) IOAllowed() bool        { return true }
func (owner) Yield() <-chan struct{} { return nil }
func (owner) YieldSeen()             {}
func (owner) Yielding() bool         { return false }
func (owner) Failed(stream.Failure)  {}
func (owner) Dropped(*stream.Stream) {}
