package natsbridge

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/point"
)

// slot is what one short entry costs.
const slot = 256 + entryBytes

func add(r *ring, c class, name string) bool {
	return r.add(c, entry{subject: name, body: r.buffers.get(10)})
}

func contents(r *ring) string {
	var names []string
	for {
		e, _, ok := r.take()
		if !ok {
			return strings.Join(names, " ")
		}
		names = append(names, e.subject)
	}
}

func TestRing(t *testing.T) {
	tests := []struct {
		name, add, want string // d is data, c control, r a reply
		dropped         [classes]uint64
	}{
		{"in order", "d1 c2 d3 c4", "d1 c2 d3 c4", [classes]uint64{}},
		{"replies overtake", "d1 c2 r3 d4", "r3 d1 c2 d4", [classes]uint64{}},
		{"the oldest data goes first", "d1 c2 d3 d4 d5 d6", "c2 d4 d5 d6", [classes]uint64{2, 0, 0}},
		{"control drops data", "c1 d2 c3 c4 c5", "c1 c3 c4 c5", [classes]uint64{1, 0, 0}},
		{"data does not drop control", "c1 c2 c3 c4 d5", "c1 c2 c3 c4", [classes]uint64{1, 0, 0}},
		{"control drops control at last", "c1 c2 c3 c4 c5", "c2 c3 c4 c5", [classes]uint64{0, 1, 0}},
		{"a reply drops anything", "d1 c2 c3 r4 r5 r6", "r4 r5 r6 c3", [classes]uint64{1, 1, 0}},
		{"round and round", "d1 d2 d3 d4 d5 d6 d7 d8 d9 d10 d11 d12 d13 d14 d15 d16 d17 d18 d19 d20",
			"d17 d18 d19 d20", [classes]uint64{16, 0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newRing(4*slot, new(buffers))
			for name := range strings.FieldsSeq(tt.add) {
				add(r, class(strings.IndexByte("dcr", name[0])), name)
			}
			if got := contents(r); got != tt.want || r.dropped != tt.dropped || r.bytes != 0 {
				t.Errorf("got %q, dropped %v, %d bytes; want %q, %v", got, r.dropped, r.bytes, tt.want, tt.dropped)
			}
		})
	}
}

func TestRingPutBack(t *testing.T) {
	r := newRing(3*slot, new(buffers))
	add(r, classData, "d1")
	add(r, classControl, "c2")
	e, c, _ := r.take()
	r.putBack(c, e)
	if got := contents(r); got != "d1 c2" {
		t.Errorf("got %q", got)
	}
	add(r, classData, "d1")
	e, c, _ = r.take()
	for i := range 3 {
		add(r, classData, fmt.Sprint("n", i))
	}
	r.putBack(c, e)
	if got := contents(r); got != "n0 n1 n2" || r.dropped[classData] != 1 {
		t.Errorf("got %q, dropped %v", got, r.dropped)
	}
}

func TestRingRefuses(t *testing.T) {
	r := newRing(2*slot, new(buffers))
	add(r, classData, "d1")
	if r.add(classControl, entry{subject: "huge", body: r.buffers.get(4096)}) {
		t.Error("took an entry above its limit")
	}
	r.close()
	if add(r, classControl, "late") {
		t.Error("took an entry after it was closed")
	}
	if got := contents(r); got != "d1" {
		t.Errorf("got %q", got)
	}
}

func TestBuffers(t *testing.T) {
	p := new(buffers)
	for _, tt := range []struct{ n, size int }{{0, 256}, {256, 256}, {257, 512}, {1 << 20, 1 << 20}, {1<<20 + 1, 1<<20 + 1}} {
		b := p.get(tt.n)
		if cap(b.b) != tt.size || len(b.b) != 0 {
			t.Errorf("get(%d) has %d of %d", tt.n, len(b.b), cap(b.b))
		}
		p.put(b)
	}
}

// A poll cycle costs no garbage on its way into the ring and out of it.
func TestDataAllocatesNothing(t *testing.T) {
	b := &Bridge{
		config: Config{Epoch: "e1"}, routes: newRoutes("drover", "n1"), buffers: new(buffers),
		clock: newClock(func() bool { return true }), streamed: newDeliveries(nil),
	}
	b.ring = newRing(defaultRingBytes, b.buffers)
	now := time.Now()
	p, err := point.New(point.Definition{Name: "p", Device: "d", Scalar: driver.ScalarTypeInt16, Scale: 0.1})
	if err != nil {
		t.Fatal(err)
	}
	r := p.Convert(driver.Sample{Value: component.Some(driver.ValueSigned(215))}, now)
	alone := point.Batch{Device: "d", Point: "p", Time: now, Readings: []point.Reading{r}}
	batch := point.Batch{Device: "d", Time: now, Readings: []point.Reading{r}}
	for i := range 20 {
		r.Name = fmt.Sprint("p", i)
		batch.Readings = append(batch.Readings, r)
	}
	allocs := testing.AllocsPerRun(1000, func() {
		batch.Seq++
		for _, one := range []point.Batch{batch, alone} {
			if !b.Data("ch", one) {
				t.Fatal("not taken")
			}
			e, _, _ := b.ring.take()
			b.buffers.put(e.body)
		}
	})
	if allocs > 0.1 && !raceEnabled {
		t.Errorf("%v allocations a cycle", allocs)
	}
}
