package sdktest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
	"github.com/droverhq/drover/guests/sdk/sdktest"
)

// complaints is a testing.TB that collects what is reported.
type complaints struct {
	testing.TB
	texts []string
}

func (c *complaints) Helper() {}

func (c *complaints) Errorf(format string, args ...any) {
	c.texts = append(c.texts, fmt.Sprintf(format, args...))
}

// Fatalf ends the test's function as the real one does, by leaving it.
func (c *complaints) Fatalf(format string, args ...any) {
	c.Errorf(format, args...)
	panic(c)
}

func TestMisuseIsReported(t *testing.T) {
	tests := map[string]struct {
		misuse func(h *sdktest.Host)
		want   string
	}{
		"a stream that is closed": {func(h *sdktest.Host) { h.StreamFlush(7) }, "used stream 7, which is not open"},
		"waiting for ever":        {func(h *sdktest.Host) { h.Wait(nil, uint64(sdk.Forever)) }, "waits for ever"},
		"text that is not UTF-8":  {func(h *sdktest.Host) { h.Log(driver.LevelInfo, "\xff", nil) }, "not UTF-8"},
		"an unknown command": {func(h *sdktest.Host) {
			h.Reply(3, component.OK[driver.CommandError](driver.ResponseInvoke("1")))
		}, "command 3 is unknown"},
		"a second answer": {func(h *sdktest.Host) {
			id := h.Command(driver.RequestRead(nil), time.Second)
			for range 2 {
				h.Reply(id, component.OK[driver.CommandError](driver.ResponseRead(nil)))
			}
		}, "command 1 is unknown or answered already"},
		"a line that fails with anything": {func(h *sdktest.Host) {
			h.Connect("x", driver.ConnectionKindTCP, nil).Push(sdktest.Reply{Err: fmt.Errorf("x")})
		}, "not with *errors.errorString"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := &complaints{TB: t}
			func() {
				defer func() {
					if r := recover(); r != nil && r != any(c) {
						panic(r)
					}
				}()
				tt.misuse(sdktest.New(c))
			}()
			if len(c.texts) != 1 || !strings.Contains(c.texts[0], tt.want) {
				t.Errorf("reported %q", c.texts)
			}
		})
	}
}

func TestClock(t *testing.T) {
	h := sdktest.New(t)
	var story []string
	tell := func(s string) func() {
		return func() { story = append(story, fmt.Sprintf("%v %s", h.Elapsed(), s)) }
	}
	h.At(2*time.Second, tell("second"))
	h.At(time.Second, func() { tell("first")(); h.After(500*time.Millisecond, tell("between")) })
	h.At(time.Second, tell("first too"))
	h.Advance(1200 * time.Millisecond)
	tell("advanced")()
	h.Sleep(10 * time.Second)
	want := []string{"1s first", "1s first too", "1.2s advanced", "1.5s between", "2s second"}
	if !slices.Equal(story, want) || h.Elapsed() != 11200*time.Millisecond {
		t.Errorf("%q, at %v", story, h.Elapsed())
	}
}

func TestReopenAfterALoss(t *testing.T) {
	h := sdktest.New(t)
	l := h.Connect("plc", driver.ConnectionKindTCP, func([]byte) []sdktest.Reply {
		return []sdktest.Reply{{Data: []byte("x")}}
	})
	ctx := h.Context(sdk.Config{Connections: []sdk.Connection{{Name: "plc", Kind: driver.ConnectionKindTCP}}})
	for range 2 {
		s, err := ctx.Open("plc")
		if err != nil {
			t.Fatal(err)
		}
		var buf [4]byte
		_, _ = s.Write(buf[:])
		if n, err := s.Read(buf[:]); n != 1 || err != nil {
			t.Errorf("%d, %v", n, err)
		}
		l.Push(sdktest.Reply{Err: sdk.ErrClosed})
		if _, err := s.Read(buf[:]); err != sdk.ErrClosed {
			t.Error(err)
		}
		_ = s.Close()
	}
	if l.Opened() != 2 {
		t.Errorf("opened %d times", l.Opened())
	}
}

func TestFaultsOfALine(t *testing.T) {
	h := sdktest.New(t)
	l := h.Connect("plc", driver.ConnectionKindTCP, nil)
	ctx := h.Context(sdk.Config{Connections: []sdk.Connection{{Name: "plc", Kind: driver.ConnectionKindTCP}}})
	l.OpenErr = sdk.ErrDenied
	if _, err := ctx.Open(""); err == nil || !strings.Contains(err.Error(), "not granted") {
		t.Error(err)
	}
	l.OpenErr, l.Resumed = nil, true
	s, err := ctx.Open("")
	if err != nil || !s.Resumed() {
		t.Fatal(err)
	}
	l.WriteErr = sdk.ErrStuck
	if _, err := s.Write([]byte("x")); err != sdk.ErrStuck || len(l.Written()) != 0 {
		t.Error(err)
	}
}
