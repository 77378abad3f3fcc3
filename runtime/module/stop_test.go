package module

import (
	"context"
	"errors"
	goruntime "runtime"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/runtime/failure"
)

// napping is the code of a sleep of d, for a driver that has poll_oneoff as its first import.
func napping(d time.Duration) (code []byte, data wasmtest.Data) {
	subscription := clockSubscription()
	for i := range 8 {
		subscription[24+i] = byte(uint64(d) >> (8 * i))
	}
	code = wasmtest.Code(wasmtest.I32(spareAt), wasmtest.I32(spareAt+64), wasmtest.I32(1), wasmtest.I32(spareAt+128),
		wasmtest.Call(0), wasmtest.Drop())
	return code, wasmtest.Data{Offset: spareAt, Bytes: subscription}
}

func pollOneoff() canon.Signature { return wasi("poll_oneoff", i32, i32, i32, i32) }

// TestAbortEndsComputing sees that a guest that computes ends as soon as it is aborted, long before its own limit.
func TestAbortEndsComputing(t *testing.T) {
	i := instanceOf(t, handmade{function: "#run", body: wasmtest.Loop()}, Limits{Compute: time.Hour})
	time.AfterFunc(20*time.Millisecond, func() { i.Abort(late()) })
	f := failureOf(t, phases(t.Context(), i))
	if f == nil || f.Code != failure.LimitDeadline || f.Remains.(PostMortem).Stack == "" {
		t.Errorf("got %v", f)
	}
}

// TestStopWakes has drivers that sleep when their phase is told to end: one goes on as if its time was over, one that
// sleeps for good is ended, and neither takes long.
func TestStopWakes(t *testing.T) {
	look := wasmtest.Code(wasmtest.I32(1), wasmtest.I64(0), wasmtest.I32(spareAt+256), wasmtest.Call(1), wasmtest.Drop())
	tests := []struct {
		name  string
		sleep time.Duration
		times int
		code  failure.Code // empty: it returns
	}{
		{"an hour", time.Hour, 1, ""},
		{"an hour, again and again", time.Hour, 20, ""},
		{"for good", 1<<63 - 1, 1, failure.DriverOther},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			nap, data := napping(test.sleep)
			body := look
			for range test.times {
				body = wasmtest.Code(body, nap)
			}
			i := instanceOf(t, handmade{
				imports:  []canon.Signature{pollOneoff(), wasi("clock_time_get", i32, i64, i32)},
				function: "#run", body: body, data: []wasmtest.Data{data},
			}, Limits{})
			ctx, stop := context.WithCancelCause(t.Context())
			time.AfterFunc(20*time.Millisecond, func() { stop(errors.New("stopped")) })
			f := failureOf(t, phases(ctx, i))
			if f == nil != (test.code == "") || f != nil && f.Code != test.code {
				t.Errorf("got %v, want %q", f, test.code)
			}
			before, _ := i.guest.Memory().ReadUint64Le(spareAt + 256)
			slept := time.Duration(i.nanotime() - int64(before))
			if least := test.sleep * time.Duration(test.times); test.code == "" && slept < least {
				t.Errorf("for the driver %v have passed, less than %v", slept, least)
			}
		})
	}
}

// TestDeadlineDoesNotWake sees that a phase whose own deadline has passed leaves its driver asleep: it is ended by force
// and says so.
func TestDeadlineDoesNotWake(t *testing.T) {
	nap, data := napping(time.Hour)
	i := instanceOf(t, handmade{
		imports: []canon.Signature{pollOneoff()}, function: "#run", body: nap, data: []wasmtest.Data{data},
	}, Limits{})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	time.AfterFunc(60*time.Millisecond, func() { i.Abort(late()) })
	if f := failureOf(t, phases(ctx, i)); f == nil || f.Code != failure.LimitDeadline {
		t.Errorf("got %v", f)
	}
}

// TestCloseWaits sees that an instance is not closed under its call.
func TestCloseWaits(t *testing.T) {
	i := instanceOf(t, handmade{function: "#configure", body: wasmtest.Loop()}, Limits{Compute: time.Hour})
	ended := make(chan error)
	go func() { ended <- phases(t.Context(), i) }()
	for !i.running.Load() {
		goruntime.Gosched() // until the other goroutine is there
	}
	if err := i.Close(t.Context()); err == nil {
		t.Error("it was closed while its call ran")
	}
	i.Abort(late())
	if err := <-ended; err == nil {
		t.Error("the call returned")
	}
}

// TestThrottled has a guest that computes for 30 ms at a tenth of a core: that takes it ten times as long.
func TestThrottled(t *testing.T) {
	i := instanceOf(t, handmade{function: "#run", body: wasmtest.Loop()},
		Limits{Compute: 30 * time.Millisecond, Share: 0.1, ShareWindow: 10 * time.Millisecond})
	begin := time.Now()
	f := failureOf(t, phases(t.Context(), i))
	if took := time.Since(begin); f == nil || f.Code != failure.LimitCPU || took < 200*time.Millisecond {
		t.Errorf("got %v after %v", f, took)
	}
}

// TestAbortEndsThrottled sees that a guest that is held back for a minute ends when it is aborted.
func TestAbortEndsThrottled(t *testing.T) {
	i := instanceOf(t, handmade{function: "#run", body: wasmtest.Loop()}, Limits{Share: 0.0001, ShareWindow: time.Millisecond})
	time.AfterFunc(50*time.Millisecond, func() { i.Abort(late()) })
	begin := time.Now()
	f := failureOf(t, phases(t.Context(), i))
	if took := time.Since(begin); f == nil || f.Code != failure.LimitDeadline || took > 30*time.Second {
		t.Errorf("got %v after %v", f, took)
	}
}
