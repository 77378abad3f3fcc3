package plan

import (
	"cmp"
	"slices"

	"github.com/droverhq/drover/guests/modbus/pdu"
)

// registerBits is how many bits count as one register where a limit is given in registers.
const registerBits = 16

// Item is a point: Size registers or bits of an area from offset Start. Its caller knows it by Index.
type Item struct {
	Area  pdu.Area
	Start uint16
	Size  int
	Index int
}

// end is the offset behind the item.
func (i Item) end() int { return int(i.Start) + i.Size }

// Limits bound what is joined.
type Limits struct {
	// Gap is the most registers between two points that are read along with them; 16 times as many bits.
	Gap int
	// MaxRegisters and MaxBits are the most that one request asks for.
	MaxRegisters, MaxBits int
}

func (l Limits) gap(a pdu.Area) int {
	if a.Bits() {
		return l.Gap * registerBits
	}
	return l.Gap
}

// Max is the most registers or bits that one request for the area asks for.
func (l Limits) Max(a pdu.Area) int {
	if a.Bits() {
		return min(l.MaxBits, pdu.MaxBits)
	}
	return min(l.MaxRegisters, pdu.MaxRegisters)
}

// Block is one request and the points that it reads, by start.
type Block struct {
	pdu.Read
	Items []Item
}

// Blocks plans the requests that read items, which it sorts. Each item is in one block, whole: an item that is larger
// than the limits has a block of its own. A block never reaches over a cut, but with an item that does.
func Blocks(items []Item, limits Limits, cuts Cuts) []Block {
	slices.SortFunc(items, compareItems)
	var blocks []Block
	for from := 0; from < len(items); {
		to, end := from+1, items[from].end()
		for to < len(items) && joins(items[from], end, items[to], limits, cuts) {
			end = max(end, items[to].end())
			to++
		}
		first := items[from]
		read := pdu.Read{Area: first.Area, Start: first.Start, Count: uint16(end - int(first.Start))}
		blocks = append(blocks, Block{Read: read, Items: items[from:to:to]})
		from = to
	}
	return blocks
}

// compareItems orders by place. Of items with one start the largest comes first, and then the index decides.
func compareItems(a, b Item) int {
	return cmp.Or(cmp.Compare(a.Area, b.Area), cmp.Compare(a.Start, b.Start), cmp.Compare(b.Size, a.Size),
		cmp.Compare(a.Index, b.Index))
}

// joins says whether next may join the block that begins with first and ends at end.
func joins(first Item, end int, next Item, limits Limits, cuts Cuts) bool {
	return next.Area == first.Area &&
		int(next.Start) <= end+limits.gap(first.Area) &&
		max(end, next.end())-int(first.Start) <= limits.Max(first.Area) &&
		!cuts.between(first.Area, first.Start, next.Start)
}
