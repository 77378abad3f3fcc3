package echotest

import (
	"math"
	"math/rand/v2"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/roundtrip"
)

// random makes values. The same seed gives the same.
type random struct{ *rand.Rand }

func newRandom(seed uint64) random { return random{rand.New(rand.NewPCG(seed, 1))} }

// edge returns one of the values at the ends of its type half of the time.
func edge[T any](r random, v T, edges ...T) T {
	if r.IntN(2) == 0 {
		return edges[r.IntN(len(edges))]
	}
	return v
}

func (r random) bool() bool      { return r.IntN(2) == 0 }
func (r random) u8() uint8       { return edge(r, uint8(r.Uint32()), 0, math.MaxUint8) }
func (r random) s8() int8        { return edge(r, int8(r.Uint32()), math.MinInt8, -1, math.MaxInt8) }
func (r random) u16() uint16     { return edge(r, uint16(r.Uint32()), 0, math.MaxUint16) }
func (r random) s16() int16      { return edge(r, int16(r.Uint32()), math.MinInt16, -1, math.MaxInt16) }
func (r random) u32() uint32     { return edge(r, r.Uint32(), 0, math.MaxUint32) }
func (r random) s32() int32      { return edge(r, int32(r.Uint32()), math.MinInt32, -1, math.MaxInt32) }
func (r random) u64() uint64     { return edge(r, r.Uint64(), 0, math.MaxUint64) }
func (r random) s64() int64      { return edge(r, int64(r.Uint64()), math.MinInt64, -1, math.MaxInt64) }
func (r random) byteSeq() []byte { return []byte(r.str()) }

func (r random) f32() float32 {
	return edge(r, float32(r.NormFloat64()), 0, float32(math.Copysign(0, -1)), float32(math.Inf(1)), math.MaxFloat32)
}

func (r random) f64() float64 {
	return edge(r, r.NormFloat64(), 0, math.Copysign(0, -1), math.Inf(-1), math.MaxFloat64, math.SmallestNonzeroFloat64)
}

// str is text, sometimes none and sometimes more than a guest's first memory holds.
func (r random) str() string {
	n := edge(r, r.IntN(40), 0, 1, 5000)
	letters := []rune("abc √∆ü\x00€\U0001F600")
	s := make([]rune, n)
	for i := range s {
		s[i] = letters[r.IntN(len(letters))]
	}
	return string(s)
}

func (r random) color() roundtrip.Color { return roundtrip.Color(r.IntN(3)) }
func (r random) big() roundtrip.Big     { return roundtrip.Big(edge(r, r.IntN(300), 0, 255, 256, 299)) }

func (r random) point() roundtrip.Point {
	return roundtrip.Point{ID: r.u32(), X: r.f32(), Y: r.f64(), Name: r.str()}
}

func (r random) scalars() roundtrip.Scalars {
	return roundtrip.Scalars{
		Truth: r.bool(), UEight: r.u8(), SEight: r.s8(), USixteen: r.u16(), SSixteen: r.s16(), UThirtyTwo: r.u32(),
		SThirtyTwo: r.s32(), USixtyFour: r.u64(), SSixtyFour: r.s64(), FThirtyTwo: r.f32(), FSixtyFour: r.f64(),
	}
}

func (r random) shape() roundtrip.Shape {
	switch roundtrip.ShapeTag(r.IntN(int(roundtrip.ShapeTagPoints) + 1)) {
	case roundtrip.ShapeTagSigned:
		return roundtrip.ShapeSigned(r.s32())
	case roundtrip.ShapeTagSingle:
		return roundtrip.ShapeSingle(r.f32())
	case roundtrip.ShapeTagLong:
		return roundtrip.ShapeLong(r.u64())
	case roundtrip.ShapeTagDouble:
		return roundtrip.ShapeDouble(r.f64())
	case roundtrip.ShapeTagTruth:
		return roundtrip.ShapeTruth(r.bool())
	case roundtrip.ShapeTagTiny:
		return roundtrip.ShapeTiny(r.s8())
	case roundtrip.ShapeTagColor:
		return roundtrip.ShapeColor(r.color())
	case roundtrip.ShapeTagText:
		return roundtrip.ShapeText(r.str())
	case roundtrip.ShapeTagBytes:
		return roundtrip.ShapeBytes(r.byteSeq())
	case roundtrip.ShapeTagPoint:
		return roundtrip.ShapePoint(r.point())
	case roundtrip.ShapeTagPair:
		return roundtrip.ShapePair(component.Tuple2[float32, uint64]{F0: r.f32(), F1: r.u64()})
	case roundtrip.ShapeTagMaybe:
		return roundtrip.ShapeMaybe(option(r, r.str))
	case roundtrip.ShapeTagOutcome:
		return roundtrip.ShapeOutcome(result(r, r.f64, r.color))
	case roundtrip.ShapeTagPoints:
		return roundtrip.ShapePoints(list(r, r.point))
	}
	return roundtrip.ShapeNothing()
}

func (r random) lists() roundtrip.Lists {
	return roundtrip.Lists{
		Bools: list(r, r.bool), Bytes: r.byteSeq(), Shorts: list(r, r.s16), Words: list(r, r.u32), Longs: list(r, r.s64),
		Singles: list(r, r.f32), Doubles: list(r, r.f64), Strings: list(r, r.str), Blobs: list(r, r.byteSeq),
		Colors: list(r, r.color), Bigs: list(r, r.big),
		Options: list(r, func() component.Option[uint32] { return option(r, r.u32) }),
		Results: list(r, func() component.Result[component.Unit, roundtrip.Color] { return result(r, unit, r.color) }),
		Shapes:  list(r, r.shape),
		Pairs:   list(r, func() component.Tuple2[string, float64] { return pair(r.str(), r.f64()) }),
		Nested:  list(r, func() []roundtrip.Shape { return list(r, r.shape) }),
	}
}

func (r random) maybes() roundtrip.Maybes {
	return roundtrip.Maybes{
		Text:    option(r, r.str),
		Twice:   option(r, func() component.Option[uint8] { return option(r, r.u8) }),
		Point:   option(r, r.point),
		Both:    result(r, r.u32, r.str),
		OnlyOk:  result(r, r.shape, unit),
		OnlyErr: result(r, unit, r.big),
		Neither: result(r, unit, unit),
		Pair:    pair(r.u8(), pair(r.s64(), r.bool())),
	}
}

func (r random) nested() Nested {
	return result(r,
		func() component.Option[roundtrip.Shape] { return option(r, r.shape) },
		func() component.Tuple2[string, uint8] { return pair(r.str(), r.u8()) })
}

func unit() component.Unit { return component.Unit{} }

func pair[A, B any](a A, b B) component.Tuple2[A, B] { return component.Tuple2[A, B]{F0: a, F1: b} }

func option[T any](r random, f func() T) component.Option[T] {
	if r.bool() {
		return component.None[T]()
	}
	return component.Some(f())
}

func result[T, E any](r random, ok func() T, err func() E) component.Result[T, E] {
	if r.bool() {
		return component.Err[T](err())
	}
	return component.OK[E](ok())
}

func list[T any](r random, f func() T) []T {
	var l []T
	for range r.IntN(4) {
		l = append(l, f())
	}
	return l
}
