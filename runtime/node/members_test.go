package node

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

func named(name string) *member { return &member{config: &config.Channel{Name: name}} }

func namesOf(s *members) string {
	var names []string
	for _, m := range s.all() {
		names = append(names, m.name())
	}
	return strings.Join(names, " ")
}

func TestMembersComeAndGo(t *testing.T) {
	s := newMembers(named("a"), named("b"), named("c"))
	before := s.all()
	b := named("b")
	s.replace(b)
	s.replace(named("d"))
	s.remove("a")
	s.remove("nobody")
	if got := namesOf(s); got != "b c d" {
		t.Errorf("there are %s", got)
	}
	if found, err := s.find("b"); err != nil || found != b || s.all()[0] != b {
		t.Errorf("b is %v, %v", found, err)
	}
	if _, err := s.find("a"); !errors.Is(err, message.ErrNotFound) {
		t.Errorf("a: %v", err)
	}
	if len(before) != 3 || before[0].name() != "a" || before[1] == b {
		t.Errorf("who looked before sees %v", before)
	}
}

// Of two that want to change a channel one is refused, with the reason; whole nodes and single channels keep each other out.
func TestHold(t *testing.T) {
	s := newMembers()
	releaseAB, err := s.hold("a swap", "a", "b")
	if err != nil {
		t.Fatal(err)
	}
	for _, names := range [][]string{{"b"}, {"c", "a"}, nil} {
		_, err := s.hold("an apply", names...)
		if e, ok := errors.AsType[*message.Error](err); !ok || e.Status != 409 || !strings.Contains(err.Error(), "a swap of channel") {
			t.Errorf("%v: %v", names, err)
		}
	}
	releaseC, err := s.hold("a swap", "c")
	if err != nil {
		t.Errorf("a channel that nobody holds: %v", err)
	}
	releaseAB()
	releaseAB() // again
	releaseC()
	release, err := s.hold("an apply")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.hold("a swap", "a"); err == nil || !strings.Contains(err.Error(), "an apply of the node") {
		t.Errorf("during an apply: %v", err)
	}
	release()
	if _, err := s.hold("a swap", "a"); err != nil {
		t.Error(err)
	}
}

func TestMembersAtOnce(t *testing.T) {
	s := newMembers()
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for round := range 50 {
				name := fmt.Sprintf("c%d", i)
				release, err := s.hold("a swap", name)
				if err != nil {
					t.Error(err)
					return
				}
				s.replace(named(name))
				if m, err := s.find(name); err != nil || !slices.Contains(s.all(), m) {
					t.Errorf("%s: %v", name, err)
				}
				if round%2 == 1 {
					s.remove(name)
				}
				release()
			}
		})
	}
	all.Wait()
	if got := namesOf(s); got != "" {
		t.Errorf("left: %s", got)
	}
}

// Who has the answer to a swap may ask for the next one at once.
func TestSwapsInARow(t *testing.T) {
	n := &Node{members: newMembers()}
	for range 20_000 {
		_, err := n.ctlSwap(t.Context(), []byte(`{"channel":"boiler","module":"modbus"}`))
		if e, ok := errors.AsType[*message.Error](err); !ok || e.Code == message.ErrConflict.Code {
			t.Fatal(err)
		}
	}
}
