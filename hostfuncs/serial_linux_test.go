package hostfuncs

import (
	"context"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/hostfuncs/grant"
)

// line returns a pseudo-terminal: the end that plays the device, and the path of the port.
func line(t *testing.T) (device *os.File, path string) {
	t.Helper()
	device, port, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = device.Close()
		_ = port.Close()
	})
	return device, port.Name()
}

func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// port must give a port that is ready.
func port(t *testing.T, s *Session, name string) host.Stream {
	t.Helper()
	r := s.Open(t.Context(), name)
	if r.Failed {
		t.Fatalf("open: %v: %v", r.Err, s.LastError())
	}
	done(t, s, r.Value.Ready(t.Context(), long))
	return r.Value
}

func TestSerial(t *testing.T) {
	device, path := line(t)
	c := channel(t, grant.Connection{Name: "main", Serial: &grant.Serial{Path: path}})
	s := c.Session(newSignals())
	st := port(t, s, "main")
	ctx := t.Context()
	failed(t, s.Open(ctx, "main"), driver.IOErrorBusy)

	done(t, s, st.Write(ctx, []byte("question"), long))
	done(t, s, st.Drain(ctx, long))
	got := make([]byte, 8)
	if n, err := device.Read(got); err != nil || string(got[:n]) != "question" {
		t.Fatalf("the device got %q, %v", got[:n], err)
	}
	if _, err := device.WriteString("answer"); err != nil {
		t.Fatal(err)
	}
	if r := st.ReadFrame(ctx, 256, long, long, 6); r.Failed || string(r.Value) != "answer" {
		t.Fatalf("got %q, %v", r.Value, r.Err)
	}

	mode := driver.Mode{Baud: 19200, DataBits: 8, Parity: driver.ParityEven}
	if r := s.GetMode(ctx, st); r.Failed || r.Value != (driver.Mode{Baud: 9600, DataBits: 8}) {
		t.Errorf("mode %+v, %v", r.Value, r.Err)
	}
	done(t, s, s.SetMode(ctx, st, mode))
	if r := s.GetMode(ctx, st); r.Failed || r.Value != mode {
		t.Errorf("mode %+v, %v", r.Value, r.Err)
	}
	failed(t, s.SetMode(ctx, st, driver.Mode{}), driver.IOErrorInvalid)
	failed(t, s.SetLines(ctx, st, driver.OutputLines{DTR: true}), driver.IOErrorOther)
	failed(t, s.GetLines(ctx, st), driver.IOErrorOther)
	failed(t, s.SetRS485(ctx, st, driver.RS485{Enabled: true}), driver.IOErrorOther)
	failed(t, s.SendBreak(ctx, st, uint64(time.Hour)), driver.IOErrorInvalid)
	st.Drop(ctx)
	if n := c.node.OpenPorts(); n != 0 {
		t.Errorf("%d ports are open after the drop", n)
	}
	failed(t, s.GetMode(ctx, st), driver.IOErrorClosed)
}

// A new mode discards what was received in the old one.
func TestSetModeDiscards(t *testing.T) {
	device, path := line(t)
	s := channel(t, grant.Connection{Name: "main", Serial: &grant.Serial{Path: path}}).Session(newSignals())
	st := port(t, s, "main")
	readable := make(chan struct{}, 1)
	w := st.(interface {
		Readable() bool
		Notify(chan<- struct{})
	})
	w.Notify(readable)
	if _, err := device.WriteString("x"); err != nil {
		t.Fatal(err)
	}
	<-readable
	if !w.Readable() {
		t.Fatal("not readable")
	}
	done(t, s, s.SetMode(t.Context(), st, driver.Mode{Baud: 19200, DataBits: 8}))
	failed(t, st.Read(t.Context(), 10, 0), driver.IOErrorTimeout)
}

func TestMissingPort(t *testing.T) {
	c := channel(t, grant.Connection{Name: "main", Serial: &grant.Serial{Path: "/dev/ttyNone"}})
	s := c.Session(newSignals())
	r := s.Open(t.Context(), "main")
	if r.Failed {
		t.Fatal(r.Err)
	}
	failed(t, r.Value.Ready(t.Context(), long), driver.IOErrorNotFound)
	const want = `open "main": open /dev/ttyNone: no such file or directory`
	if err := s.LastError(); err == nil || err.Error() != want {
		t.Errorf("the error behind it is %v, want %v", err, want)
	}
	failed(t, s.GetMode(t.Context(), r.Value), driver.IOErrorNotFound)
}

