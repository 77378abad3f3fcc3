package roundtrip_test

import (
	"context"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tetratelabs/wazero"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/abi/roundtrip"
	"github.com/droverhq/drover/abi/roundtrip/echotest"
	"github.com/droverhq/drover/abi/roundtrip/host"
)

// TestPairs has the examples of test_pairs in the specification's design/mvp/canonical-abi/run_tests.py: what a flat
// value, as the guest gives it, is when it was lifted.
func TestPairs(t *testing.T) {
	const trap = "a trap"
	for _, c := range []struct {
		name  string
		core  []byte
		wants any
	}{
		{"truth", wasmtest.I32(0), false},
		{"truth", wasmtest.I32(1), true},
		{"truth", wasmtest.I32(2), true},
		{"truth", wasmtest.I32(math.MaxUint32), true},
		{"u-eight", wasmtest.I32(127), uint8(127)},
		{"u-eight", wasmtest.I32(128), uint8(128)},
		{"u-eight", wasmtest.I32(255), uint8(255)},
		{"u-eight", wasmtest.I32(256), uint8(0)},
		{"u-eight", wasmtest.I32(4294967295), uint8(255)},
		{"u-eight", wasmtest.I32(4294967168), uint8(128)},
		{"u-eight", wasmtest.I32(4294967167), uint8(127)},
		{"s-eight", wasmtest.I32(127), int8(127)},
		{"s-eight", wasmtest.I32(128), int8(-128)},
		{"s-eight", wasmtest.I32(255), int8(-1)},
		{"s-eight", wasmtest.I32(256), int8(0)},
		{"s-eight", wasmtest.I32(4294967295), int8(-1)},
		{"s-eight", wasmtest.I32(4294967168), int8(-128)},
		{"s-eight", wasmtest.I32(4294967167), int8(127)},
		{"u-sixteen", wasmtest.I32(32767), uint16(32767)},
		{"u-sixteen", wasmtest.I32(32768), uint16(32768)},
		{"u-sixteen", wasmtest.I32(65535), uint16(65535)},
		{"u-sixteen", wasmtest.I32(65536), uint16(0)},
		{"u-sixteen", wasmtest.I32(4294967295), uint16(65535)},
		{"s-sixteen", wasmtest.I32(32768), int16(-32768)},
		{"s-sixteen", wasmtest.I32(65535), int16(-1)},
		{"s-sixteen", wasmtest.I32(65536), int16(0)},
		{"u-thirty-two", wasmtest.I32(4294967295), uint32(4294967295)},
		{"s-thirty-two", wasmtest.I32(2147483648), int32(math.MinInt32)},
		{"u-sixty-four", wasmtest.I64(math.MaxUint64), uint64(math.MaxUint64)},
		{"s-sixty-four", wasmtest.I64(1 << 63), int64(math.MinInt64)},
		{"f-sixty-four", wasmtest.F64(-0.5), -0.5},
		{"hue", wasmtest.I32(0), roundtrip.ColorRed},
		{"hue", wasmtest.I32(2), roundtrip.ColorBlue},
		{"hue", wasmtest.I32(3), trap},
		{"large", wasmtest.I32(299), roundtrip.BigN299},
		{"large", wasmtest.I32(300), trap},
	} {
		m, err := imported(t, c.name, c.core)
		if c.wants == trap {
			if _, ok := errors.AsType[*canon.Error](err); !ok {
				t.Errorf("%s of % x: %v, want a trap", c.name, c.core, err)
			}
			continue
		}
		if d := cmp.Diff(c.wants, m.Last); err != nil || d != "" {
			t.Errorf("%s of % x: %v (-want +got):\n%s", c.name, c.core, err, d)
		}
	}
}

// imported calls the import of that name with the values that core leaves on the stack.
func imported(t *testing.T, name string, core []byte) (*echotest.Mirror, error) {
	t.Helper()
	module := wasmtest.Module{Pages: 1}
	for _, s := range host.ImportSignatures() {
		if s.Name == name {
			module.Imports = append(module.Imports, s)
		}
	}
	for _, s := range host.ExportSignatures() {
		f := wasmtest.Func{Signature: s, Body: wasmtest.Unreachable()}
		if s.Name == "drover:roundtrip/echo@0.1.0#nothing" {
			f.Body = wasmtest.Code(core, wasmtest.Call(0), wasmtest.Drop())
		}
		module.Funcs = append(module.Funcs, f)
	}
	ctx := t.Context()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter())
	t.Cleanup(func() { _ = r.Close(context.WithoutCancel(ctx)) })
	if err := host.Register(ctx, r); err != nil {
		t.Fatal(err)
	}
	mirror := &echotest.Mirror{}
	x := host.New(host.Imports{Mirror: mirror}, canon.Limits{})
	m, err := r.Instantiate(x.Context(ctx), module.Encode())
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Attach(m); err != nil {
		t.Fatal(err)
	}
	return mirror, x.Nothing(ctx)
}
