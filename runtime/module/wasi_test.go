package module

import (
	"testing"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/canon/wasmtest"
	"github.com/droverhq/drover/runtime/failure"
)

// TestHostileWASI has guests that abuse the functions of WASI. Each ends in a failure of its own.
func TestHostileWASI(t *testing.T) {
	fdWrite, poll := wasi("fd_write", i32, i32, i32, i32), wasi("poll_oneoff", i32, i32, i32, i32)
	var vectors []uint32 // a thousand times the same 32 KiB of line ends
	for range 1000 {
		vectors = append(vectors, 32768, 32768)
	}
	lines := make([]byte, 32768)
	for i := range lines {
		lines[i] = "a\n"[i%2]
	}
	tests := []struct {
		name   string
		module handmade
		code   failure.Code
	}{
		{"prints millions of lines in one call", handmade{
			imports: []canon.Signature{fdWrite},
			body:    wasmtest.Code(wasmtest.I32(1), wasmtest.I32(spareAt), wasmtest.I32(1000), wasmtest.I32(64), wasmtest.Call(0), wasmtest.Drop()),
			data:    []wasmtest.Data{{Offset: spareAt, Bytes: words(vectors...)}, {Offset: 32768, Bytes: lines}},
		}, failure.LimitCPU},
		{"subscribes to so much that its size overflows", handmade{
			imports: []canon.Signature{poll},
			body: wasmtest.Code(wasmtest.I32(0), wasmtest.I32(64), wasmtest.I32(0x1000_0000), wasmtest.I32(128),
				wasmtest.Call(0), wasmtest.Drop()),
		}, failure.ABIEncoding},
	}
	loader := newLoader(t)
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.module.function = "#run"
			f := live(t, t.Context(), loader, test.module.encode(), InstanceConfig{Limits: brief, Output: func(string) {}})
			if f == nil || f.Code != test.code {
				t.Errorf("got %v, want %s", f, test.code)
			}
		})
	}
}
