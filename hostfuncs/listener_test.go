package hostfuncs

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/hostfuncs/grant"
)

// freeAddress is one of this machine that nobody listens on.
func freeAddress(t *testing.T) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return netip.MustParseAddrPort(l.Addr().String())
}

func listening(name string, at netip.AddrPort, from ...string) grant.Connection {
	l := &grant.Listener{Address: at}
	for _, text := range from {
		l.From = append(l.From, netip.MustParsePrefix(text))
	}
	return grant.Connection{Name: name, Listener: l}
}

// listen must give a listener.
func listen(t *testing.T, s *Session, name string) host.Listener {
	t.Helper()
	r := s.Listen(t.Context(), name)
	if r.Failed {
		t.Fatalf("listen: %v: %v", r.Err, s.LastError())
	}
	return r.Value
}

// call connects to a listener as a device does.
func call(t *testing.T, at netip.AddrPort) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	return conn
}

// accept must give the connection of a device.
func accept(t *testing.T, s *Session, l host.Listener, device net.Conn) host.Stream {
	t.Helper()
	r := l.Accept(t.Context(), long)
	if r.Failed {
		t.Fatalf("accept: %v: %v", r.Err, s.LastError())
	}
	if want := device.LocalAddr().String(); r.Value.F1 != want {
		t.Fatalf("accepted %s, want %s", r.Value.F1, want)
	}
	return r.Value.F0
}

// push has a device send a text, and the driver read it and answer.
func push(t *testing.T, s *Session, st host.Stream, device net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(device, text); err != nil {
		t.Fatal(err)
	}
	r := st.ReadFrame(t.Context(), 256, long, long, uint32(len(text)))
	if r.Failed || string(r.Value) != text {
		t.Fatalf("got %q, %v: %v", r.Value, r.Err, s.LastError())
	}
	done(t, s, st.Write(t.Context(), []byte("ok"), long))
	answer := make([]byte, 2)
	if _, err := io.ReadFull(device, answer); err != nil || string(answer) != "ok" {
		t.Fatalf("the device got %q, %v", answer, err)
	}
}

// ended says how the device's connection ended: it must.
func ended(t *testing.T, device net.Conn) {
	t.Helper()
	if n, err := device.Read(make([]byte, 1)); err == nil {
		t.Fatalf("the device got %d bytes", n)
	} else if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the connection is still open")
	}
}

func TestListener(t *testing.T) {
	at := freeAddress(t)
	c := channel(t, listening("push", at))
	s := c.Session(newSignals())
	l := listen(t, s, "push")
	failed(t, l.Accept(t.Context(), 0), driver.IOErrorTimeout)
	failed(t, s.Listen(t.Context(), "push"), driver.IOErrorBusy)
	device := call(t, at)
	st := accept(t, s, l, device)
	if st.Resumed(t.Context()) {
		t.Error("a new connection is resumed")
	}
	push(t, s, st, device, "42")
	other := call(t, at)
	l.Drop(t.Context())
	ended(t, other)
	failed(t, l.Accept(t.Context(), long), driver.IOErrorClosed)
	push(t, s, st, device, "the connection outlives the listener")
	st.Drop(t.Context())
	ended(t, device)
	if n := c.OpenLines(); n != 0 {
		t.Errorf("%d are open", n)
	}
	if _, err := net.Dial("tcp", at.String()); err == nil {
		t.Error("somebody listens")
	}
}

// TestListenerTurnsAway: who is not among those that may connect is closed, and counted.
func TestListenerTurnsAway(t *testing.T) {
	shut, open := freeAddress(t), freeAddress(t)
	c := channel(t, listening("shut", shut, "10.0.0.0/8", "::/0"), listening("open", open, "127.0.0.1/32"))
	s := c.Session(newSignals())
	l := listen(t, s, "shut")
	ended(t, call(t, shut))
	failed(t, l.Accept(t.Context(), 0), driver.IOErrorTimeout)
	l = listen(t, s, "open")
	device := call(t, open)
	push(t, s, accept(t, s, l, device), device, "42")
	if denied, _ := c.Dropped(); denied != 1 {
		t.Errorf("%d were turned away", denied)
	}
}

