package channel

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

func TestGuestLog(t *testing.T) {
	s, _ := parts(t)
	var text bytes.Buffer
	s.log.logger = textLog(&text)
	fields := []component.Tuple2[string, string]{{F0: "level", F1: "ERROR"}, {F0: "unit", F1: "7"}}
	s.Log(t.Context(), driver.LevelDebug, "d", nil)
	s.Log(t.Context(), driver.LevelInfo, "i", nil)
	s.Log(t.Context(), driver.LevelWarn, "two words", fields)
	s.Log(t.Context(), driver.LevelError, "e", nil)
	s.output("printed")
	want := []string{
		`level=DEBUG msg=guest text=d`, `level=INFO msg=guest text=i`,
		`level=WARN msg=guest text="two words" fields.level=ERROR fields.unit=7`, // a guest's keys cannot pose as the host's
		`level=ERROR msg=guest text=e`, `level=INFO msg=guest text=printed`,
	}
	if got := strings.Split(strings.TrimSpace(text.String()), "\n"); !slices.Equal(got, want) {
		t.Errorf("logged %q", got)
	}
}

func TestGuestLogRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := parts(t)
		var text bytes.Buffer
		s.log.logger = textLog(&text)
		lines := func() int { return strings.Count(text.String(), "msg=guest ") }
		for range 300 {
			s.output("flood")
		}
		pass(lineWindow - 1)
		s.output("still")
		if n := lines(); n != s.log.most {
			t.Errorf("%d lines in a window, want %d", n, s.log.most)
		}
		pass(1)
		s.output("again")
		if n := lines(); n != s.log.most+1 || !strings.Contains(text.String(), `msg="guest log lines dropped" count=101`) {
			t.Errorf("%d lines after the window\n%s", n, text.String()[max(0, text.Len()-200):])
		}
		for range 300 {
			s.output("flood")
		}
		if n := lines(); n != 2*s.log.most {
			t.Errorf("%d lines in two windows", n)
		}
	})
}
