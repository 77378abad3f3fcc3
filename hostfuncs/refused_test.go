package hostfuncs

import (
	"fmt"
	"strings"
	"testing"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/hostfuncs/grant"
)

// TestDenied: each attempt to open what was not granted is heard of, with what the guest wanted.
func TestDenied(t *testing.T) {
	heard := newSignals()
	s := channel(t, tcp("main", server(t, echo))).Session(heard)
	ctx := t.Context()
	home := driver.TargetAddress("127.0.0.1:4222")
	s.Connect(ctx, driver.TargetName("other"))
	s.Connect(ctx, home)
	s.Bind(ctx, driver.TargetName("main"))
	s.Bind(ctx, home)
	s.Listen(ctx, "main")
	s.Open(ctx, "/dev/ttyS0")
	done(t, s, connect(t, s, "main").Ready(ctx, long))
	want := []string{
		"other: not granted: no tcp", "127.0.0.1:4222: not granted: no pattern of grants.tcp covers 127.0.0.1:4222", "main: not granted: no udp",
		"127.0.0.1:4222: not granted: no pattern of grants.udp covers 127.0.0.1:4222", "main: not granted: no listener", "/dev/ttyS0: not granted: no serial",
	}
	if len(heard.denied) != len(want) || heard.refused != 0 {
		t.Fatalf("heard %q and %d refusals", heard.denied, heard.refused)
	}
	for i := range want {
		if !strings.HasPrefix(heard.denied[i], want[i]) {
			t.Errorf("heard %q, want %q", heard.denied[i], want[i])
		}
	}
}

// TestRefusals: what is out of range, or in a phase without I/O, is heard of; what a device does is not.
func TestRefusals(t *testing.T) {
	heard := newSignals()
	s := channel(t, tcp("main", server(t, echo))).Session(heard)
	ctx := t.Context()
	st := connect(t, s, "main")
	failed(t, st.Read(ctx, 0, long), driver.IOErrorInvalid)
	failed(t, st.Read(ctx, 64<<10+1, long), driver.IOErrorInvalid)
	failed(t, st.ReadFrame(ctx, 64<<10+1, long, long, 0), driver.IOErrorInvalid)
	failed(t, st.ReadFrame(ctx, 8, long, long, 9), driver.IOErrorInvalid)
	failed(t, st.Write(ctx, make([]byte, 64<<10+1), long), driver.IOErrorInvalid)
	failed(t, st.Read(ctx, 1, 0), driver.IOErrorTimeout)
	if heard.refused != 5 {
		t.Errorf("heard %d", heard.refused)
	}
	heard.forbids = true
	failed(t, s.Connect(ctx, driver.TargetName("main")), driver.IOErrorInvalid)
	failed(t, st.Read(ctx, 1, 0), driver.IOErrorInvalid)
	if heard.refused != 7 || len(heard.denied) != 0 {
		t.Errorf("heard %d, and %q", heard.refused, heard.denied)
	}
}

// TestStreamsAreBounded: one more than the limit is busy, until one was dropped.
func TestStreamsAreBounded(t *testing.T) {
	address := server(t, echo)
	grants := make([]grant.Connection, 17)
	for i := range grants {
		grants[i] = tcp(fmt.Sprint("c", i), address)
	}
	heard := newSignals()
	s := channel(t, grants...).Session(heard)
	first := connect(t, s, "c0")
	for i := range 15 {
		connect(t, s, fmt.Sprint("c", i+1))
	}
	failed(t, s.Connect(t.Context(), driver.TargetName("c16")), driver.IOErrorBusy)
	if heard.refused != 1 {
		t.Errorf("heard %d", heard.refused)
	}
	first.Drop(t.Context())
	failed(t, s.Connect(t.Context(), driver.TargetName("c1")), driver.IOErrorBusy)
	if heard.refused != 2 {
		t.Errorf("heard %d", heard.refused)
	}
	connect(t, s, "c16")
	if err := s.Close(false); err != nil {
		t.Error(err)
	}
}