// Two channels never hold one port.
func TestPortOfAnotherChannel(t *testing.T) {
	_, path := line(t)
	first := channel(t, grant.Connection{Name: "main", Serial: &grant.Serial{Path: path}})
	s := first.Session(newSignals())
	_ = port(t, s, "main")
	second, err := first.node.Channel("second", grant.Grants{
		Connections: []grant.Connection{{Name: "line", Serial: &grant.Serial{Path: path}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	other := second.Session(newSignals())
	r := other.Open(t.Context(), "line")
	failed(t, r.Value.Ready(t.Context(), long), driver.IOErrorBusy)
	if err := s.Close(false); err != nil {
		t.Fatal(err)
	}
	r.Value.Drop(t.Context())
	_ = port(t, other, "line")
}

func TestSerialTakeOver(t *testing.T) {
	device, path := line(t)
	c := channel(t, grant.Connection{Name: "main", Serial: &grant.Serial{Path: path}})
	old := c.Session(newSignals())
	_ = port(t, old, "main")
	if err := old.Close(true); err != nil {
		t.Fatal(err)
	}
	if _, err := device.WriteString("between"); err != nil {
		t.Fatal(err)
	}
	s := c.Session(newSignals())
	st := port(t, s, "main")
	if !st.Resumed(t.Context()) {
		t.Error("not resumed")
	}
	if r := st.ReadFrame(t.Context(), 100, long, long, 7); string(r.Value) != "between" {
		t.Errorf("got %q, %v", r.Value, r.Err)
	}
}

// A driver that keeps failing leaves nothing behind, whatever ends its sessions.
func TestNoFileStaysOpen(t *testing.T) {
	_, path := line(t)
	address := server(t, echo)
	c := channel(t, tcp("main", address), tcp("closed", "127.0.0.1:1"),
		grant.Connection{Name: "line", Serial: &grant.Serial{Path: path}},
		grant.Connection{Name: "none", Serial: &grant.Serial{Path: "/dev/ttyNone"}})
	before := openFiles(t)
	for range 3 {
		s := c.Session(newSignals())
		for _, name := range []string{"main", "closed"} {
			_ = connect(t, s, name).Ready(t.Context(), long)
		}
		for _, name := range []string{"line", "none"} {
			st := s.Open(t.Context(), name).Value
			_ = st.Ready(t.Context(), long)
			st.Drop(t.Context())
		}
		if err := s.Close(false); err != nil {
			t.Fatal(err)
		}
	}
	for openFiles(t) > before { // The server's side of the connections closes in its own time.
		runtime.Gosched()
	}
}

// blackHole returns an address that answers no connection request: its backlog is full.
func blackHole(t *testing.T) (address string) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	address = (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: name.(*unix.SockaddrInet4).Port}).String()
	for {
		c, err := net.DialTimeout("tcp", address, 200*time.Millisecond)
		if err != nil {
			return address
		}
		t.Cleanup(func() { _ = c.Close() })
	}
}

func TestBlackHole(t *testing.T) {
	address := blackHole(t)
	c := channel(t, tcp("main", address))
	s := c.Session(newSignals())
	st := connect(t, s, "main")
	failed(t, st.Ready(t.Context(), 0), driver.IOErrorTimeout)
	failed(t, st.Ready(t.Context(), uint64(10*time.Millisecond)), driver.IOErrorTimeout)
	ctx, stop := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, stop)
	start := time.Now()
	failed(t, st.Ready(ctx, long), driver.IOErrorCancelled)
	st.Drop(t.Context())
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	if n := c.OpenLines(); n != 0 {
		t.Errorf("%d lines are open", n)
	}
	if err := s.LastError(); err == nil || !strings.Contains(err.Error(), "cancelled") {
		t.Errorf("the error behind it is %v", err)
	}
}
