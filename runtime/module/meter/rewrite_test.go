package meter

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/droverhq/drover/internal/testguest"
)

// TestDriver rewrites a driver as it is built for users, and has it compiled.
func TestDriver(t *testing.T) {
	binary, err := testguest.Build("modbus")
	if err != nil {
		t.Fatal(err)
	}
	m, err := Rewrite(binary, Limits{})
	if err != nil {
		t.Fatal(err)
	}
	s := m.Statistics
	if s.Functions < 1000 || s.Loops < 500 || s.Metered > s.Functions || s.Metered < s.Functions/2 || s.StackCounted == 0 {
		t.Errorf("%+v", s)
	}
	if s.Before != len(binary) || s.After != len(m.Binary) || s.After > 3*s.Before/2 {
		t.Errorf("%d bytes became %d: %+v", len(binary), len(m.Binary), s)
	}
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfigInterpreter().WithCoreFeatures(api.CoreFeaturesV2))
	defer r.Close(ctx)
	compiled, err := r.CompileModule(ctx, m.Binary)
	if err != nil {
		t.Fatal(err)
	}
	ours := 0
	for _, f := range compiled.ImportedFunctions() {
		if module, name, _ := f.Import(); module == ImportModule && name == ImportName {
			ours++
		}
	}
	if ours != 1 {
		t.Errorf("%s is imported %d times", ImportName, ours)
	}
	again, err := Rewrite(binary, Limits{})
	if err != nil || !bytes.Equal(again.Binary, m.Binary) {
		t.Errorf("the second time gives another module (%v)", err)
	}
}

// goInstance is an instance of testdata/guest.
func goInstance(t testing.TB, meter bool, fuel func() int64) api.Module {
	t.Helper()
	binary, err := goGuest()
	if err != nil {
		t.Fatal(err)
	}
	if meter {
		m, err := Rewrite(binary, Limits{})
		if err != nil {
			t.Fatal(err)
		}
		binary = m.Binary
	}
	ctx := context.Background()
	r := wazero.NewRuntimeWithConfig(ctx, wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2))
	t.Cleanup(func() { _ = r.Close(ctx) })
	wasi_snapshot_preview1.MustInstantiate(ctx, r)
	if err := yielding(ctx, r, fuel); err != nil {
		t.Fatal(err)
	}
	m, err := r.InstantiateWithConfig(ctx, binary, wazero.NewModuleConfig().WithStartFunctions("_initialize").WithSysNanotime())
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestGo has a Go program compute the same as before, and end where it would not.
func TestGo(t *testing.T) {
	ctx := context.Background()
	left := 1 << 30
	metered := goInstance(t, true, func() int64 {
		if left--; left < 0 {
			panic(errFuel)
		}
		return 10_000
	})
	plain := goInstance(t, false, nil)
	for _, export := range []string{"encode", "crc16"} {
		for _, n := range []uint64{0, 1, 20, 200} {
			want, err := plain.ExportedFunction(export).Call(ctx, n)
			if err != nil {
				t.Fatal(err)
			}
			got, err := metered.ExportedFunction(export).Call(ctx, n)
			if err != nil || got[0] != want[0] {
				t.Errorf("%s(%d) = %v, %v; unmetered %v", export, n, got, err, want)
			}
		}
	}
	for _, n := range []uint64{0, 2} {
		left = 1000
		_, err := metered.ExportedFunction("spin").Call(ctx, n)
		if err == nil || !strings.Contains(err.Error(), errFuel.Error()) || !strings.Contains(err.Error(), "main.spin") {
			t.Errorf("spin(%d) ended with %v", n, err)
		}
	}
}