func TestListenWhereSomebodyDoes(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	at := netip.MustParseAddrPort(taken.Addr().String())
	c := channel(t, listening("push", at), tcp("main", at.String()))
	heard := newSignals()
	s := c.Session(heard)
	failed(t, s.Listen(t.Context(), "push"), driver.IOErrorBusy)
	if err := s.LastError(); err == nil || !strings.Contains(err.Error(), `listen on "push"`) {
		t.Errorf("the error is %v", err)
	}
	failed(t, s.Listen(t.Context(), "main"), driver.IOErrorNotFound)
	if n := c.OpenLines(); n != 0 || len(heard.denied) != 1 {
		t.Errorf("%d are open, heard %q", n, heard.denied)
	}
}

// TestListenerIsTakenOver: the one that yields leaves its listener, those who wait there, and the connections that it
// has accepted, which come first.
func TestListenerIsTakenOver(t *testing.T) {
	at := freeAddress(t)
	c := channel(t, listening("push", at))
	asked := newSignals()
	first := c.Session(asked)
	l := listen(t, first, "push")
	device := call(t, at)
	st := accept(t, first, l, device)
	push(t, first, st, device, "1")
	gone := call(t, at)
	accept(t, first, l, gone)
	asked.ask()
	failed(t, l.Accept(t.Context(), long), driver.IOErrorCancelled)
	waiting := call(t, at)
	if err := first.Close(true); err != nil {
		t.Fatal(err)
	}
	_ = gone.(*net.TCPConn).SetLinger(0)
	_ = gone.Close()
	second := c.Session(newSignals())
	l = listen(t, second, "push")
	var resumed host.Stream
	for resumed == nil {
		r := l.Accept(t.Context(), long)
		if r.Failed {
			t.Fatal(r.Err, second.LastError())
		}
		// The one that is gone may come as well: its end is heard of when it is read.
		if r.Value.F1 == device.LocalAddr().String() {
			resumed = r.Value.F0
			continue
		}
		r.Value.F0.Drop(t.Context())
	}
	if !resumed.Resumed(t.Context()) {
		t.Error("the connection is a new one")
	}
	push(t, second, resumed, device, "2")
	for {
		r := l.Accept(t.Context(), long)
		if r.Failed {
			t.Fatal(r.Err, second.LastError())
		}
		if r.Value.F1 == waiting.LocalAddr().String() {
			push(t, second, r.Value.F0, waiting, "3")
			break
		}
	}
	if err := second.Close(false); err != nil {
		t.Error(err)
	}
	ended(t, device)
	ended(t, waiting)
	if n := c.OpenLines(); n != 0 {
		t.Errorf("%d are open", n)
	}
}

// TestListenerIsBounded: who does not accept has a bounded number of connections waiting, and streams count.
func TestListenerIsBounded(t *testing.T) {
	at := freeAddress(t)
	c := channel(t, listening("push", at))
	heard := newSignals()
	s := c.Session(heard)
	l := listen(t, s, "push")
	var devices []net.Conn
	for range 20 {
		devices = append(devices, call(t, at))
	}
	for i := range 15 {
		accept(t, s, l, devices[i])
	}
	failed(t, l.Accept(t.Context(), long), driver.IOErrorBusy)
	if heard.refused != 1 {
		t.Errorf("heard %d", heard.refused)
	}
	if err := s.Close(false); err != nil {
		t.Error(err)
	}
	for _, d := range devices {
		ended(t, d)
	}
}

// TestListenerStops: a stop ends the call that waits.
func TestListenerStops(t *testing.T) {
	c := channel(t, listening("push", freeAddress(t)))
	s := c.Session(newSignals())
	l := listen(t, s, "push")
	ctx, stop := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, stop)
	failed(t, l.Accept(ctx, long), driver.IOErrorCancelled)
}
