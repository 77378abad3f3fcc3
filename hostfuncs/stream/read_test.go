package stream

import (
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

const ms = time.Millisecond

func ns(d time.Duration) driver.Duration { return driver.Duration(d) }

// wantBytes checks a result that succeeded.
func wantBytes(t *testing.T, got component.Result[[]byte, driver.IOError], want string) {
	t.Helper()
	if got.Failed || string(got.Value) != want {
		t.Fatalf("got %q, failed %v with %v; want %q", got.Value, got.Failed, got.Err, want)
	}
}

// wantErr checks a result that failed.
func wantErr[T any](t *testing.T, got component.Result[T, driver.IOError], want driver.IOError) {
	t.Helper()
	if !got.Failed || got.Err != want {
		t.Fatalf("got %v, failed %v with %v; want %v", got.Value, got.Failed, got.Err, want)
	}
}

func wantDone(t *testing.T, got component.Result[component.Unit, driver.IOError]) {
	t.Helper()
	if got.Failed {
		t.Fatalf("failed with %v", got.Err)
	}
}

func TestRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		s, _ := opened(t, d)
		start := time.Now()
		d.arrive(piece{10 * ms, "abc"}, piece{10 * ms, "def"})
		wantBytes(t, s.Read(t.Context(), 100, ns(time.Second)), "abc")
		if took := time.Since(start); took != 10*ms {
			t.Errorf("took %v", took)
		}
		wantBytes(t, s.Read(t.Context(), 2, ns(time.Second)), "de")
		wantBytes(t, s.Read(t.Context(), 2, 0), "f")
		wantErr(t, s.Read(t.Context(), 2, 0), driver.IOErrorTimeout)
		start = time.Now()
		wantErr(t, s.Read(t.Context(), 2, ns(7*ms)), driver.IOErrorTimeout)
		if took := time.Since(start); took != 7*ms {
			t.Errorf("timeout took %v", took)
		}
	})
}

// A read of a device that gives 0 bytes and no error is a device that has nothing yet, not one that is gone.
func TestReadOfNothingGoesOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.tick = 3 * ms
		s, _ := opened(t, d)
		d.arrive(piece{100 * ms, "late"})
		wantBytes(t, s.Read(t.Context(), 100, ns(time.Second)), "late")
	})
}

func TestReadFrame(t *testing.T) {
	tests := []struct {
		name    string
		arrive  []piece
		after   time.Duration // when the call is made
		devGap  time.Duration
		max     uint32
		expect  uint32
		gap     time.Duration
		want    string
		took    time.Duration
		wantErr bool
	}{
		{name: "ended by the gap", arrive: []piece{{5 * ms, "ab"}, {3 * ms, "cd"}}, max: 99, gap: 4 * ms, want: "abcd", took: 12 * ms},
		{name: "ended by the expected size", arrive: []piece{{5 * ms, "ab"}, {3 * ms, "cd"}}, max: 99, gap: 4 * ms, expect: 4, want: "abcd", took: 8 * ms},
		{name: "the gap is before the expected size", arrive: []piece{{5 * ms, "ab"}, {5 * ms, "cd"}}, max: 99, gap: 4 * ms, expect: 4, want: "ab", took: 9 * ms},
		{name: "more than expected stays", arrive: []piece{{5 * ms, "abcdef"}}, max: 99, gap: 4 * ms, expect: 4, want: "abcd", took: 5 * ms},
		{name: "max ends it", arrive: []piece{{5 * ms, "abcdef"}}, max: 3, gap: 4 * ms, want: "abc", took: 5 * ms},
		{name: "nothing comes", max: 99, gap: 4 * ms, took: 50 * ms, wantErr: true},
		{name: "a silence before the call ends it", arrive: []piece{{1 * ms, "ab"}, {4 * ms, "cd"}}, after: 30 * ms, max: 99, gap: 4 * ms, want: "ab"},
		{name: "complete before the call", arrive: []piece{{1 * ms, "ab"}, {3 * ms, "cd"}}, after: 30 * ms, max: 99, gap: 4 * ms, want: "abcd"},
		{name: "half of the gap passed before the call", arrive: []piece{{1 * ms, "ab"}}, after: 3 * ms, max: 99, gap: 4 * ms, want: "ab", took: 2 * ms},
		{name: "the device's shortest gap", arrive: []piece{{1 * ms, "ab"}, {16 * ms, "cd"}}, devGap: 20 * ms, max: 99, gap: 4 * ms, want: "abcd", took: 37 * ms},
		{name: "a longer gap than the device's", arrive: []piece{{1 * ms, "ab"}, {22 * ms, "cd"}}, devGap: 20 * ms, max: 99, gap: 30 * ms, want: "abcd", took: 53 * ms},
		{name: "no gap takes what is there", arrive: []piece{{1 * ms, "ab"}, {3 * ms, "cd"}}, after: 10 * ms, max: 99, want: "abcd"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice()
				d.gap = tt.devGap
				s, _ := opened(t, d)
				d.arrive(tt.arrive...)
				time.Sleep(tt.after)
				synctest.Wait()
				start := time.Now()
				got := s.ReadFrame(t.Context(), tt.max, ns(50*ms), ns(tt.gap), tt.expect)
				if took := time.Since(start); took != tt.took {
					t.Errorf("took %v, want %v", took, tt.took)
				}
				if tt.wantErr {
					wantErr(t, got, driver.IOErrorTimeout)
				} else {
					wantBytes(t, got, tt.want)
				}
				time.Sleep(time.Second) // What still arrives does.
			})
		})
	}
}

