package module

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/tetratelabs/wazero/api"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/runtime/failure"
)

// TestInitialisationEnds has modules that wait for ever while they are initialised: asleep, or looking at a clock.
func TestInitialisationEnds(t *testing.T) {
	i32, i64 := api.ValueTypeI32, api.ValueTypeI64
	tests := []struct {
		name   string
		params []api.ValueType
		args   []byte
	}{
		{"poll_oneoff", []api.ValueType{i32, i32, i32, i32},
			wasmtest.Code(wasmtest.I32(0), wasmtest.I32(64), wasmtest.I32(1), wasmtest.I32(128))},
		{"clock_time_get", []api.ValueType{i32, i64, i32}, wasmtest.Code(wasmtest.I32(0), []byte{0x42, 0x00}, wasmtest.I32(128))},
		{"clock_time_get", []api.ValueType{i32, i64, i32}, wasmtest.Code(wasmtest.I32(1), []byte{0x42, 0x00}, wasmtest.I32(128))},
	}
	loader, err := NewLoader("")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = loader.Close(context.Background()) })
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			imported := canon.Signature{
				Module: "wasi_snapshot_preview1", Name: test.name, Params: test.params, Results: []api.ValueType{i32},
			}
			binary := wasmtest.Module{
				Imports: []canon.Signature{imported}, Pages: 1,
				Funcs: append(exports(""), trapping("_initialize", forever(test.args, wasmtest.Call(0))...)),
				Data:  []wasmtest.Data{{Offset: 0, Bytes: clockSubscription()}},
			}.Encode()
			late, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			expectFailure(t, loader, late, binary, failure.LimitDeadline)
			stopped, stop := context.WithCancel(t.Context())
			defer stop()
			time.AfterFunc(50*time.Millisecond, stop)
			expectFailure(t, loader, stopped, binary, failure.DriverOther)
		})
	}
}

func expectFailure(t *testing.T, l *Loader, ctx context.Context, binary []byte, want failure.Code) {
	t.Helper()
	_, err := l.Load(ctx, binary)
	if f, ok := errors.AsType[*failure.Failure](err); !ok || f.Code != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
