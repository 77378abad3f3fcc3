package channel

import (
	"bytes"
	"testing"

	"github.com/droverhq/drover/abi/driver"
)

func TestState(t *testing.T) {
	s, _ := parts(t)
	if s.Load(t.Context()).Some {
		t.Error("something was saved before the first save")
	}
	view := []byte("first") // of the guest's memory
	if r := s.Save(t.Context(), view); r.Failed {
		t.Error(r.Err)
	}
	clear(view)
	if got := s.Load(t.Context()); string(got.Value) != "first" {
		t.Errorf("loaded %q", got.Value)
	}
	clear(s.Load(t.Context()).Value)
	if r := s.Save(t.Context(), make([]byte, 64<<10+1)); !r.Failed || r.Err != driver.StateErrorTooLarge {
		t.Errorf("one byte too many: %+v", r)
	}
	if got := s.Load(t.Context()); string(got.Value) != "first" {
		t.Errorf("loaded %q after a refused save", got.Value)
	}
	full := bytes.Repeat([]byte("x"), 64<<10)
	if r := s.Save(t.Context(), full); r.Failed {
		t.Error(r.Err)
	}
	next := &session{channel: s.channel, by: s.by}
	if got := next.Load(t.Context()); !bytes.Equal(got.Value, full) {
		t.Errorf("the next session loaded %d bytes", len(got.Value))
	}
	if s.Save(t.Context(), nil); !s.Load(t.Context()).Some {
		t.Error("an empty blob is not nothing")
	}
}
