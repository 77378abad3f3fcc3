package hostfuncs

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
)

// A port that was never there is a mistake; one that was open before is an adapter that was unplugged.
func TestLostPort(t *testing.T) {
	_, path := line(t)
	adapter := filepath.Join(t.TempDir(), "ttyUSB0")
	c := channel(t, grant.Connection{Name: "main", Serial: &grant.Serial{Path: adapter}})
	missing := func() bool {
		t.Helper()
		s := c.Session(newSignals())
		defer s.Close(false)
		r := s.Open(t.Context(), "main")
		if r.Failed {
			t.Fatal(r.Err)
		}
		failed(t, r.Value.Ready(t.Context(), long), driver.IOErrorNotFound)
		lost, ok := errors.AsType[lostError](s.LastError())
		return ok && lost.Lost()
	}
	if missing() {
		t.Error("lost before it was ever open")
	}
	if err := os.Symlink(path, adapter); err != nil {
		t.Fatal(err)
	}
	s := c.Session(newSignals())
	port(t, s, "main").Drop(t.Context())
	if err := s.Close(false); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(adapter); err != nil {
		t.Fatal(err)
	}
	if !missing() {
		t.Error("not lost after it was open")
	}
}
