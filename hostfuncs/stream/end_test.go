package stream

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// succeeded is the code of a call that did not fail.
const succeeded = driver.IOError(255)

// blocking is every call that can block, as its code.
var blocking = map[string]func(context.Context, *Stream) driver.IOError{
	"ready": func(ctx context.Context, s *Stream) driver.IOError { return code(s.Ready(ctx, ns(time.Hour))) },
	"read":  func(ctx context.Context, s *Stream) driver.IOError { return code(s.Read(ctx, 9, ns(time.Hour))) },
	"read-frame": func(ctx context.Context, s *Stream) driver.IOError {
		return code(s.ReadFrame(ctx, 9, ns(time.Hour), ns(time.Hour), 0))
	},
	"write": func(ctx context.Context, s *Stream) driver.IOError {
		return code(s.Write(ctx, make([]byte, 1000), ns(time.Hour)))
	},
	"drain": func(ctx context.Context, s *Stream) driver.IOError { return code(s.Drain(ctx, ns(time.Hour))) },
}

func code[T any](r component.Result[T, driver.IOError]) driver.IOError {
	if r.Failed {
		return r.Err
	}
	return succeeded
}

// blocked returns a stream on which that call blocks: one that never opens for ready, a full device for the others.
func blocked(t *testing.T, call string) (*Stream, *session) {
	d := newDevice()
	d.full = make(chan struct{})
	s, owner := opened(t, d)
	if call == "ready" {
		line := Open(func(ctx context.Context) (Device, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		t.Cleanup(func() { _ = line.Close() })
		s = New("main", line, owner, false)
	}
	synctest.Wait()
	return s, owner
}

func TestEndsEachBlockingCall(t *testing.T) {
	tests := []struct {
		name string
		end  func(context.CancelFunc, *Stream, *session)
		want driver.IOError
	}{
		{"stop", func(stop context.CancelFunc, _ *Stream, _ *session) { stop() }, driver.IOErrorCancelled},
		{"yield", func(_ context.CancelFunc, _ *Stream, o *session) { close(o.yield) }, driver.IOErrorCancelled},
		{"close", func(_ context.CancelFunc, s *Stream, _ *session) { _ = s.line.Close() }, driver.IOErrorClosed},
	}
	for _, tt := range tests {
		for name, call := range blocking {
			t.Run(tt.name+" "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					s, owner := blocked(t, name)
					ctx, stop := context.WithCancel(t.Context())
					defer stop()
					time.AfterFunc(time.Minute, func() { tt.end(stop, s, owner) })
					start := time.Now()
					if got := call(ctx, s); got != tt.want {
						t.Errorf("ended with %v, want %v", got, tt.want)
					}
					if took := time.Since(start); took != time.Minute {
						t.Errorf("ended after %v", took)
					}
				})
			})
		}
	}
}

// The end of the phase's time for I/O looks like a timeout to the driver.
func TestPhaseDeadline(t *testing.T) {
	for name, call := range blocking {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, _ := blocked(t, name)
				ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
				defer stop()
				if got := call(ctx, s); got != driver.IOErrorTimeout {
					t.Errorf("ended with %v", got)
				}
			})
		})
	}
}

func TestYieldEndsOneCallOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		s, owner := opened(t, d)
		close(owner.yield)
		d.in <- []byte("ab")
		synctest.Wait()
		wantBytes(t, s.Read(t.Context(), 9, ns(time.Second)), "ab") // It does not block.
		wantErr(t, s.Read(t.Context(), 9, 0), driver.IOErrorTimeout)
		wantDone(t, s.Write(t.Context(), []byte("x"), ns(time.Second)))
		if owner.seen != 0 {
			t.Fatal("a call that did not block was ended")
		}
		start := time.Now()
		wantErr(t, s.Read(t.Context(), 9, ns(time.Second)), driver.IOErrorCancelled)
		if took := time.Since(start); took != 0 {
			t.Errorf("took %v", took)
		}
		wantErr(t, s.Read(t.Context(), 9, ns(time.Second)), driver.IOErrorTimeout)
		if owner.seen != 1 {
			t.Errorf("the yield was seen %d times", owner.seen)
		}
	})
}

