package module

import (
	"errors"
	"sync/atomic"

	"github.com/tetratelabs/wazero/experimental"
)

// memory backs one instance's linear memory with an area of its own that never moves and never outgrows its limit.
//
// wazero calls Free as soon as the module counts as closed, which a guest can bring about while its call is still
// running; the area therefore goes only with release, which the instance calls when nothing runs any more.
type memory struct {
	limit uint64
	area  []byte
	size  atomic.Uint64
	// refused is set once a growth was refused for the limit.
	refused atomic.Bool
}

var (
	_ experimental.MemoryAllocator = (*memory)(nil)
	_ experimental.LinearMemory    = (*memory)(nil)
)

// newMemory reserves an area of limit bytes, which begins with the pages of start unless that is nil. Pages cost nothing
// before they are written to, where the system allows it.
func newMemory(limit uint64, start *image) (*memory, error) {
	area, err := reserve(limit)
	if err != nil {
		return nil, err
	}
	if start != nil {
		if err := start.pages.into(area); err != nil {
			return nil, errors.Join(err, unreserve(area))
		}
	}
	return &memory{limit: limit, area: area}, nil
}

// Allocate implements experimental.MemoryAllocator. A module has at most one memory.
func (m *memory) Allocate(_, _ uint64) experimental.LinearMemory { return m }

// Reallocate implements experimental.LinearMemory: nil, which the guest sees as a failed memory.grow, above the limit.
func (m *memory) Reallocate(size uint64) []byte {
	if size > m.limit {
		m.refused.Store(true)
		return nil
	}
	m.size.Store(size)
	return m.area[:size:m.limit]
}

// Free implements experimental.LinearMemory; see the type's comment.
func (m *memory) Free() {}

// release gives the area back. Nothing may touch the memory afterwards.
func (m *memory) release() error {
	area := m.area
	m.area = nil
	return unreserve(area)
}
