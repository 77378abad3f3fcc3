package sdk_test

import (
	"bytes"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

const ms = time.Millisecond

func connections() sdk.Config {
	return sdk.Config{Connections: []sdk.Connection{
		{Name: "port", Kind: driver.ConnectionKindSerial},
		{Name: "plc", Kind: driver.ConnectionKindTCP},
		{Name: "cloud", Kind: driver.ConnectionKindUDP},
	}}
}

// open returns a stream to a device on a fake host.
func open(t *testing.T, device sdktest.Device) (*sdktest.Host, *sdktest.Line, *sdk.Context, *sdk.Stream) {
	t.Helper()
	h := sdktest.New(t)
	l := h.Connect("plc", driver.ConnectionKindTCP, device)
	ctx := h.Context(connections())
	s, err := ctx.Open("plc")
	if err != nil {
		t.Fatal(err)
	}
	return h, l, ctx, s
}

func TestOpen(t *testing.T) {
	h := sdktest.New(t)
	port := h.Connect("port", driver.ConnectionKindSerial, nil)
	plc := h.Connect("plc", driver.ConnectionKindTCP, nil)
	address := h.Connect("10.0.0.5:502", driver.ConnectionKindTCP, nil)
	ctx := h.Context(connections())
	for _, name := range []string{"port", "plc"} {
		if s, err := ctx.Open(name); err != nil || s.Name() != name {
			t.Errorf("open %s: %v", name, err)
		}
	}
	if _, err := ctx.DialAddress("10.0.0.5:502"); err != nil {
		t.Error(err)
	}
	if !port.Open() || !plc.Open() || !address.Open() {
		t.Error("a line is not open")
	}
	for name, want := range map[string]error{
		"nothing": sdk.ErrNotFound, "": sdk.ErrNotFound, "cloud": sdk.ErrInvalid, "plc": sdk.ErrBusy,
	} {
		if _, err := ctx.Open(name); !errors.Is(err, want) {
			t.Errorf("open %q: %v, not %v", name, err, want)
		}
	}
}

func TestOpenTheOnlyConnection(t *testing.T) {
	h := sdktest.New(t)
	h.Connect("port", driver.ConnectionKindSerial, nil)
	ctx := h.Context(sdk.Config{Connections: connections().Connections[:1]})
	if s, err := ctx.Open(""); err != nil || s.Name() != "port" {
		t.Error(err)
	}
}

func TestReady(t *testing.T) {
	h, l, _, s := open(t, nil)
	l.ReadyAfter = 0
	_ = s.Close()
	l.ReadyAfter = 300 * ms
	s, err := h.Context(connections()).Open("plc")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Ready(100 * ms); err != sdk.ErrTimeout || h.Elapsed() != 100*ms {
		t.Errorf("%v after %v", err, h.Elapsed())
	}
	if err := s.Ready(sdk.Forever); err != nil || h.Elapsed() != 300*ms {
		t.Errorf("%v after %v", err, h.Elapsed())
	}
	l.ReadyErr = sdk.ErrRefused
	if err := s.Ready(0); err != sdk.ErrRefused {
		t.Error(err)
	}
}

func TestReadAndWrite(t *testing.T) {
	h, l, _, s := open(t, func(request []byte) []sdktest.Reply {
		return []sdktest.Reply{{After: 10 * ms, Data: bytes.ToUpper(request)}}
	})
	if n, err := s.Write([]byte("hello")); n != 5 || err != nil {
		t.Fatal(n, err)
	}
	var buf [3]byte
	if n, err := s.Read(buf[:]); string(buf[:n]) != "HEL" || err != nil || h.Elapsed() != 10*ms {
		t.Errorf("%q, %v after %v", buf[:n], err, h.Elapsed())
	}
	if n, err := s.Read(buf[:]); string(buf[:n]) != "LO" || err != nil {
		t.Errorf("%q, %v", buf[:n], err)
	}
	if n, err := s.Read(nil); n != 0 || err != nil {
		t.Error(n, err)
	}
	if got := l.Written(); len(got) != 1 || string(got[0]) != "hello" {
		t.Errorf("written %q", got)
	}
}

func TestWriteIsSplit(t *testing.T) {
	_, l, _, s := open(t, nil)
	data := bytes.Repeat([]byte("0123456"), 20000)
	if n, err := s.Write(data); n != len(data) || err != nil {
		t.Fatal(n, err)
	}
	if got := l.Written(); len(got) != 3 || !bytes.Equal(bytes.Join(got, nil), data) {
		t.Errorf("%d writes", len(got))
	}
	if n, err := s.Write(nil); n != 0 || err != nil || len(l.Written()) != 3 {
		t.Error("an empty write reached the host", n, err)
	}
}

func TestDeadlines(t *testing.T) {
	h, l, ctx, s := open(t, nil)
	var buf [8]byte
	_ = s.SetReadDeadline(ctx.Now().Add(50 * ms))
	if _, err := s.Read(buf[:]); !errors.Is(err, os.ErrDeadlineExceeded) || h.Elapsed() != 50*ms {
		t.Errorf("%v after %v", err, h.Elapsed())
	}
	if _, err := s.Read(buf[:]); err != sdk.ErrTimeout || h.Elapsed() != 50*ms {
		t.Errorf("in the past: %v after %v", err, h.Elapsed())
	}
	l.Push(sdktest.Reply{Data: []byte("x")})
	if n, err := s.Read(buf[:]); n != 1 || err != nil {
		t.Errorf("in the past, with a byte there: %d, %v", n, err)
	}
	_ = s.SetDeadline(time.Time{})
	l.Push(sdktest.Reply{After: time.Hour, Data: []byte("late")})
	if n, err := s.Read(buf[:]); n != 4 || err != nil {
		t.Errorf("without: %d, %v", n, err)
	}
}

func TestEndOfStream(t *testing.T) {
	_, l, _, s := open(t, nil)
	l.Push(sdktest.Reply{Data: []byte("bye"), Err: sdk.ErrClosed})
	var buf [8]byte
	if n, err := io.ReadFull(s, buf[:]); n != 3 || !errors.Is(err, io.EOF) || !errors.Is(err, sdk.ErrClosed) {
		t.Errorf("%d, %v", n, err)
	}
	if _, err := s.Write([]byte("x")); err != sdk.ErrClosed {
		t.Error(err)
	}
}

func TestClose(t *testing.T) {
	_, l, ctx, s := open(t, nil)
	if err := s.Close(); err != nil || l.Open() {
		t.Fatal(err)
	}
	var buf [8]byte
	_, read := s.Read(buf[:])
	_, frame := s.ReadFrame(buf[:], 0, 0, 0)
	_, write := s.Write(buf[:])
	_, mode := s.Mode()
	_, lines := s.Lines()
	for i, err := range []error{
		read, frame, write, mode, lines, s.Close(), s.Flush(), s.Drain(0), s.Ready(0), s.SetDeadline(time.Time{}),
		s.SetReadDeadline(time.Time{}), s.SetWriteDeadline(time.Time{}), s.SetMode(driver.Mode{}), s.SetLines(true, true),
		s.SendBreak(0), s.SetRS485(driver.RS485{}),
	} {
		if err != sdk.ErrClosed {
			t.Errorf("%d: %v", i, err)
		}
	}
	if s.Resumed() {
		t.Error("resumed")
	}
	if e := ctx.Wait(time.Second, s); e.Kind != driver.EventTagReadable || e.Stream != s {
		t.Errorf("wait answers %v", e.Kind)
	}
}

func TestReadFrame(t *testing.T) {
	tests := []struct {
		name    string
		replies []sdktest.Reply
		expect  int
		want    string
		err     error
		after   time.Duration
	}{
		{"by the gap", []sdktest.Reply{{After: 10 * ms, Data: []byte("ab")}, {After: 14 * ms, Data: []byte("cd")}}, 0, "abcd", nil, 19 * ms},
		{"by length", []sdktest.Reply{{After: 10 * ms, Data: []byte("ab")}, {After: 14 * ms, Data: []byte("cd")}}, 4, "abcd", nil, 14 * ms},
		{"short", []sdktest.Reply{{After: 10 * ms, Data: []byte("ab")}}, 4, "ab", nil, 15 * ms},
		{"two frames", []sdktest.Reply{{After: 10 * ms, Data: []byte("ab")}, {After: 16 * ms, Data: []byte("cd")}}, 0, "ab", nil, 15 * ms},
		{"full", []sdktest.Reply{{After: 10 * ms, Data: []byte("0123456789")}}, 0, "01234567", nil, 10 * ms},
		{"nothing", nil, 4, "", sdk.ErrTimeout, 100 * ms},
		{"broken", []sdktest.Reply{{After: 10 * ms, Err: sdk.ErrReset}}, 4, "", sdk.ErrReset, 10 * ms},
		{"broken within", []sdktest.Reply{{After: 10 * ms, Data: []byte("a")}, {After: 12 * ms, Err: sdk.ErrReset}}, 4, "a", nil, 12 * ms},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h, l, _, s := open(t, nil)
			l.Push(tt.replies...)
			var buf [8]byte
			n, err := s.ReadFrame(buf[:], 100*ms, 5*ms, tt.expect)
			if string(buf[:n]) != tt.want || err != tt.err || h.Elapsed() != tt.after {
				t.Errorf("%q, %v after %v", buf[:n], err, h.Elapsed())
			}
		})
	}
}

