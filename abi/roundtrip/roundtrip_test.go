package roundtrip_test

import (
	"testing"

	"github.com/tetratelabs/wazero"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/roundtrip/echotest"
	"github.com/droverhq/drover/abi/roundtrip/host"
)

// TestGuest builds the guest in plain Go once for all that is tested with it.
func TestGuest(t *testing.T) {
	wasm := echotest.BuildGo(t, "github.com/droverhq/drover/guests/roundtrip")
	t.Run("signatures", func(t *testing.T) { signatures(t, wasm) })
	g := echotest.New(t, wasm)
	t.Run("round trips", func(t *testing.T) { roundTrips(t, g) })
	t.Run("crowd", func(t *testing.T) { crowd(t, g) })
	t.Run("steady", func(t *testing.T) { steady(t, g) })
}

func roundTrips(t *testing.T, g *echotest.Rig) {
	for seed := range uint64(10) {
		g.Run(t, seed, 4)
	}
}

// signatures compares the built guest with what WIT prescribes.
func signatures(t *testing.T, wasm []byte) {
	r := wazero.NewRuntimeWithConfig(t.Context(), wazero.NewRuntimeConfigInterpreter())
	defer r.Close(t.Context())
	m, err := r.CompileModule(t.Context(), wasm)
	if err != nil {
		t.Fatal(err)
	}
	imports := echotest.WithoutWASI(m.ImportedFunctions())
	if ds := canon.CheckImports(imports, host.ImportSignatures()); len(ds) > 0 {
		t.Error(ds)
	}
	if ds := canon.CheckExports(m.ExportedFunctions(), host.ExportSignatures()); len(ds) > 0 {
		t.Error(ds)
	}
	if got, want := len(imports), len(host.ImportSignatures()); got != want {
		t.Errorf("the guest imports %d functions of %d", got, want)
	}
}

// crowd has many goroutines of the guest call imports in turns, with collections in between: none disturbs another.
func crowd(t *testing.T, g *echotest.Rig) {
	stack := []uint64{20}
	if err := g.Module.ExportedFunction("crowd").CallWithStack(g.Context(t.Context()), stack); err != nil {
		t.Fatal(err)
	}
	if stack[0] != 0 {
		t.Errorf("%d wrong answers", stack[0])
	}
}

// steady sees that a call of an import allocates nothing on either side once its memory has grown to the need.
func steady(t *testing.T, g *echotest.Rig) {
	g.Mirror.Quiet = true
	f := g.Module.ExportedFunction("steady")
	ctx := g.Context(t.Context())
	run := func(n uint64) uint64 {
		stack := []uint64{n}
		if err := f.CallWithStack(ctx, stack); err != nil {
			t.Fatal(err)
		}
		return stack[0]
	}
	run(10)
	if few, many := run(10), run(1000); many > few {
		t.Errorf("the guest allocates %d blocks in 10 rounds and %d in 1000", few, many)
	}
	few, many := testing.AllocsPerRun(10, func() { run(10) }), testing.AllocsPerRun(10, func() { run(1000) })
	if many > few+1 && !raced {
		t.Errorf("the host allocates %v blocks in 10 rounds and %v in 1000", few, many)
	}
}
