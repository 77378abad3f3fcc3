package stream

import (
	"context"
	"errors"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/abi/driver"
)

func TestWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		s, _ := opened(t, d)
		data := []byte(strings.Repeat("0123456789", 100)) // The device takes 100 bytes at a time.
		want := string(data)
		wantDone(t, s.Write(t.Context(), data, ns(time.Second)))
		clear(data) // It is the guest's memory.
		wantDone(t, s.Write(t.Context(), nil, 0))
		if got := d.sent(); got != want {
			t.Errorf("sent %q", got)
		}
		if s.line.Dirty() {
			t.Error("dirty after a write that was done")
		}
	})
}

func TestWriteWithoutWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.full = make(chan struct{}, 1)
		s, _ := opened(t, d)
		synctest.Wait()
		data := []byte("abc")
		wantDone(t, s.Write(t.Context(), data, 0))
		clear(data)
		if !s.line.Dirty() {
			t.Error("clean with a write that is not at its end")
		}
		wantErr(t, s.Write(t.Context(), []byte("def"), 0), driver.IOErrorStuck)
		d.full <- struct{}{}
		synctest.Wait()
		if got := d.sent(); got != "abc" || s.line.Dirty() {
			t.Errorf("sent %q, dirty: %v", got, s.line.Dirty())
		}
	})
}

// A connection whose peer takes nothing: the write is ended, and the connection is of no use any more.
func TestWriteCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.full = make(chan struct{}, 1)
		d.full <- struct{}{}
		s, _ := opened(t, d)
		wantErr(t, s.Write(t.Context(), make([]byte, 1000), ns(time.Second)), driver.IOErrorTimeout)
		if !s.line.Dirty() {
			t.Error("clean")
		}
		wantErr(t, s.Read(t.Context(), 1, ns(time.Second)), driver.IOErrorClosed)
		wantErr(t, s.Write(t.Context(), []byte("x"), ns(time.Second)), driver.IOErrorClosed)
		if err := s.line.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A serial port that takes nothing, and whose write cannot be ended.
func TestWriteStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.full, d.stiff, d.lasting, d.tick = make(chan struct{}, 10), true, true, 50*ms
		s, _ := opened(t, d)
		wantErr(t, s.Write(t.Context(), make([]byte, 1000), ns(time.Second)), driver.IOErrorTimeout)
		wantErr(t, s.Write(t.Context(), []byte("x"), ns(time.Second)), driver.IOErrorStuck)
		wantErr(t, s.Drain(t.Context(), ns(time.Second)), driver.IOErrorStuck)
		d.in <- []byte("abc")
		wantBytes(t, s.Read(t.Context(), 9, ns(time.Second)), "abc") // It still reads.

		d.full <- struct{}{} // The device takes what it was given: the rest is not sent.
		synctest.Wait()
		wantDone(t, s.Write(context.Background(), []byte("y"), 0))
		d.full <- struct{}{}
		synctest.Wait()
		if got := d.sent(); got != string(make([]byte, 100))+"y" {
			t.Errorf("sent %q", got)
		}
		if !s.line.Dirty() {
			t.Error("clean after a write that was cut off")
		}

		wantErr(t, s.Write(t.Context(), []byte("z"), ns(time.Second)), driver.IOErrorTimeout)
		start := time.Now()
		if err := s.line.Close(); !errors.Is(err, ErrStuck) || time.Since(start) != closeGrace {
			t.Errorf("closed with %v after %v", err, time.Since(start))
		}
		if d.isClosed() {
			t.Error("the device was closed under a write")
		}
		d.full <- struct{}{}
		<-s.line.Done()
		if !d.isClosed() {
			t.Error("the device is still open")
		}
		if err := s.line.Close(); err != nil {
			t.Error(err)
		}
	})
}

func TestWriteFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.writeErr = syscall.EPIPE
		s, owner := opened(t, d)
		wantErr(t, s.Write(t.Context(), []byte("x"), ns(time.Second)), driver.IOErrorClosed)
		if !errors.Is(owner.last, syscall.EPIPE) {
			t.Errorf("the error behind it is %v", owner.last)
		}
		wantErr(t, s.Read(t.Context(), 1, ns(time.Second)), driver.IOErrorClosed)
	})
}

// A write that is stopped before it began has sent nothing and leaves the line clean.
func TestWriteAfterStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		s, _ := opened(t, d)
		ctx, stop := context.WithCancel(t.Context())
		stop()
		wantErr(t, s.Write(ctx, []byte("x"), ns(time.Second)), driver.IOErrorCancelled)
		if s.line.Dirty() || d.sent() != "" {
			t.Errorf("dirty: %v, sent %q", s.line.Dirty(), d.sent())
		}
	})
}

// A yield does not cut off a write that the device is about to take.
func TestYieldSparesAShortWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.full = make(chan struct{})
		s, owner := opened(t, d)
		synctest.Wait()
		close(owner.yield)
		time.AfterFunc(writeGrace/2, func() { d.full <- struct{}{} })
		wantDone(t, s.Write(t.Context(), []byte("x"), ns(time.Minute)))
		start := time.Now()
		wantErr(t, s.Write(t.Context(), []byte("y"), ns(time.Minute)), driver.IOErrorCancelled)
		if took := time.Since(start); took != writeGrace {
			t.Errorf("ended after %v", took)
		}
	})
}

func TestTask(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, owner := opened(t, newDevice())
		broken := errors.New("no such lines")
		wantErr(t, s.Do(t.Context(), "try", time.Second, func(Device) error { return broken }), driver.IOErrorOther)
		if !errors.Is(owner.last, broken) || s.line.Err() != nil {
			t.Errorf("the error behind it is %v, the line's %v", owner.last, s.line.Err())
		}
		wait := func(Device) error { time.Sleep(time.Second); return nil }
		wantErr(t, s.Do(t.Context(), "wait", ms, wait), driver.IOErrorTimeout)
		if s.line.Dirty() {
			t.Error("dirty without a write")
		}
		wantErr(t, s.Write(t.Context(), []byte("x"), ns(ms)), driver.IOErrorStuck)
		wantDone(t, s.Write(t.Context(), []byte("x"), ns(time.Second)))
	})
}
