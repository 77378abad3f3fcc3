package meter

import "fmt"

// helper is a function that is appended to a module which needs it.
type helper uint8

const (
	// helperTick charges for its parameter, a number of bytes or elements, and returns it.
	helperTick helper = iota
	// helperGrow does so for a number of pages.
	helperGrow
	// helperFill and helperCopy are memory.fill and memory.copy, charged and in pieces.
	helperFill
	helperCopy
	// helperInit is memory.init of one data segment; there is one for each segment that is larger than a piece.
	helperInit
	// helperDispatch stands for call_indirect of one type.
	helperDispatch
)

const (
	// piece is how many bytes are filled or copied in one go.
	piece = 1 << 20
	// byteShift makes a charge of a number of bytes or elements: 64 for one unit.
	byteShift = 6
	// pageShift makes one of a number of pages of 64 KiB.
	pageShift = 10
)

// helpers are those that a module needs, in the order in which they are appended.
type helpers struct {
	list  []helperFunction
	index map[helperFunction]uint32
}

// helperFunction is a helper, of a data segment or a type where there is one for each.
type helperFunction struct {
	helper
	of uint32
}

// need returns the place of a helper behind the module's functions.
func (h *helpers) need(f helperFunction) uint32 {
	if i, ok := h.index[f]; ok {
		return i
	}
	if h.index == nil {
		h.index = map[helperFunction]uint32{}
	}
	i := uint32(len(h.list))
	h.index[f] = i
	h.list = append(h.list, f)
	return i
}

// changes names the instructions that change, or take from, what is neither the memory's content nor a global. table.set
// is another.
var changes = map[uint32]string{
	miscMemoryInit: "memory.init", miscDataDrop: "data.drop", miscTableInit: "table.init", miscElemDrop: "elem.drop",
	miscTableCopy: "table.copy", miscTableGrow: "table.grow", miscTableFill: "table.fill",
}

// misc reads an instruction behind the prefix 0xfc (core specification 2.0, 5.4.6 and 5.4.5).
func (b *body) misc(start int) {
	n := b.r.u32("an instruction")
	if b.r.err != nil {
		return
	}
	b.spend(costSimple)
	if what := changes[n]; what != "" {
		b.m.forbid("it uses %s", what)
	}
	b.m.observed = b.m.observed || n >= miscTableInit
	switch n {
	case 0, 1, 2, 3, 4, 5, 6, 7: // saturating conversions
		b.operands(1, 1)
	case miscDataDrop, miscElemDrop:
		b.r.u32("the index of a segment")
	case 16: // table.size
		b.r.u32("a table's index")
		b.operands(0, 1)
	case miscMemoryInit:
		b.memoryInit(start)
		b.operands(3, 0)
	case miscMemoryCopy:
		b.zero(2)
		b.fillOrCopy(start, helperCopy)
		b.operands(3, 0)
	case miscMemoryFill:
		b.zero(1)
		b.fillOrCopy(start, helperFill)
		b.operands(3, 0)
	case miscTableInit, miscTableCopy:
		b.r.u32("an index")
		b.r.u32("a table's index")
		b.bulk(start, helperTick)
		b.operands(3, 0)
	case miscTableGrow:
		b.r.u32("a table's index")
		b.bulk(start, helperTick)
		b.operands(2, 1)
	case miscTableFill:
		b.r.u32("a table's index")
		b.bulk(start, helperTick)
		b.operands(3, 0)
	default:
		b.r.fail(start, "an instruction of WebAssembly 2.0", fmt.Sprintf("0xfc %d", n))
	}
}

// zero reads indices of memories, of which there is one.
func (b *body) zero(n int) {
	for range n {
		start := b.r.at
		if i := b.r.byte("a memory's index"); i != 0 {
			b.r.fail(start, "memory 0", fmt.Sprint(i))
		}
	}
}

// bulk plans the call of a helper, before an instruction or instead of it.
func (b *body) bulk(start int, h helper) {
	kind := editHelper
	if h == helperTick || h == helperGrow {
		kind = editTick
	}
	b.help(start, kind, helperFunction{helper: h})
}

func (b *body) help(start int, kind editKind, f helperFunction) {
	b.called()
	b.spend(costCall)
	b.edit(edit{at: start, kind: kind, arg: b.m.helpers.need(f)})
}

// fillOrCopy stays as it is where the number of bytes is a constant that is not too large: Go copies its values so.
func (b *body) fillOrCopy(start int, h helper) {
	if b.assignment.constant != start || b.assignment.value > piece {
		b.bulk(start, h)
		return
	}
	b.spend(costCall + int(b.assignment.value>>byteShift))
}

// memoryInit is charged; in pieces only where the segment is larger than one.
func (b *body) memoryInit(start int) {
	segment := b.r.index("data segment", len(b.m.data))
	b.zero(1)
	if b.r.err != nil {
		return
	}
	if b.m.data[segment] > piece {
		b.help(start, editHelper, helperFunction{helper: helperInit, of: segment})
		return
	}
	b.bulk(start, helperTick)
}
