package module

import "testing"

func TestMemoryStaysAndEnds(t *testing.T) {
	m, err := newMemory(4*pageSize, nil)
	if err != nil {
		t.Fatal(err)
	}
	first := m.Allocate(0, 1<<32).Reallocate(pageSize)
	first[0] = 7
	second := m.Reallocate(4 * pageSize)
	if len(second) != 4*pageSize || cap(second) != 4*pageSize || &first[0] != &second[0] {
		t.Error("the memory moved or has another size")
	}
	if m.Reallocate(4*pageSize+1) != nil || !m.refused.Load() {
		t.Error("growth beyond the limit was not refused")
	}
	if m.size.Load() != 4*pageSize {
		t.Errorf("size %d", m.size.Load())
	}
	m.Free()
	if second[0] != 7 { // a guest that exits is still running
		t.Error("Free gave the memory back")
	}
	if err := m.release(); err != nil {
		t.Error(err)
	}
}
