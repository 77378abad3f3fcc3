package meter

import (
	"context"
	"math"
	"testing"
	"time"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
)

// allowance is what a benchmark's guest gets at a time.
const allowance = 1 << 20

// instance compiles and instantiates a module, metered or not.
func instance(tb testing.TB, binary []byte, meter bool, fuel func() int64) api.Module {
	tb.Helper()
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2))
	tb.Cleanup(func() { _ = r.Close(ctx) })
	if meter {
		m, err := Rewrite(binary, Limits{})
		if err != nil {
			tb.Fatal(err)
		}
		binary = m.Binary
	}
	if err := yielding(ctx, r, fuel); err != nil {
		tb.Fatal(err)
	}
	m, err := r.Instantiate(ctx, binary)
	if err != nil {
		tb.Fatal(err)
	}
	return m
}

// compareExport runs an export unmetered and metered in turn, and reports the shortest run of each and their ratio: so a
// busy machine slows both, or neither.
func compareExport(b *testing.B, plain, metered api.Module, yields *int, export string, args ...uint64) {
	best := func(m api.Module) func() time.Duration {
		f := m.ExportedFunction(export)
		shortest := time.Duration(math.MaxInt64)
		stack := make([]uint64, max(4, len(args)))
		return func() time.Duration {
			copy(stack, args)
			start := time.Now()
			if err := f.CallWithStack(context.Background(), stack); err != nil {
				b.Fatal(err)
			}
			shortest = min(shortest, time.Since(start))
			return shortest
		}
	}
	runPlain, runMetered := best(plain), best(metered)
	var p, m time.Duration
	*yields = 0
	for b.Loop() {
		p, m = runPlain(), runMetered()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(p), "plain-ns")
	b.ReportMetric(float64(m), "metered-ns")
	b.ReportMetric(float64(m)/float64(p), "times")
	b.ReportMetric(float64(*yields)/float64(b.N), "yields/op")
}

// benchmark compares an export of a module of the tests.
func benchmark(b *testing.B, export string, args ...uint64) {
	yields := 0
	binary := loopModule()
	metered := instance(b, binary, true, func() int64 { yields++; return allowance })
	compareExport(b, instance(b, binary, false, nil), metered, &yields, export, args...)
}

// benchmarkGo compares an export of testdata/guest.
func benchmarkGo(b *testing.B, export string, args ...uint64) {
	yields := 0
	metered := goInstance(b, true, func() int64 { yields++; return allowance })
	compareExport(b, goInstance(b, false, nil), metered, &yields, export, args...)
}

// BenchmarkGoJSON encodes 50 readings in Go, BenchmarkGoCRC16 sums up 256 bytes in Go.
func BenchmarkGoJSON(b *testing.B) { benchmarkGo(b, "encode", 50) }

func BenchmarkGoCRC16(b *testing.B) { benchmarkGo(b, "crc16", 1) }

// BenchmarkRewrite rewrites a Go program, and reports the shortest time.
func BenchmarkRewrite(b *testing.B) {
	binary, err := goGuest()
	if err != nil {
		b.Fatal(err)
	}
	shortest := time.Duration(math.MaxInt64)
	for b.Loop() {
		start := time.Now()
		if _, err := Rewrite(binary, Limits{}); err != nil {
			b.Fatal(err)
		}
		shortest = min(shortest, time.Since(start))
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(shortest.Seconds()*1000/(float64(len(binary))/1e6), "ms/MB")
}

// BenchmarkTightLoop counts to 100,000.
func BenchmarkTightLoop(b *testing.B) { benchmark(b, "loop", 100_000) }

// BenchmarkSum adds up 256 KiB of memory.
func BenchmarkSum(b *testing.B) { benchmark(b, "sum", 65536) }

// BenchmarkCRC16 is Modbus's checksum over 256 bytes, bit by bit.
func BenchmarkCRC16(b *testing.B) { benchmark(b, "crc", 256) }

// BenchmarkFibonacci is nothing but calls.
func BenchmarkFibonacci(b *testing.B) { benchmark(b, "fib", 18) }

// BenchmarkLeaf calls a short function 100,000 times.
func BenchmarkLeaf(b *testing.B) { benchmark(b, "leaf", 100_000) }

func loopModule() []byte {
	return wasm{
		types: [][]byte{functionType("i", "i"), functionType("ii", "i")},
		pages: 4,
		funcs: []wasmFunc{
			{export: "loop", locals: []byte{typeI32}, code: code(
				opLoop, typeVoid,
				get(1), i32(1), opI32Add, tee(1), get(0), 0x49, opBrIf, 0,
				opEnd, get(1))},
			{export: "sum", locals: []byte{typeI32, typeI32}, code: code(
				opLoop, typeVoid,
				get(2), get(1), i32(2), 0x74, 0x28, 2, 0, opI32Add, set(2),
				get(1), i32(1), opI32Add, tee(1), get(0), 0x49, opBrIf, 0,
				opEnd, get(2))},
			{export: "crc", locals: []byte{typeI32, typeI32, typeI32}, code: crcCode()},
			{export: "fib", code: code(
				get(0), i32(2), 0x49, opIf, typeI32, get(0), opElse,
				get(0), i32(1), opI32Sub, call(3), get(0), i32(2), opI32Sub, call(3), opI32Add, opEnd)},
			{typ: 1, code: code(get(0), get(1), 0x73, i32(3), 0x6c)},
			{export: "leaf", locals: []byte{typeI32}, code: code(
				opLoop, typeVoid,
				get(1), get(0), call(4), opDrop,
				get(1), i32(1), opI32Add, tee(1), get(0), 0x49, opBrIf, 0,
				opEnd, get(1))},
		},
	}.encode()
}

// crcCode is CRC-16/MODBUS over the first bytes of memory: param 0 the count, 1 the index, 2 the checksum, 3 the bit.
func crcCode() []byte {
	return code(
		i32(0xffff), set(2),
		opLoop, typeVoid,
		get(2), get(1), 0x2d, 0, 0, 0x73, set(2),
		i32(8), set(3),
		opLoop, typeVoid,
		get(2), i32(1), 0x76, // shr_u
		get(2), i32(1), 0x71, i32(0xa001), 0x6c, 0x73, set(2), // xor (crc & 1) * 0xa001
		get(3), i32(1), opI32Sub, tee(3), opBrIf, 0,
		opEnd,
		get(1), i32(1), opI32Add, tee(1), get(0), 0x49, opBrIf, 0,
		opEnd, get(2))
}