func TestReadFrameRefuses(t *testing.T) {
	_, _, _, s := open(t, nil)
	for _, expect := range []int{-1, 9} {
		if _, err := s.ReadFrame(make([]byte, 8), 0, 0, expect); err != sdk.ErrInvalid {
			t.Errorf("expect %d: %v", expect, err)
		}
	}
	if _, err := s.ReadFrame(nil, 0, 0, 0); err != sdk.ErrInvalid {
		t.Error(err)
	}
}

func TestFlush(t *testing.T) {
	_, l, _, s := open(t, nil)
	l.Push(sdktest.Reply{Data: []byte("stale")}, sdktest.Reply{After: ms, Data: []byte("fresh")})
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	var buf [8]byte
	if n, err := s.Read(buf[:]); string(buf[:n]) != "fresh" || err != nil {
		t.Errorf("%q, %v", buf[:n], err)
	}
}

// TestInterruption has an answer come 100 ms after a request, and the host want the session to end before.
func TestInterruption(t *testing.T) {
	yield, stop := (*sdktest.Host).Yield, (*sdktest.Host).Stop
	tests := []struct {
		name  string
		ask   func(*sdktest.Host)
		held  bool
		err   error
		after time.Duration
	}{
		{"yield", yield, false, sdk.ErrCancelled, 50 * ms},
		{"yield, held", yield, true, nil, 100 * ms},
		{"stop", stop, false, sdk.ErrCancelled, 50 * ms},
		{"stop, held", stop, true, sdk.ErrCancelled, 50 * ms},
		{"yield, then stop, held", func(h *sdktest.Host) { h.Yield(); h.After(20*ms, h.Stop) }, true, sdk.ErrCancelled, 70 * ms},
	}
	reads := map[string]func(*sdk.Stream, []byte) (int, error){
		"read":  func(s *sdk.Stream, buf []byte) (int, error) { return s.Read(buf) },
		"frame": func(s *sdk.Stream, buf []byte) (int, error) { return s.ReadFrame(buf, time.Second, 5*ms, 6) },
	}
	for _, tt := range tests {
		for name, read := range reads {
			t.Run(tt.name+", "+name, func(t *testing.T) {
				h, l, ctx, s := open(t, nil)
				l.Push(sdktest.Reply{After: 100 * ms, Data: []byte("answer")})
				h.At(50*ms, func() { tt.ask(h) })
				if tt.held {
					ctx.Hold()
					defer ctx.Release()
				}
				var buf [8]byte
				_, err := read(s, buf[:])
				if err != tt.err || h.Elapsed() != tt.after {
					t.Errorf("%v after %v", err, h.Elapsed())
				}
			})
		}
	}
}

