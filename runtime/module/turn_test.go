package module

import (
	"context"
	goruntime "runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/failure"
)

// TestCallsAreCounted sees that what the host does for a guest is the guest's, and what it waits for is nobody's.
func TestCallsAreCounted(t *testing.T) {
	publishes := &canon.Function{Params: []canon.Param{{Kind: canon.KindList}}}
	reads := &canon.Function{Params: []canon.Param{{Kind: canon.KindHandle}, {Kind: canon.KindDuration}}}
	for _, test := range []struct {
		function *canon.Function
		took     time.Duration
		counted  time.Duration
	}{
		{publishes, time.Microsecond, time.Microsecond},
		{publishes, time.Second, time.Second},
		{reads, time.Microsecond, time.Microsecond},
		{reads, waitingCall, waitingCall},
		{reads, time.Second, waitingCall},
	} {
		var a account
		a.run(0)
		a.rest(5)
		waited := a.called(test.function, 5+int64(test.took))
		if waited != (test.counted < test.took) || a.spent() != 5+test.counted || a.stretch != 5 {
			t.Errorf("%s of %v: waited %t, counted %s, a stretch of %d", test.took, test.function.Params, waited, a.spent(), a.stretch)
		}
	}
}

// busyHost has calls that take a while.
type busyHost struct {
	nothing
	calls atomic.Int64
	while time.Duration
}

func (h *busyHost) RequestReconnect(context.Context, string) bool {
	h.calls.Add(1)
	for end := canon.Now() + int64(h.while); canon.Now() < end; {
	}
	return false
}

// calling is an instance whose run calls the host again and again.
func calling(t *testing.T, h *busyHost, l Limits, loop func(...[]byte) []byte) *Instance {
	t.Helper()
	m, err := newLoader(t).Load(t.Context(), handmade{
		imports: []canon.Signature{{Module: "drover:driver/control@0.1.0", Name: "request-reconnect",
			Params: []api.ValueType{i32, i32}, Results: []api.ValueType{i32}}},
		function: "#run", body: loop(wasmtest.I32(0), wasmtest.I32(0), wasmtest.Call(0), wasmtest.Drop()),
	}.encode())
	if err != nil {
		t.Fatal(err)
	}
	imports := nothingGranted()
	imports.Control = h
	i, err := m.Instantiate(t.Context(), failure.PhaseConfigure, InstanceConfig{Imports: imports, Limits: l})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := i.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if err := m.Release(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return i
}

// TestCallerGivesWay has a guest that calls the host for ever, on the only processor: others have it in between.
func TestCallerGivesWay(t *testing.T) {
	defer goruntime.GOMAXPROCS(goruntime.GOMAXPROCS(1))
	h := &busyHost{while: turnLength / 2}
	i := calling(t, h, Limits{}, wasmtest.Loop)
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() {
		defer i.endWith(ctx, failure.PhaseRun)()
		_, err := i.Run(ctx, driver.Session{})
		ended <- err
	}()
	for h.calls.Load() == 0 {
		goruntime.Gosched()
	}
	const turns = 50
	before := h.calls.Load()
	for range turns {
		goruntime.Gosched()
	}
	calls := h.calls.Load() - before
	cancel(late())
	if f := failureOf(t, <-ended); f == nil || f.Code != failure.LimitDeadline {
		t.Errorf("got %v", f)
	}
	if calls > 10*turns {
		t.Errorf("%d calls in %d turns", calls, turns)
	}
}

// TestCallerIsThrottled holds a guest that calls the host again and again to its share.
func TestCallerIsThrottled(t *testing.T) {
	h := &busyHost{while: time.Millisecond}
	limits := Limits{Share: 0.25, ShareWindow: 4 * time.Millisecond}
	i := calling(t, h, limits, func(body ...[]byte) []byte { return repeated(50, body...) })
	begin := time.Now()
	if _, err := i.Run(t.Context(), driver.Session{}); err != nil {
		t.Fatal(err)
	}
	took, cpu := time.Since(begin), i.Usage().CPU
	if cpu < 50*h.while {
		t.Errorf("50 calls of %s are %s", h.while, cpu)
	}
	least := time.Duration(float64(50*h.while-limits.ShareWindow-2*throttleStep) / limits.Share)
	if took < least {
		t.Errorf("it took %s, want %s at least", took, least)
	}
}
