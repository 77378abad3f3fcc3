package main

import (
	"bytes"
	"testing"
	"testing/synctest"
	"time"
)

func TestProgress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, tt := range []struct {
			isTTY bool
			lasts time.Duration
			want  string
		}{
			{true, 2 * time.Second, "\rcompiling ...\r\x1b[2K"},
			{true, time.Second / 2, ""},
			{false, time.Minute, ""},
		} {
			var out bytes.Buffer
			g := &globals{terminal: terminal{err: &out, isTTY: tt.isTTY}}
			done := g.progress("compiling")
			time.Sleep(tt.lasts) // the clock is the bubble's
			synctest.Wait()
			done()
			time.Sleep(time.Minute)
			if out.String() != tt.want {
				t.Errorf("%+v: %q", tt, out.String())
			}
		}
	})
}