func TestSizesOutOfRange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := opened(t, newDevice())
		ctx := t.Context()
		wantErr(t, s.Read(ctx, 0, 0), driver.IOErrorInvalid)
		wantErr(t, s.Read(ctx, MaxTransfer+1, 0), driver.IOErrorInvalid)
		wantErr(t, s.ReadFrame(ctx, 0, 0, 0, 0), driver.IOErrorInvalid)
		wantErr(t, s.ReadFrame(ctx, 10, 0, 0, 11), driver.IOErrorInvalid)
		wantErr(t, s.Write(ctx, make([]byte, MaxTransfer+1), 0), driver.IOErrorInvalid)
		wantErr(t, s.Read(ctx, 1, 0), driver.IOErrorTimeout)
	})
}

// The greatest duration that the border can carry is beyond what Go's durations hold.
func TestEndlessTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		s, _ := opened(t, d)
		d.arrive(piece{1000 * time.Hour, "abc"})
		wantBytes(t, s.ReadFrame(t.Context(), 10, ^uint64(0), ns(ms), 0), "abc")
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		d.in <- []byte("x")
		wantErr(t, s.ReadFrame(ctx, 10, 0, ^uint64(0), 0), driver.IOErrorTimeout)
		wantBytes(t, s.Read(t.Context(), 10, ^uint64(0)), "x")
	})
}

func TestNoIOInThisPhase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, owner := opened(t, newDevice())
		owner.forbids = true
		ctx := t.Context()
		wantErr(t, s.Ready(ctx, 0), driver.IOErrorInvalid)
		wantErr(t, s.Read(ctx, 1, 0), driver.IOErrorInvalid)
		wantErr(t, s.ReadFrame(ctx, 1, 0, 0, 0), driver.IOErrorInvalid)
		wantErr(t, s.Write(ctx, []byte("x"), 0), driver.IOErrorInvalid)
		wantErr(t, s.Flush(ctx), driver.IOErrorInvalid)
		wantErr(t, s.Drain(ctx, 0), driver.IOErrorInvalid)
	})
}

func TestBytesBeforeTheEndComeFirst(t *testing.T) {
	tests := []struct {
		name string
		err  error
		want driver.IOError
	}{
		{"end of file", io.EOF, driver.IOErrorClosed},
		{"reset", syscall.ECONNRESET, driver.IOErrorReset},
		{"unplugged", syscall.EIO, driver.IOErrorClosed},
		{"gone", syscall.ENXIO, driver.IOErrorClosed},
		{"keep-alive", syscall.ETIMEDOUT, driver.IOErrorClosed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDevice()
				d.readErr = tt.err
				s, owner := opened(t, d)
				d.in <- []byte("abc")
				close(d.in)
				synctest.Wait()
				if !d.isClosed() {
					t.Error("the device is still open")
				}
				wantBytes(t, s.ReadFrame(t.Context(), 2, 0, ns(time.Hour), 0), "ab")
				wantBytes(t, s.ReadFrame(t.Context(), 9, 0, ns(time.Hour), 0), "c")
				wantErr(t, s.Read(t.Context(), 9, ns(time.Hour)), tt.want)
				wantErr(t, s.Write(t.Context(), []byte("x"), ns(time.Hour)), tt.want)
				if !errors.Is(owner.last, tt.err) || !strings.Contains(owner.last.Error(), `"main"`) {
					t.Errorf("the error behind it is %v", owner.last)
				}
			})
		})
	}
}

func TestPanicEndsTheLineOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		line := Open(func(context.Context) (Device, error) { return panicking{newDevice()}, nil })
		s := New("main", line, newSession(), false)
		wantErr(t, s.Read(t.Context(), 1, ns(time.Second)), driver.IOErrorOther)
		if err := line.Err(); err == nil || !strings.Contains(err.Error(), "index out of range") {
			t.Errorf("the line's error is %v", err)
		}
		if err := line.Close(); err != nil {
			t.Error(err)
		}
	})
}

type panicking struct{ *device }

func (panicking) Read(p []byte) (int, error) { panic("index out of range") }

func TestFullBufferHoldsTheReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		s, _ := opened(t, d)
		const total = 80 << 10
		for range total / 1024 {
			d.in <- []byte(strings.Repeat("x", 1024))
		}
		synctest.Wait()
		if n := s.line.buf.size; n != bufferLimit {
			t.Fatalf("%d bytes are buffered, want %d", n, bufferLimit)
		}
		got := 0
		for got < total {
			r := s.Read(t.Context(), 5000, ns(time.Second))
			if r.Failed {
				t.Fatal(r.Err)
			}
			got += len(r.Value)
		}
		if n := len(s.line.buf.ring); n > bufferIdle {
			t.Errorf("an empty buffer keeps %d bytes", n)
		}
	})
}

func TestFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		s, _ := opened(t, d)
		d.in <- []byte("stale")
		synctest.Wait()
		wantDone(t, s.Flush(t.Context()))
		wantErr(t, s.Read(t.Context(), 9, 0), driver.IOErrorTimeout)
		if d.discards != 1 {
			t.Errorf("the device discarded %d times", d.discards)
		}
	})
}

func TestReadableAndNotify(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDevice()
		d.readErr = io.EOF
		s, _ := opened(t, d)
		synctest.Wait()
		poked := make(chan struct{}, 1)
		s.Notify(poked)
		if s.Readable() {
			t.Fatal("readable without bytes")
		}
		d.in <- []byte("a")
		<-poked
		if !s.Readable() {
			t.Fatal("not readable with a byte")
		}
		wantBytes(t, s.Read(t.Context(), 1, 0), "a")
		if s.Readable() {
			t.Fatal("readable after all was read")
		}
		close(d.in)
		<-poked
		if !s.Readable() {
			t.Fatal("not readable with a failure")
		}
		s.Detach()
		if s.line.notify != nil {
			t.Error("still notified after Detach")
		}
	})
}
