package canon

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
)

// held is a resource that counts its drops.
type held struct{ drops int }

func (h *held) Drop(context.Context) { h.drops++ }

// caught returns the fault that f ends with, or nil.
func caught(f func()) (err error) {
	defer Recover("test", &err)
	f()
	return nil
}

func TestTable(t *testing.T) {
	ctx := t.Context()
	table := NewTable[*held]("thing", 3, 2)
	a, b := &held{}, &held{}
	ha, hb := table.Add(ctx, a), table.Add(ctx, b)
	if ha == 0 || ha == hb || ha >= 1<<30 || hb >= 1<<30 {
		t.Fatalf("handles %d and %d", ha, hb)
	}
	if table.Get(ha) != a || table.Get(hb) != b {
		t.Error("Get answers another resource")
	}
	c := &held{}
	if err := caught(func() { table.Add(ctx, c) }); err == nil || c.drops != 1 {
		t.Errorf("Add to a full table: %v, %d drops", err, c.drops)
	}
	table.Drop(ctx, ha)
	if a.drops != 1 || table.Len() != 1 {
		t.Errorf("%d drops, %d open", a.drops, table.Len())
	}
	if next := table.Add(ctx, c); next == ha || table.Get(next) != c {
		t.Errorf("the handle %d came again", ha)
	}
	other := NewTable[*held]("other", 4, 2).Add(ctx, &held{})
	for name, h := range map[string]uint32{
		"zero": 0, "stale": ha, "foreign": other, "beyond": hb + 1, "all bits": 1<<32 - 1, "one": 1, "high bit": hb | 1<<30,
	} {
		for op, f := range map[string]func(){
			"Get":  func() { table.Get(h) },
			"Take": func() { table.Take(h) },
			"Drop": func() { table.Drop(ctx, h) },
		} {
			if _, ok := errors.AsType[*Error](caught(f)); !ok {
				t.Errorf("%s of the %s handle is no fault", op, name)
			}
		}
	}
	table.DropAll(ctx)
	if b.drops != 1 || c.drops != 2 || table.Len() != 0 {
		t.Errorf("after DropAll: %d and %d drops, %d open", b.drops, c.drops, table.Len())
	}
}

// TestTableGenerations uses a slot up and sees that no handle comes twice.
func TestTableGenerations(t *testing.T) {
	ctx := t.Context()
	table := NewTable[*held]("thing", 0, 1)
	seen := map[uint32]bool{}
	for range 2*maxGen + 10 {
		h := table.Add(ctx, &held{})
		if seen[h] {
			t.Fatalf("the handle %d came twice", h)
		}
		seen[h] = true
		table.Drop(ctx, h)
	}
}

// FuzzTable compares a table with a map, for any order of operations and any handles.
func FuzzTable(f *testing.F) {
	f.Add(uint64(1), uint32(0))
	f.Fuzz(func(t *testing.T, seed uint64, wild uint32) {
		r := rand.New(rand.NewPCG(seed, 2))
		table := NewTable[*held]("thing", 5, 4)
		open := map[uint32]*held{}
		var all []uint32
		for range 200 {
			h := wild
			if len(all) > 0 && r.IntN(4) > 0 {
				h = all[r.IntN(len(all))]
			}
			switch r.IntN(3) {
			case 0:
				v := &held{}
				if caught(func() { h = table.Add(t.Context(), v) }) == nil {
					if open[h] != nil {
						t.Fatalf("the handle %d came twice", h)
					}
					open[h], all = v, append(all, h)
				} else if len(open) < 4 {
					t.Fatal("Add failed below the bound")
				}
			case 1:
				var got *held
				if err := caught(func() { got = table.Get(h) }); (err == nil) != (open[h] != nil) || got != open[h] {
					t.Fatalf("Get(%d): %v, want %v (%v)", h, got, open[h], err)
				}
			case 2:
				if err := caught(func() { table.Drop(t.Context(), h) }); (err == nil) != (open[h] != nil) {
					t.Fatalf("Drop(%d): %v, want open %v", h, err, open[h] != nil)
				}
				delete(open, h)
			}
			if table.Len() != len(open) {
				t.Fatalf("%d open, want %d", table.Len(), len(open))
			}
		}
	})
}
