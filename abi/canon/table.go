package canon

import "context"

// A handle is an index, a generation and the number of its table, so that one that was dropped, or belongs to a resource
// of another type, is told from one that is open:
//
//	bits 0 to 11   index
//	bits 12 to 24  generation of the slot, from 1
//	bits 25 to 29  number of the table
//
// It stays below 2^30, which the component model gives as the bound.
const (
	indexBits  = 12
	genBits    = 13
	tableBits  = 5
	maxIndex   = 1<<indexBits - 1
	maxGen     = 1<<genBits - 1
	tableShift = indexBits + genBits
)

// Resource is what a table holds.
type Resource interface {
	// Drop ends the guest's use of it.
	Drop(ctx context.Context)
}

// Table has the open handles of one resource type in one instance. A slot whose generations are used up is never used
// again, so that no handle comes twice.
type Table[T Resource] struct {
	name   string
	number uint32
	max    int
	open   int
	slots  []slot[T]
	free   []uint32
}

type slot[T Resource] struct {
	value T
	gen   uint32
	open  bool
}

// NewTable returns a table of at most max open handles. name is the resource's in WIT; number, below 32, tells the
// tables of an instance apart.
func NewTable[T Resource](name string, number uint32, max int) *Table[T] {
	return &Table[T]{name: name, number: number & (1<<tableBits - 1), max: max}
}

// Len returns how many handles are open.
func (t *Table[T]) Len() int { return t.open }

// Add gives v a handle. When the table is full it drops v and traps.
func (t *Table[T]) Add(ctx context.Context, v T) uint32 {
	i, ok := t.slot()
	if !ok {
		v.Drop(ctx)
		fault("more than %d open %s handles", t.max, t.name)
	}
	s := &t.slots[i]
	s.value, s.open = v, true
	s.gen++
	t.open++
	return t.number<<tableShift | s.gen<<indexBits | i
}

// slot returns the index of a slot that is not open.
func (t *Table[T]) slot() (uint32, bool) {
	if t.open >= t.max {
		return 0, false
	}
	if n := len(t.free); n > 0 {
		i := t.free[n-1]
		t.free = t.free[:n-1]
		return i, true
	}
	if len(t.slots) > maxIndex {
		return 0, false
	}
	t.slots = append(t.slots, slot[T]{})
	return uint32(len(t.slots) - 1), true
}

// Get returns what handle h stands for. It traps when h is not open.
func (t *Table[T]) Get(h uint32) T { return t.find(h).value }

// Take is Get, and closes the handle: the caller has the resource now.
func (t *Table[T]) Take(h uint32) T {
	s := t.find(h)
	v := s.value
	t.close(h & maxIndex)
	return v
}

// Drop closes handle h and drops its resource.
func (t *Table[T]) Drop(ctx context.Context, h uint32) { t.Take(h).Drop(ctx) }

// DropAll drops every resource whose handle is still open.
func (t *Table[T]) DropAll(ctx context.Context) {
	for i := range t.slots {
		if s := &t.slots[i]; s.open {
			v := s.value
			t.close(uint32(i))
			v.Drop(ctx)
		}
	}
}

func (t *Table[T]) find(h uint32) *slot[T] {
	if h>>tableShift != t.number || h>>indexBits&maxGen == 0 {
		fault("%d is no %s handle", h, t.name)
	}
	i := h & maxIndex
	if i >= uint32(len(t.slots)) || !t.slots[i].open || t.slots[i].gen != h>>indexBits&maxGen {
		fault("the %s handle %d is not open", t.name, h)
	}
	return &t.slots[i]
}

func (t *Table[T]) close(i uint32) {
	s := &t.slots[i]
	var none T
	s.value, s.open = none, false
	t.open--
	if s.gen < maxGen {
		t.free = append(t.free, i)
	}
}
