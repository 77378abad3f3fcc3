package channel_test

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero/api"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/hostfuncs"
	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/supervise"
)

// Where a broken driver has what its functions return.
const (
	nothingAt = 1024 // zeros: a result that is ok, an empty handle, the outcome disconnected
	resultAt  = 2048
	textAt    = 4096
	reallocAt = 8192 // everything that the host lowers
)

// words are 32-bit numbers in a guest's memory.
func words(numbers ...uint32) []byte {
	var out []byte
	for _, n := range numbers {
		out = binary.LittleEndian.AppendUint32(out, n)
	}
	return out
}

// broken is a driver whose functions do nothing, but one returns the bytes in result, and run calls publish first.
func broken(function string, result []byte, publish []byte) []byte {
	const text = "broken1.0.0"
	metadata := words(textAt, 6, textAt+6, 5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0)
	m := wasmtest.Module{
		Imports: []canon.Signature{{
			Module: "drover:driver/data@0.1.0", Name: "publish",
			Params: []api.ValueType{api.ValueTypeI32, api.ValueTypeI32, api.ValueTypeI32},
		}},
		Pages: 1,
		Data: []wasmtest.Data{
			{Offset: 64, Bytes: metadata}, {Offset: resultAt, Bytes: result}, {Offset: textAt, Bytes: []byte(text)},
		},
	}
	for _, s := range host.ExportSignatures() {
		_, name, _ := strings.Cut(s.Name, "#")
		at := uint32(nothingAt)
		var before []byte
		switch {
		case s.Optional:
			continue
		case s.Name == canon.Realloc:
			at = reallocAt
		case name == "describe":
			at = 64
		case name == function:
			at = resultAt
		}
		if name == "run" {
			before = publish
		}
		m.Funcs = append(m.Funcs, wasmtest.Func{Signature: s, Body: slices.Concat(before, wasmtest.I32(at))})
	}
	return m.Encode()
}

// TestEncoding has drivers that break the canonical ABI: each fails its channel for good, and the host lives.
func TestEncoding(t *testing.T) {
	publish := func(list, length uint32) []byte {
		return wasmtest.Code(wasmtest.I32(list), wasmtest.I32(length), wasmtest.I32(nothingAt), wasmtest.Call(0))
	}
	tests := []struct {
		name     string
		function string
		result   []byte
		publish  []byte
		phase    failure.Phase
		code     failure.Code
	}{
		{"sound", "", nil, nil, failure.PhaseRun, failure.IOClosed},
		{"configure returns no result", "configure", words(2), nil, failure.PhaseConfigure, failure.ABIEncoding},
		{"connect fails with text outside of its memory", "connect", words(1, 0, 1<<20, 5), nil, failure.PhaseConnect, failure.ABIEncoding},
		{"init serves points outside of its memory", "init", words(0, 1<<20, 5), nil, failure.PhaseInit, failure.ABIEncoding},
		{"init serves a length that overflows", "init", words(0, resultAt, 1<<30), nil, failure.PhaseInit, failure.ABIEncoding},
		{"init serves a point that nobody configured", "init", words(0, resultAt+32, 1, 0, 0, 0, 0, 0, 2), nil, failure.PhaseInit, failure.ABIEncoding},
		{"run returns no outcome", "run", words(0, 9), nil, failure.PhaseRun, failure.ABIEncoding},
		{"publish outside of its memory", "", nil, publish(1<<20, 1), failure.PhaseRun, failure.ABIEncoding},
		{"publish unaligned", "", nil, publish(resultAt+1, 1), failure.PhaseRun, failure.ABIEncoding},
	}
	world, err := hostfuncs.New(hostfuncs.Config{})
	if err != nil {
		t.Fatal(err)
	}
	loader, err := module.NewLoader("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := errors.Join(loader.Close(context.Background()), world.Close()); err != nil {
			t.Error(err)
		}
	})
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m, err := loader.Load(t.Context(), broken(test.function, test.result, test.publish))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := m.Release(context.Background()); err != nil {
					t.Error(err)
				}
			})
			r := &rig{module: m, host: world}
			c := r.start(t, "{}", channel.Config{})
			if f := c.nextFailure(t); f.Phase != test.phase || f.Code != test.code {
				t.Errorf("got %s %s %s %q", f.Phase, f.Kind, f.Code, f.Summary)
			}
			if test.code == failure.ABIEncoding {
				c.nextState(t, supervise.Failed)
			}
		})
	}
}
