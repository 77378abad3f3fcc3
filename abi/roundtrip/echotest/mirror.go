// Package echotest runs the round trips of package roundtrip against any guest that exports the world, in whatever
// language: generated values go in by an export, come out by an import, go back as its result and come out as the
// export's. It is for tests.
package echotest

import (
	"context"
	"slices"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/roundtrip"
	"github.com/droverhq/drover/abi/roundtrip/host"
)

// Mirror is the host's side of the world: it answers what it is given, and remembers the last of it.
type Mirror struct {
	// Last is what the last call was given, or nil.
	Last any
	// Quiet makes a Mirror that remembers and copies nothing.
	Quiet bool
	// Things has the things that are open, by name.
	Things map[string]bool
}

var _ host.Mirror = (*Mirror)(nil)

// keep remembers v and returns it.
func keep[T any](m *Mirror, v T) T {
	if !m.Quiet {
		m.Last = v
	}
	return v
}

// thing is the resource.
type thing struct {
	mirror *Mirror
	name   string
}

func (t *thing) Name(context.Context) string { return t.name }

func (t *thing) Many(_ context.Context, a, b, c, d, e, f, g string, h []uint16) uint32 {
	var sum uint32
	for _, n := range h {
		sum += uint32(n)
	}
	if a+b+c+d+e+f != "abcdef" || g != t.name {
		return 0
	}
	return sum
}

func (t *thing) Drop(context.Context) { delete(t.mirror.Things, t.name) }

func (m *Mirror) open(name string) host.Thing {
	m.Things[name] = true
	return &thing{m, name}
}

// TryOpen opens a thing, but for one called "red".
func (m *Mirror) TryOpen(_ context.Context, name string) component.Result[component.Tuple2[host.Thing, string], roundtrip.Color] {
	type answer = component.Tuple2[host.Thing, string]
	if name == "red" {
		return component.Err[answer](roundtrip.ColorRed)
	}
	return component.OK[roundtrip.Color](answer{F0: m.open(name), F1: name})
}

// Names answers the names of all.
func (m *Mirror) Names(ctx context.Context, things []host.Thing) []string {
	var names []string
	for _, t := range things {
		names = append(names, t.Name(ctx))
	}
	return names
}

// Consume takes a thing over and drops it.
func (m *Mirror) Consume(ctx context.Context, t host.Thing) string {
	defer t.Drop(ctx)
	return t.Name(ctx)
}

// Open opens a thing.
func (m *Mirror) Open(_ context.Context, name string) host.Thing { return m.open(name) }

// Nothing forgets the last value.
func (m *Mirror) Nothing(context.Context) { m.Last = nil }

func (m *Mirror) Truth(_ context.Context, v bool) bool            { return keep(m, v) }
func (m *Mirror) UEight(_ context.Context, v uint8) uint8         { return keep(m, v) }
func (m *Mirror) SEight(_ context.Context, v int8) int8           { return keep(m, v) }
func (m *Mirror) USixteen(_ context.Context, v uint16) uint16     { return keep(m, v) }
func (m *Mirror) SSixteen(_ context.Context, v int16) int16       { return keep(m, v) }
func (m *Mirror) UThirtyTwo(_ context.Context, v uint32) uint32   { return keep(m, v) }
func (m *Mirror) SThirtyTwo(_ context.Context, v int32) int32     { return keep(m, v) }
func (m *Mirror) USixtyFour(_ context.Context, v uint64) uint64   { return keep(m, v) }
func (m *Mirror) SSixtyFour(_ context.Context, v int64) int64     { return keep(m, v) }
func (m *Mirror) FThirtyTwo(_ context.Context, v float32) float32 { return keep(m, v) }
func (m *Mirror) FSixtyFour(_ context.Context, v float64) float64 { return keep(m, v) }
func (m *Mirror) Text(_ context.Context, v string) string         { return keep(m, v) }

func (m *Mirror) Hue(_ context.Context, v roundtrip.Color) roundtrip.Color { return keep(m, v) }
func (m *Mirror) Large(_ context.Context, v roundtrip.Big) roundtrip.Big   { return keep(m, v) }

func (m *Mirror) AllScalars(_ context.Context, v roundtrip.Scalars) roundtrip.Scalars {
	return keep(m, v)
}

// Bytes answers a copy, because v is the guest's memory.
func (m *Mirror) Bytes(_ context.Context, v []byte) []byte {
	if m.Quiet {
		return v
	}
	return keep(m, slices.Clone(v))
}

// Tally counts the points.
func (m *Mirror) Tally(_ context.Context, v []roundtrip.Point) uint32 { return uint32(len(v)) }

func (m *Mirror) MaybeBytes(_ context.Context, v component.Option[[]byte]) component.Option[[]byte] {
	return keep(m, v)
}

func (m *Mirror) TriedBytes(
	_ context.Context, v component.Result[[]byte, roundtrip.Color],
) component.Result[[]byte, roundtrip.Color] {
	return keep(m, v)
}

func (m *Mirror) Doubles(_ context.Context, v []float64) []float64 {
	return keep(m, slices.Clone(v))
}

func (m *Mirror) OneShape(_ context.Context, v roundtrip.Shape) roundtrip.Shape {
	return keep(m, v)
}

func (m *Mirror) Shapes(_ context.Context, v []roundtrip.Shape) []roundtrip.Shape {
	return keep(m, slices.Clone(v))
}

func (m *Mirror) Nested(_ context.Context, v Nested) Nested { return keep(m, v) }

func (m *Mirror) AllLists(_ context.Context, v roundtrip.Lists) roundtrip.Lists {
	return keep(m, v)
}

func (m *Mirror) AllMaybes(_ context.Context, v roundtrip.Maybes) roundtrip.Maybes {
	return keep(m, v)
}

// Many answers its parameters in a record.
func (m *Mirror) Many(
	_ context.Context, a uint8, b string, c []byte, d []roundtrip.Point, e roundtrip.Shape, f uint64, g string, h float64,
) roundtrip.Lists {
	return keep(m, ManyAsLists(a, b, c, d, e, f, g, h))
}

// Nested is the type of the function nested.
type Nested = component.Result[component.Option[roundtrip.Shape], component.Tuple2[string, uint8]]

// ManyAsLists is what the function many answers.
func ManyAsLists(
	a uint8, b string, c []byte, d []roundtrip.Point, e roundtrip.Shape, f uint64, g string, h float64,
) roundtrip.Lists {
	return roundtrip.Lists{
		Words:   []uint32{uint32(a)},
		Strings: []string{b, g},
		Bytes:   slices.Clone(c),
		Shapes:  []roundtrip.Shape{e, roundtrip.ShapePoints(slices.Clone(d))},
		Longs:   []int64{int64(f)},
		Doubles: []float64{h},
	}
}
