//go:build amd64 || arm64

package module

import (
	"testing"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/abi/driver"
)

// running is an instance of a driver whose run is body. Its import is control.request-reconnect.
func running(t testing.TB, body []byte) *Instance {
	t.Helper()
	return instanceOf(t, handmade{
		imports: []canon.Signature{{Module: "drover:driver/control@0.1.0", Name: "request-reconnect",
			Params: []api.ValueType{i32, i32}, Results: []api.ValueType{i32}}},
		function: "#run", body: body,
	}, Limits{Compute: time.Hour})
}

// TestAllocations sees that neither a call of the host nor a yield allocates: many cost no more than one.
func TestAllocations(t *testing.T) {
	call := wasmtest.Code(wasmtest.I32(0), wasmtest.I32(0), wasmtest.Call(0), wasmtest.Drop())
	measure := func(body []byte) float64 {
		i := running(t, body)
		return testing.AllocsPerRun(5, func() {
			if _, err := i.Run(t.Context(), driver.Session{}); err != nil {
				t.Fatal(err)
			}
		})
	}
	few := measure(repeated(1, call))
	if many := measure(repeated(1000, call)); many > few {
		t.Errorf("%v allocations with one call, %v with 1000", few, many)
	}
	if many := measure(repeated(1_000_000)); many > few { // a hundred yields
		t.Errorf("%v allocations without a yield, %v with many", few, many)
	}
}

// BenchmarkHostCall is one call of an import that does nothing, with its metering, accounting and trace.
func BenchmarkHostCall(b *testing.B) {
	const calls = 1000
	i := running(b, repeated(calls, wasmtest.I32(0), wasmtest.I32(0), wasmtest.Call(0), wasmtest.Drop()))
	for b.Loop() {
		if _, err := i.Run(b.Context(), driver.Session{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/calls, "ns/call")
}

// BenchmarkYield is one yield: the accounting and a turn of the scheduler.
func BenchmarkYield(b *testing.B) {
	i := running(b, nil)
	i.calling = &callContext{b.Context(), i}
	i.cpu.run(canon.Now())
	for b.Loop() {
		i.yield()
		i.cpu.stretch = 0
	}
}
