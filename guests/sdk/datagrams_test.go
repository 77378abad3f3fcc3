package sdk_test

import (
	"errors"
	"testing"
	"time"

	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

func TestDatagrams(t *testing.T) {
	host := sdktest.New(t)
	bus := host.Socket("bus", func(to string, data []byte) []sdktest.Datagram {
		return []sdktest.Datagram{{After: 100 * time.Millisecond, Source: to, Data: append([]byte("re "), data...)}}
	})
	host.Socket("10.0.0.5:47808", nil)
	ctx := host.Context(sdk.Config{})
	d, err := ctx.Bind("bus")
	if err != nil || d.Name() != "bus" {
		t.Fatal(d, err)
	}
	if err := d.Send([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Receive(50 * time.Millisecond); !errors.Is(err, sdk.ErrTimeout) {
		t.Errorf("too soon: %v", err)
	}
	if p, err := d.Receive(sdk.Forever); err != nil || string(p.Data) != "re hello" || p.Source != "bus" {
		t.Errorf("got %q from %s, %v", p.Data, p.Source, err)
	}
	if host.Elapsed() != 100*time.Millisecond {
		t.Errorf("it took %v", host.Elapsed())
	}
	if err := d.SendTo("10.0.0.9:47808\xff", []byte("you")); err != nil || bus.Sent()[1].Source != "10.0.0.9:47808\uFFFD" {
		t.Errorf("%v, %+v", err, bus.Sent())
	}
	bus.Denied = []string{"10.0.0.8:1"}
	for want, err := range map[error]error{
		sdk.ErrDenied:   d.SendTo("10.0.0.8:1", nil),
		sdk.ErrInvalid:  d.Send(make([]byte, sdk.MaxDatagram+1)),
		sdk.ErrNotFound: errorOf(ctx.Bind("other")),
		sdk.ErrBusy:     errorOf(ctx.Bind("bus")),
	} {
		if !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
	if _, err := ctx.BindAddress("10.0.0.5:47808"); err != nil {
		t.Error(err)
	}
	if _, err := ctx.BindAddress("10.0.0.6:47808"); !errors.Is(err, sdk.ErrDenied) {
		t.Error(err)
	}
	if err := d.Close(); err != nil || bus.Open() {
		t.Errorf("%v, it is open: %t", err, bus.Open())
	}
	if _, err := d.Receive(0); !errors.Is(err, sdk.ErrClosed) || !errors.Is(d.Send(nil), sdk.ErrClosed) || !errors.Is(d.Close(), sdk.ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

// TestDatagramsYield: a yield ends a wait once, and within Hold not at all; a stop does.
func TestDatagramsYield(t *testing.T) {
	host := sdktest.New(t)
	bus := host.Socket("bus", nil)
	ctx := host.Context(sdk.Config{})
	d, err := ctx.Bind("bus")
	if err != nil {
		t.Fatal(err)
	}
	host.At(time.Second, host.Yield)
	bus.Push(sdktest.Datagram{After: 2 * time.Second, Data: []byte("late")})
	ctx.Hold()
	if p, err := d.Receive(sdk.Forever); err != nil || string(p.Data) != "late" {
		t.Errorf("got %q, %v", p.Data, err)
	}
	ctx.Release()
	host.At(3*time.Second, host.Stop)
	if _, err := d.Receive(sdk.Forever); !errors.Is(err, sdk.ErrCancelled) || host.Elapsed() != 3*time.Second {
		t.Errorf("%v after %v", err, host.Elapsed())
	}
}

func TestListener(t *testing.T) {
	host := sdktest.New(t)
	door := host.Door("push")
	line := door.Call(time.Second, "10.0.0.9:4242", func(data []byte) []sdktest.Reply { return []sdktest.Reply{{Data: data}} })
	ctx := host.Context(sdk.Config{})
	l, err := ctx.Listen("push")
	if err != nil || l.Name() != "push" || !door.Open() {
		t.Fatal(l, err)
	}
	if _, _, err := l.Accept(0); !errors.Is(err, sdk.ErrTimeout) {
		t.Errorf("too soon: %v", err)
	}
	s, peer, err := l.Accept(sdk.Forever)
	if err != nil || peer != "10.0.0.9:4242" || s.Name() != "push from 10.0.0.9:4242" || host.Elapsed() != time.Second {
		t.Fatal(peer, err)
	}
	buf := make([]byte, 8)
	if _, err := s.Write([]byte("ping")); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Read(buf); err != nil || string(buf[:n]) != "ping" {
		t.Errorf("got %q, %v", buf[:n], err)
	}
	if err := s.Close(); err != nil || line.Open() {
		t.Errorf("%v, the line is open: %t", err, line.Open())
	}
	host.At(2*time.Second, host.Stop)
	if _, _, err := l.Accept(sdk.Forever); !errors.Is(err, sdk.ErrCancelled) {
		t.Error(err)
	}
	if _, err := ctx.Listen("other"); !errors.Is(err, sdk.ErrNotFound) {
		t.Error(err)
	}
	door.Err = sdk.ErrBusy
	if _, err := ctx.Listen("push"); !errors.Is(err, sdk.ErrBusy) {
		t.Error(err)
	}
	if err := l.Close(); err != nil || door.Open() || !errors.Is(l.Close(), sdk.ErrClosed) {
		t.Errorf("%v, it is open: %t", err, door.Open())
	}
	if _, _, err := l.Accept(0); !errors.Is(err, sdk.ErrClosed) {
		t.Error(err)
	}
}

func errorOf[T any](_ T, err error) error { return err }
