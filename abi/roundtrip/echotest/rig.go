package echotest

import (
	"bytes"
	"context"
	"math"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/imports/wasi_snapshot_preview1"

	"github.com/droverhq/drover/abi/canon"
	"github.com/droverhq/drover/abi/roundtrip"
	"github.com/droverhq/drover/abi/roundtrip/host"
)

// Rig is an instance of a guest with a Mirror behind its imports.
type Rig struct {
	*host.Instance
	Mirror *Mirror
	// Module is the instance itself.
	Module api.Module
}

// New instantiates the guest in wasm. It ends with the test.
func New(t testing.TB, wasm []byte) *Rig {
	t.Helper()
	ctx := t.Context()
	r := wazero.NewRuntime(ctx)
	t.Cleanup(func() { _ = r.Close(context.WithoutCancel(ctx)) })
	if _, err := wasi_snapshot_preview1.Instantiate(ctx, r); err != nil {
		t.Fatal(err)
	}
	if err := host.Register(ctx, r); err != nil {
		t.Fatal(err)
	}
	m := &Mirror{Things: map[string]bool{}}
	x := host.New(host.Imports{Mirror: m}, canon.Limits{})
	config := wazero.NewModuleConfig().WithStartFunctions("_initialize").WithStderr(t.Output())
	mod, err := r.InstantiateWithConfig(x.Context(ctx), wasm, config)
	if err != nil {
		t.Fatal(err)
	}
	if err := x.Attach(mod); err != nil {
		t.Fatal(err)
	}
	return &Rig{x, m, mod}
}

// Run sends rounds times generated values through each function of the guest and compares what comes back, and what
// the import was given on the way.
func (g *Rig) Run(t *testing.T, seed uint64, rounds int) {
	t.Helper()
	r := newRandom(seed)
	for range rounds {
		g.scalars(t, r)
		g.compounds(t, r)
		g.many(t, r)
		g.things(t, r)
		if t.Failed() {
			t.Fatalf("with seed %d", seed)
		}
	}
}

// trip sends one value through one function.
func trip[T any](t *testing.T, g *Rig, name string, f func(context.Context, T) (T, error), v T) {
	t.Helper()
	got, err := f(t.Context(), v)
	if err != nil {
		t.Fatalf("%s(%v): %v", name, v, err)
	}
	compare(t, name+", imported", v, g.Mirror.Last)
	compare(t, name+", returned", v, got)
}

func compare(t *testing.T, name string, want, got any) {
	t.Helper()
	other := func(p cmp.Path) bool { return p.Last().Type() != reflect.TypeFor[[]byte]() }
	opts := cmp.Options{
		cmp.AllowUnexported(roundtrip.Shape{}),
		cmp.FilterPath(other, cmpopts.EquateEmpty()),
		cmp.Comparer(bytes.Equal),
		cmp.Comparer(func(a, b float32) bool { return math.Float32bits(a) == math.Float32bits(b) }),
		cmp.Comparer(func(a, b float64) bool { return math.Float64bits(a) == math.Float64bits(b) }),
	}
	if d := cmp.Diff(want, got, opts); d != "" {
		t.Errorf("%s (-want +got):\n%s", name, d)
	}
}

func (g *Rig) scalars(t *testing.T, r random) {
	t.Helper()
	trip(t, g, "truth", g.Truth, r.bool())
	trip(t, g, "u-eight", g.UEight, r.u8())
	trip(t, g, "s-eight", g.SEight, r.s8())
	trip(t, g, "u-sixteen", g.USixteen, r.u16())
	trip(t, g, "s-sixteen", g.SSixteen, r.s16())
	trip(t, g, "u-thirty-two", g.UThirtyTwo, r.u32())
	trip(t, g, "s-thirty-two", g.SThirtyTwo, r.s32())
	trip(t, g, "u-sixty-four", g.USixtyFour, r.u64())
	trip(t, g, "s-sixty-four", g.SSixtyFour, r.s64())
	trip(t, g, "f-thirty-two", g.FThirtyTwo, r.f32())
	trip(t, g, "f-sixty-four", g.FSixtyFour, r.f64())
	trip(t, g, "hue", g.Hue, r.color())
	trip(t, g, "large", g.Large, r.big())
	trip(t, g, "all-scalars", g.AllScalars, r.scalars())
}

func (g *Rig) compounds(t *testing.T, r random) {
	t.Helper()
	trip(t, g, "text", g.Text, r.str())
	trip(t, g, "bytes", g.Bytes, r.byteSeq())
	trip(t, g, "maybe-bytes", g.MaybeBytes, option(r, r.byteSeq))
	trip(t, g, "tried-bytes", g.TriedBytes, result(r, r.byteSeq, r.color))
	trip(t, g, "doubles", g.Doubles, list(r, r.f64))
	trip(t, g, "one-shape", g.OneShape, r.shape())
	trip(t, g, "shapes", g.Shapes, list(r, r.shape))
	trip(t, g, "nested", g.Nested, r.nested())
	trip(t, g, "all-lists", g.AllLists, r.lists())
	trip(t, g, "all-maybes", g.AllMaybes, r.maybes())
	if err := g.Nothing(t.Context()); err != nil || g.Mirror.Last != nil {
		t.Errorf("nothing: %v, %v", err, g.Mirror.Last)
	}
}

// many sends parameters that go by a pointer.
func (g *Rig) many(t *testing.T, r random) {
	t.Helper()
	a, b, c, d := r.u8(), r.str(), r.byteSeq(), list(r, r.point)
	e, f, name, h := r.shape(), r.u64(), r.str(), r.f64()
	got, err := g.Many(t.Context(), a, b, c, d, e, f, name, h)
	if err != nil {
		t.Fatalf("many: %v", err)
	}
	compare(t, "many", ManyAsLists(a, b, c, d, e, f, name, h), got)
}

// things opens resources and sees that each is named, dropped, or left open.
func (g *Rig) things(t *testing.T, r random) {
	t.Helper()
	names := []string{"a", "b" + r.str(), "c", "d"}
	got, err := g.Things(t.Context(), names)
	if err != nil {
		t.Fatalf("things: %v", err)
	}
	compare(t, "things", append(append(append([]string{}, names...), names...), names[0], names[2]), got)
	if len(g.Mirror.Things) != 0 {
		t.Errorf("things left open: %v", g.Mirror.Things)
	}
	if h, err := g.LeaveOpen(t.Context(), "left"); err != nil || h == 0 {
		t.Fatalf("leave-open: %d, %v", h, err)
	}
	if !g.Mirror.Things["left"] {
		t.Error("leave-open: the thing is not open")
	}
	if g.Drop(t.Context()); len(g.Mirror.Things) != 0 {
		t.Errorf("Drop left open: %v", g.Mirror.Things)
	}
}
