//go:build amd64 || arm64

package host_test

import (
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/abi/driver"
)

// TestAllocations sees that an import allocates nothing of its own per call: a run that makes 100 of them costs the host
// no more than one that makes one. wazero's interpreter allocates for every call, so this is of its compiler.
func TestAllocations(t *testing.T) {
	// One sample without text: its lift needs no memory but the slice, which the instance keeps.
	publish := wasmtest.Code(i32(64), i32(1), i32(resultAt+128), call(1))
	read := wasmtest.Code(handle(), i32(16), i64(0), i32(resultAt+64), call(2))
	measure := func(rounds int) float64 {
		body := open()
		for range rounds {
			body = append(append(body, publish...), read...)
		}
		x := startWith(t, wazero.NewRuntimeConfig(), guestCode{
			imports: []string{"open", "publish", "[method]stream.read"},
			data:    at(64, words(1, 0, 1, 0, 4, 0, 0, 0x40000000)),
			bodies:  map[string][]byte{"#run": wasmtest.Code(body, answer())},
		}, canon.Limits{})
		x.world.frame = []byte("frame")
		return testing.AllocsPerRun(20, func() {
			if _, err := x.Run(t.Context(), driver.Session{}); err != nil {
				t.Fatal(err)
			}
			x.Drop(t.Context())
		})
	}
	if one, many := measure(1), measure(100); many > one && !raced {
		t.Errorf("%v allocations with one round of calls, %v with 100", one, many)
	}
}

// BenchmarkRead is one stream.read through a guest, with the call of the export that makes it.
func BenchmarkRead(b *testing.B) {
	body := open()
	for range 100 {
		body = append(body, wasmtest.Code(handle(), i32(16), i64(0), i32(resultAt+64), call(1))...)
	}
	x := startWith(b, wazero.NewRuntimeConfig(), guestCode{
		imports: []string{"open", "[method]stream.read"},
		bodies:  map[string][]byte{"#run": wasmtest.Code(body, answer())},
	}, canon.Limits{})
	x.world.frame = []byte("a frame of eight")
	for b.Loop() {
		if _, err := x.Run(b.Context(), driver.Session{}); err != nil {
			b.Fatal(err)
		}
		x.Drop(b.Context())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/read")
}
