package plan

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/droverhq/drover/guests/modbus/pdu"
)

var defaults = Limits{Gap: 8, MaxRegisters: 125, MaxBits: 2000}

func item(start uint16, size, index int) Item {
	return Item{Area: pdu.Holding, Start: start, Size: size, Index: index}
}

// reads returns the requests of blocks, to compare.
func reads(blocks []Block) []string {
	var out []string
	for _, b := range blocks {
		out = append(out, b.String())
	}
	return out
}

func TestBlocks(t *testing.T) {
	coil := func(start uint16) Item { return Item{Area: pdu.Coil, Start: start, Size: 1} }
	tests := []struct {
		name   string
		items  []Item
		limits Limits
		cuts   Cuts
		want   []string
	}{
		{name: "nothing"},
		{name: "neighbours, in any order", items: []Item{item(102, 2, 0), item(100, 2, 1)},
			want: []string{"holding 100..103"}},
		{name: "a gap as large as allowed", items: []Item{item(100, 2, 0), item(110, 1, 1)},
			want: []string{"holding 100..110"}},
		{name: "a gap one larger", items: []Item{item(100, 2, 0), item(111, 1, 1)},
			want: []string{"holding 100..101", "holding 111..111"}},
		{name: "gap 0", items: []Item{item(100, 2, 0), item(102, 1, 1), item(104, 1, 2)},
			limits: Limits{MaxRegisters: 125, MaxBits: 2000}, want: []string{"holding 100..102", "holding 104..104"}},
		{name: "the largest request", items: []Item{item(0, 124, 0), item(124, 1, 1), item(125, 1, 2)},
			want: []string{"holding 0..124", "holding 125..125"}},
		{name: "never more than the specification", items: []Item{item(0, 100, 0), item(100, 100, 1)},
			limits: Limits{MaxRegisters: 1000, MaxBits: 5000}, want: []string{"holding 0..99", "holding 100..199"}},
		{name: "overlapping", items: []Item{item(100, 4, 0), item(102, 1, 1), item(100, 1, 2)},
			want: []string{"holding 100..103"}},
		{name: "areas apart", items: []Item{coil(100), item(100, 1, 1)},
			want: []string{"coil 100..100", "holding 100..100"}},
		{name: "a gap of bits is 16 times as large", items: []Item{coil(0), coil(129), coil(259)},
			want: []string{"coil 0..129", "coil 259..259"}},
		{name: "cut", items: []Item{item(100, 1, 0), item(101, 1, 1), item(102, 1, 2)},
			cuts: Cuts{{pdu.Holding, 101}}, want: []string{"holding 100..100", "holding 101..102"}},
		{name: "cut in a hole", items: []Item{item(100, 1, 0), item(105, 1, 1)},
			cuts: Cuts{{pdu.Holding, 103}}, want: []string{"holding 100..100", "holding 105..105"}},
		{name: "cut of another area", items: []Item{item(100, 1, 0), item(101, 1, 1)},
			cuts: Cuts{{pdu.Coil, 101}, {pdu.Input, 101}}, want: []string{"holding 100..101"}},
		{name: "the end of the area", items: []Item{item(65535, 1, 0), item(65530, 2, 1)},
			want: []string{"holding 65530..65535"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.limits == (Limits{}) {
				tt.limits = defaults
			}
			got := Blocks(tt.items, tt.limits, tt.cuts)
			if diff := cmp.Diff(tt.want, reads(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestSplit(t *testing.T) {
	tests := []struct {
		name  string
		items []Item
		want  Cuts
	}{
		{"one point", []Item{item(100, 2, 0)}, nil},
		{"points of one register", []Item{item(100, 1, 0), item(100, 1, 1)}, nil},
		{"holes", []Item{item(100, 1, 0), item(102, 1, 1), item(103, 1, 2), item(106, 1, 3)},
			Cuts{{pdu.Holding, 102}, {pdu.Holding, 106}}},
		{"no hole", []Item{item(100, 1, 0), item(101, 1, 1), item(102, 1, 2)}, Cuts{{pdu.Holding, 102}}},
		{"overlapping", []Item{item(100, 4, 0), item(102, 1, 1)}, Cuts{{pdu.Holding, 102}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := Split(Blocks(tt.items, defaults, nil)[0])
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestSplitEnds holds that splitting what is refused again and again ends with single points.
func TestSplitEnds(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		items := randomItems(random, 60)
		cuts := Cuts(nil)
		for range 200 {
			blocks := Blocks(items, defaults, cuts)
			at := slices.IndexFunc(blocks, func(b Block) bool { return Split(b) != nil })
			if at < 0 {
				break
			}
			more := Split(blocks[at])
			for _, cut := range more {
				cuts = cuts.Add(cut)
			}
			if len(Blocks(items, defaults, cuts)) <= len(blocks) {
				t.Fatalf("cuts %v do not divide %v", more, blocks[at])
			}
		}
		for _, b := range Blocks(items, defaults, cuts) {
			if Split(b) != nil {
				t.Fatalf("%v is not divided", b)
			}
		}
	}
}

func TestCutsOutAndBack(t *testing.T) {
	want := Cuts{{pdu.Coil, 5}, {pdu.Holding, 1}, {pdu.Holding, 65535}}
	var cuts Cuts
	for _, cut := range []Cut{want[2], want[0], want[1], want[2]} {
		cuts = cuts.Add(cut)
	}
	got, rest, ok := ParseCuts(append(cuts.Append(nil), 7))
	if diff := cmp.Diff(want, got); !ok || diff != "" || len(rest) != 1 {
		t.Errorf("%v, %v (-want +got):\n%s", ok, rest, diff)
	}
	blob := cuts.Append(nil)
	for n := range blob {
		if _, _, ok := ParseCuts(blob[:n]); ok {
			t.Errorf("%d bytes taken for cuts", n)
		}
	}
}

func randomItems(random *rand.Rand, n int) []Item {
	items := make([]Item, random.IntN(n)+1)
	for i := range items {
		items[i] = Item{Area: pdu.Area(random.IntN(4) + 1), Start: uint16(random.IntN(400)), Size: 1, Index: i}
		if !items[i].Area.Bits() {
			items[i].Size = 1 + random.IntN(6)
		}
	}
	return items
}

// FuzzBlocks holds the plan's promises: each point in exactly one block, whole; limits, gaps and cuts respected.
func FuzzBlocks(f *testing.F) {
	f.Add(uint64(1), uint8(8), uint8(125), uint16(2000))
	f.Add(uint64(2), uint8(0), uint8(10), uint16(16))
	f.Fuzz(func(t *testing.T, seed uint64, gap, registers uint8, bits uint16) {
		random := rand.New(rand.NewPCG(seed, 0))
		limits := Limits{Gap: int(gap), MaxRegisters: 6 + int(registers), MaxBits: 1 + int(bits)}
		items := randomItems(random, 80)
		var cuts Cuts
		for range random.IntN(5) {
			cuts = cuts.Add(Cut{pdu.Area(random.IntN(4) + 1), uint16(random.IntN(400))})
		}
		seen := make([]int, len(items))
		for _, b := range Blocks(slices.Clone(items), limits, cuts) {
			checkBlock(t, b, limits, cuts)
			for _, it := range b.Items {
				seen[it.Index]++
				if it != items[it.Index] || it.Area != b.Area || it.Start < b.Start ||
					it.end() > int(b.Start)+int(b.Count) {
					t.Fatalf("%+v is not whole in %v", it, b.Read)
				}
			}
		}
		for i, n := range seen {
			if n != 1 {
				t.Fatalf("%+v is in %d blocks", items[i], n)
			}
		}
	})
}

func checkBlock(t *testing.T, b Block, limits Limits, cuts Cuts) {
	t.Helper()
	if int(b.Count) > limits.Max(b.Area) || int(b.Count) > b.Area.Max() {
		t.Fatalf("%v is above the limits %+v", b.Read, limits)
	}
	end := int(b.Start)
	for _, it := range b.Items {
		if int(it.Start)-end > limits.gap(b.Area) {
			t.Fatalf("gap of %d in %v", int(it.Start)-end, b.Read)
		}
		if end = max(end, it.end()); cuts.between(b.Area, b.Start, it.Start) {
			t.Fatalf("%v reaches over a cut of %v", b.Read, cuts)
		}
	}
	if end != int(b.Start)+int(b.Count) {
		t.Fatalf("%v reads %d beyond its points", b.Read, int(b.Start)+int(b.Count)-end)
	}
}
