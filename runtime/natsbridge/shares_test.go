package natsbridge

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// TestFloodDropsItsOwn: a channel that floods the ring loses its own messages, and the order stays that of arrival.
func TestFloodDropsItsOwn(t *testing.T) {
	r := newRing(8*slot, new(buffers))
	say := func(owner string, n int) {
		r.add(classData, entry{subject: fmt.Sprint(owner, n), body: r.buffers.get(10), owner: owner})
	}
	for n := range 3 {
		say("calm", n)
		say("flood", n)
	}
	for n := range 100 {
		say("flood", 3+n)
	}
	say("calm", 3)
	if got, want := contents(r), "calm0 calm1 calm2 flood99 flood100 flood101 flood102 calm3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if r.dropped[classData] != 103+4-8 {
		t.Errorf("%d dropped", r.dropped[classData])
	}
}

// TestPutBackKeepsTheOrder: what could not be sent is first again, among those of all owners.
func TestPutBackKeepsTheOrder(t *testing.T) {
	r := newRing(8*slot, new(buffers))
	for i, owner := range strings.Split("abab", "") {
		r.add(classData, entry{subject: fmt.Sprint(owner, i), body: r.buffers.get(10), owner: owner})
	}
	e, c, _ := r.take()
	r.putBack(c, e)
	if got := contents(r); got != "a0 b1 a2 b3" {
		t.Errorf("got %q", got)
	}
}

// TestSharesAsAList: in whatever order things happen, shares does what a plain list of the entries would.
func TestSharesAsAList(t *testing.T) {
	var (
		s    shares
		list []entry
		next uint64
	)
	dice := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		switch what := dice.IntN(8); {
		case what < 4 || len(list) == 0:
			owner := dice.IntN(6)
			next++
			e := entry{owner: fmt.Sprint(owner), order: next, body: &buffer{make([]byte, 0, 100*owner)}}
			s.push(e)
			list = append(list, e)
		case what == 4:
			bytes := make(map[string]int)
			for _, e := range list {
				bytes[e.owner] += e.cost()
			}
			got := s.drop()
			at := slices.IndexFunc(list, func(e entry) bool { return e.owner == got.owner })
			if list[at].order != got.order || bytes[got.owner] != slices.Max(slices.Collect(maps.Values(bytes))) {
				t.Fatalf("dropped %d of %s, who has %v", got.order, got.owner, bytes)
			}
			list = slices.Delete(list, at, at+1)
		default:
			if got := s.head().order; got != list[0].order {
				t.Fatalf("the head is %d, want %d", got, list[0].order)
			}
			e := s.pop()
			if what == 5 {
				s.pushFront(e)
				continue
			}
			list = list[1:]
		}
		if s.len() != len(list) {
			t.Fatalf("%d entries, want %d", s.len(), len(list))
		}
	}
	for _, want := range list {
		if got := s.pop(); got.order != want.order {
			t.Fatalf("got %d, want %d", got.order, want.order)
		}
	}
	if s.first != nil || s.last != nil || s.len() != 0 {
		t.Errorf("%d entries are left, from %v to %v", s.len(), s.first, s.last)
	}
}
