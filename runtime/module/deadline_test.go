package module

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/abi/driver/host"
	"github.com/droverhq/drover/runtime/failure"
)

// clockSubscription waits for an hour (WASI preview 1, subscription: the tag at 8, the timeout at 24).
func clockSubscription() []byte {
	sub := make([]byte, 48)
	for i := range 8 {
		sub[24+i] = byte(uint64(time.Hour) >> (8 * i))
	}
	return sub
}

// forever repeats body, which leaves one value, without end.
func forever(body ...[]byte) []byte {
	return wasmtest.Code([]byte{0x03, 0x40}, wasmtest.Code(body...), wasmtest.Drop(), []byte{0x0c, 0x00, 0x0b, 0x00})
}

// TestDescribeEndsAtItsDeadline has a driver that never describes itself, but calls the host again and again.
func TestDescribeEndsAtItsDeadline(t *testing.T) {
	const describe = "drover:driver/lifecycle@0.1.0#describe"
	i32 := api.ValueTypeI32
	zeros := wasmtest.Code(wasmtest.I32(0), wasmtest.I32(0))
	tests := []struct {
		name string
		call canon.Signature
		args []byte
	}{
		{"asleep",
			canon.Signature{Module: "wasi_snapshot_preview1", Name: "poll_oneoff",
				Params: []api.ValueType{i32, i32, i32, i32}, Results: []api.ValueType{i32}},
			wasmtest.Code(wasmtest.I32(0), wasmtest.I32(64), wasmtest.I32(1), wasmtest.I32(128))},
		{"calling imports",
			canon.Signature{Module: "drover:driver/control@0.1.0", Name: "request-reconnect",
				Params: []api.ValueType{i32, i32}, Results: []api.ValueType{i32}},
			zeros},
	}
	loader, err := NewLoader("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = loader.Close(context.Background()) })
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			funcs := exports(describe)
			for _, s := range host.ExportSignatures() {
				if s.Name == describe {
					funcs = append(funcs, wasmtest.Func{Signature: s, Body: forever(test.args, wasmtest.Call(0))})
				}
			}
			binary := wasmtest.Module{
				Imports: []canon.Signature{test.call}, Funcs: funcs, Pages: 1,
				Data: []wasmtest.Data{{Offset: 0, Bytes: clockSubscription()}},
			}.Encode()
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			_, err := loader.Load(ctx, binary)
			f, ok := errors.AsType[*failure.Failure](err)
			if !ok || f.Code != failure.LimitDeadline || f.Phase != failure.PhaseDescribe {
				t.Errorf("got %v, want %s", err, failure.LimitDeadline)
			}
		})
	}
}

// TestLoadRefusesWhatCannotBeInstantiated: what only the instantiation finds is the driver's fault, not ours.
func TestLoadRefusesWhatCannotBeInstantiated(t *testing.T) {
	wasi := func(name string) canon.Signature { return signature("wasi_snapshot_preview1", name) }
	tests := []struct {
		name   string
		module wasmtest.Module
		code   failure.Code
	}{
		{"no such WASI function", wasmtest.Module{Imports: []canon.Signature{wasi("fd_teleport")}}, failure.ABIImport},
		{"WASI function of another type", wasmtest.Module{Imports: []canon.Signature{wasi("fd_write")}}, failure.ABIImport},
		{"data outside of the memory",
			wasmtest.Module{Data: []wasmtest.Data{{Offset: 1 << 20, Bytes: []byte("x")}}}, failure.ABIEncoding},
	}
	loader, err := NewLoader("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = loader.Close(context.Background()) })
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.module.Funcs, test.module.Pages = exports(""), 1
			_, err := loader.Load(t.Context(), test.module.Encode())
			f, ok := errors.AsType[*failure.Failure](err)
			if !ok || f.Code != test.code || f.Kind != failure.Fatal || f.Phase != failure.PhaseDescribe {
				t.Errorf("got %v, want %s", err, test.code)
			}
		})
	}
}
