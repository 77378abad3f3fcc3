//go:build wasip1

// Command roundtrip is the guest of the ABI's tests: each export answers what the import of the same name answers.
//
//	GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared -o roundtrip.wasm ./guests/roundtrip
package main

import (
	"runtime"
	"strconv"
	"strings"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/roundtrip"
	"github.com/droverhq/drover/abi/roundtrip/guest"
)

// A reactor module is initialized and then called: main does not run.
func main() {}

// The host calls the exports as soon as the module's variables are initialized.
var _ = export()

func export() struct{} {
	guest.ExportEcho(echo{})
	return struct{}{}
}

type echo struct{}

func (echo) Truth(v bool) bool            { return guest.MirrorTruth(v) }
func (echo) UEight(v uint8) uint8         { return guest.MirrorUEight(v) }
func (echo) SEight(v int8) int8           { return guest.MirrorSEight(v) }
func (echo) USixteen(v uint16) uint16     { return guest.MirrorUSixteen(v) }
func (echo) SSixteen(v int16) int16       { return guest.MirrorSSixteen(v) }
func (echo) UThirtyTwo(v uint32) uint32   { return guest.MirrorUThirtyTwo(v) }
func (echo) SThirtyTwo(v int32) int32     { return guest.MirrorSThirtyTwo(v) }
func (echo) USixtyFour(v uint64) uint64   { return guest.MirrorUSixtyFour(v) }
func (echo) SSixtyFour(v int64) int64     { return guest.MirrorSSixtyFour(v) }
func (echo) FThirtyTwo(v float32) float32 { return guest.MirrorFThirtyTwo(v) }
func (echo) FSixtyFour(v float64) float64 { return guest.MirrorFSixtyFour(v) }

func (echo) Hue(v roundtrip.Color) roundtrip.Color { return guest.MirrorHue(v) }
func (echo) Large(v roundtrip.Big) roundtrip.Big   { return guest.MirrorLarge(v) }

func (echo) AllScalars(v roundtrip.Scalars) roundtrip.Scalars { return guest.MirrorAllScalars(v) }
func (echo) Text(v string) string                             { return guest.MirrorText(v) }
func (echo) Bytes(v []byte) []byte                            { return guest.MirrorBytes(v, nil) }

// MaybeBytes gives a buffer with room, so that the host writes into it.
func (echo) MaybeBytes(v component.Option[[]byte]) component.Option[[]byte] {
	r := guest.MirrorMaybeBytes(v, append(make([]byte, 0, 1024), "kept"...))
	if r.Some {
		r.Value = r.Value[len("kept"):]
	}
	return r
}

// TriedBytes gives a buffer that is too small for most.
func (echo) TriedBytes(v component.Result[[]byte, roundtrip.Color]) component.Result[[]byte, roundtrip.Color] {
	return guest.MirrorTriedBytes(v, make([]byte, 0, 4))
}

func (echo) Doubles(v []float64) []float64                 { return guest.MirrorDoubles(v) }
func (echo) OneShape(v roundtrip.Shape) roundtrip.Shape    { return guest.MirrorOneShape(v) }
func (echo) Shapes(v []roundtrip.Shape) []roundtrip.Shape  { return guest.MirrorShapes(v) }
func (echo) AllLists(v roundtrip.Lists) roundtrip.Lists    { return guest.MirrorAllLists(v) }
func (echo) AllMaybes(v roundtrip.Maybes) roundtrip.Maybes { return guest.MirrorAllMaybes(v) }
func (echo) Nothing()                                      { guest.MirrorNothing() }

type nested = component.Result[component.Option[roundtrip.Shape], component.Tuple2[string, uint8]]

func (echo) Nested(v nested) nested { return guest.MirrorNested(v) }

func (echo) Many(
	a uint8, b string, c []byte, d []roundtrip.Point, e roundtrip.Shape, f uint64, g string, h float64,
) roundtrip.Lists {
	return guest.MirrorMany(a, b, c, d, e, f, g, h)
}

func (echo) Things(names []string) []string {
	var things []guest.Thing
	var answers []string
	for i, name := range names {
		t := open(i, name)
		things = append(things, t)
		answers = append(answers, guest.ThingName(t))
	}
	answers = append(answers, guest.MirrorNames(things)...)
	for i, t := range things {
		if i%2 == 0 {
			answers = append(answers, guest.MirrorConsume(t))
			continue
		}
		t.Drop()
	}
	return answers
}

// open opens a thing in one of the two ways.
func open(i int, name string) guest.Thing {
	if i%2 == 0 {
		return guest.MirrorOpen(name)
	}
	r := guest.MirrorTryOpen(name)
	if r.Failed || r.Value.F1 != name {
		panic("open " + name + ": another answer")
	}
	return r.Value.F0
}

func (echo) LeaveOpen(name string) uint32 {
	t := guest.MirrorOpen(name)
	if guest.ThingMany(t, "a", "b", "c", "d", "e", "f", name, []uint16{1, 2, 65535}) != 65538 {
		panic("many: another answer")
	}
	return uint32(t)
}

// steady calls imports n times in the way that a driver does all day, and returns how many blocks Go allocated for it.
//
//go:wasmexport steady
func steady(n uint32) uint64 {
	points := []roundtrip.Point{{ID: 1, X: 2, Y: 3}, {ID: 4, X: 5, Y: 6}}
	buf := make([]byte, 0, 64)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		buf = guest.MirrorBytes(append(buf[:0], "a frame of a device"...), buf[:0])
		points[0].ID = guest.MirrorTally(points) + guest.MirrorUThirtyTwo(uint32(len(buf)))
	}
	runtime.ReadMemStats(&after)
	return after.Mallocs - before.Mallocs
}

// crowd calls imports from n goroutines at once, which are switched wherever Go allocates, and returns how many answers
// were not what was asked for.
//
//go:wasmexport crowd
func crowd(n uint32) uint32 {
	wrong := make(chan uint32)
	for i := range n {
		go func() { wrong <- member(i) }()
	}
	var sum uint32
	for range n {
		sum += <-wrong
	}
	return sum
}

func member(i uint32) (wrong uint32) {
	for round := range 50 {
		text := strings.Repeat(strconv.Itoa(int(i)), round*int(i+1))
		points := []roundtrip.Shape{roundtrip.ShapeText(text), roundtrip.ShapePoints([]roundtrip.Point{{Name: text}})}
		answer := guest.MirrorShapes(points)
		if len(answer) != 2 || answer[0].Text() != text || answer[1].Points()[0].Name != text {
			wrong++
		}
		if guest.MirrorText(text) != text {
			wrong++
		}
		if round%10 == 0 {
			runtime.GC()
		}
		runtime.Gosched()
	}
	return wrong
}