// TestHeldTimeout sees that going on after a yield does not give a read more time.
func TestHeldTimeout(t *testing.T) {
	h, _, ctx, s := open(t, nil)
	h.At(50*ms, h.Yield)
	ctx.Hold()
	var buf [8]byte
	if _, err := s.ReadFrame(buf[:], 80*ms, ms, 0); err != sdk.ErrTimeout || h.Elapsed() != 80*ms {
		t.Errorf("%v after %v", err, h.Elapsed())
	}
}

func TestSerial(t *testing.T) {
	h := sdktest.New(t)
	l := h.Connect("port", driver.ConnectionKindSerial, nil)
	l.Mode = driver.Mode{Baud: 9600, DataBits: 8}
	s, err := h.Context(connections()).Open("port")
	if err != nil {
		t.Fatal(err)
	}
	if m, err := s.Mode(); err != nil || m.Baud != 9600 {
		t.Error(m, err)
	}
	if err := s.SetMode(driver.Mode{Baud: 19200}); err != nil || l.Mode.Baud != 19200 {
		t.Error(err)
	}
	if err := s.SetLines(true, false); err != sdk.ErrOther {
		t.Error(err)
	}
	if _, err := s.Lines(); err != sdk.ErrOther {
		t.Error(err)
	}
	if err := s.SendBreak(3 * ms); err != nil || h.Elapsed() != 3*ms {
		t.Error(err, h.Elapsed())
	}
	if err := s.SetRS485(driver.RS485{Enabled: true}); err != nil {
		t.Error(err)
	}
	if err := s.Drain(0); err != nil {
		t.Error(err)
	}
}

func TestNotSerial(t *testing.T) {
	_, _, _, s := open(t, nil)
	_, mode := s.Mode()
	_, lines := s.Lines()
	for i, err := range []error{mode, lines, s.SetMode(driver.Mode{}), s.SetLines(true, true), s.SendBreak(0), s.SetRS485(driver.RS485{})} {
		if err != sdk.ErrInvalid {
			t.Errorf("%d: %v", i, err)
		}
	}
}

// FuzzReadFrame splits a frame anyhow, with pauses below the gap: it is read as one.
func FuzzReadFrame(f *testing.F) {
	f.Add([]byte("hello world"), uint8(3), uint8(4))
	f.Add([]byte{0}, uint8(1), uint8(0))
	f.Fuzz(func(t *testing.T, frame []byte, size, pause uint8) {
		if len(frame) == 0 || len(frame) > 128 {
			return
		}
		_, l, _, s := open(t, nil)
		after := time.Duration(0)
		for rest := frame; len(rest) > 0; after += time.Duration(pause%5) * ms {
			n := min(len(rest), int(size)+1)
			l.Push(sdktest.Reply{After: after, Data: rest[:n]})
			rest = rest[n:]
		}
		buf := make([]byte, 2048)
		n, err := s.ReadFrame(buf, time.Second, 5*ms, 0)
		if err != nil || !bytes.Equal(buf[:n], frame) {
			t.Errorf("%d of %d bytes, %v", n, len(frame), err)
		}
	})
}
