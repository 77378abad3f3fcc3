package natsbridge

import (
	"fmt"
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