// A driver that is asked to yield in the middle of a frame gets the whole of it with its next call.
func TestYieldLeavesTheFrame(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		s, owner := opened(t, d)
		d.arrive(piece{10 * ms, "ab"}, piece{10 * ms, "cd"})
		time.AfterFunc(15*ms, func() { close(owner.yield) })
		wantErr(t, s.ReadFrame(t.Context(), 9, ns(time.Second), ns(12*ms), 0), driver.IOErrorCancelled)
		start := time.Now()
		wantBytes(t, s.ReadFrame(t.Context(), 9, ns(time.Second), ns(12*ms), 0), "abcd")
		if took := time.Since(start); took != 17*ms {
			t.Errorf("took %v", took)
		}
	})
}

func TestOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		line := Open(func(context.Context) (Device, error) {
			time.Sleep(100 * ms)
			return d, nil
		})
		defer line.Close()
		s := New("main", line, newSession(), true)
		if !s.Resumed(t.Context()) {
			t.Error("not resumed")
		}
		wantErr(t, s.Ready(t.Context(), 0), driver.IOErrorTimeout)
		wantErr(t, s.Ready(t.Context(), ns(10*ms)), driver.IOErrorTimeout)
		wantErr(t, s.Write(t.Context(), []byte("early"), ns(10*ms)), driver.IOErrorTimeout)
		wantDone(t, s.Flush(t.Context()))
		wantDone(t, s.Write(t.Context(), []byte("x"), ns(time.Second))) // It waits for the opening.
		wantDone(t, s.Ready(t.Context(), 0))
		if got := d.sent(); got != "x" {
			t.Errorf("sent %q", got)
		}
	})
}

func TestOpeningFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("the cable is missing")
		line := Open(func(context.Context) (Device, error) {
			return nil, &Error{Code: driver.IOErrorNotFound, Err: cause}
		})
		owner := newSession()
		s := New("main", line, owner, false)
		for range 2 {
			wantErr(t, s.Ready(t.Context(), ns(time.Second)), driver.IOErrorNotFound)
		}
		wantErr(t, s.Read(t.Context(), 1, ns(time.Second)), driver.IOErrorNotFound)
		if !errors.Is(owner.last, cause) {
			t.Errorf("the error behind it is %v", owner.last)
		}
		if err := line.Close(); err != nil {
			t.Error(err)
		}
	})
}

// A line that is closed while it opens closes what it gets all the same.
func TestCloseWhileOpening(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		line := Open(func(ctx context.Context) (Device, error) {
			<-ctx.Done()
			return d, nil
		})
		if err := line.Close(); err != nil || !d.isClosed() {
			t.Errorf("closed: %v, error: %v", d.isClosed(), err)
		}
	})
}

func TestDrop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		s, owner := opened(t, d)
		synctest.Wait()
		s.Drop(t.Context())
		s.Drop(t.Context())
		if owner.dropped != 1 || !d.isClosed() {
			t.Errorf("dropped %d times, closed: %v", owner.dropped, d.isClosed())
		}
		wantErr(t, s.Read(t.Context(), 1, ns(time.Second)), driver.IOErrorClosed)

		s, owner = opened(t, newDevice())
		s.Detach()
		s.Drop(t.Context())
		if owner.dropped != 0 || s.line.Err() != nil {
			t.Error("a stream whose session has ended was dropped")
		}
	})
}

// A line that ends while a write is between two pieces of its data has not sent all of it.
func TestCloseCutsAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.full, d.stiff, d.lasting, d.tick = make(chan struct{}, 1), true, true, 50*ms
		s, _ := opened(t, d)
		synctest.Wait()
		time.AfterFunc(time.Second, func() { _ = s.line.Close() })
		time.AfterFunc(time.Second+ms, func() { d.full <- struct{}{} })
		wantErr(t, s.Write(t.Context(), make([]byte, 1000), ns(time.Hour)), driver.IOErrorClosed)
		<-s.line.Done()
	})
}
