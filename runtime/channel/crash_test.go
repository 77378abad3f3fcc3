package channel

import (
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/module"
)

// The last lines of each kind are kept, in the order in which they came: what a dying driver prints does not push out
// what it had logged.
func TestLastLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &session{by: newConnector(nil, &edition{Edition: Edition{Secrets: [][]byte{[]byte("hush")}}})}
		c.lines.reset(time.Now())
		began := time.Now()
		for n := range keptLogged + 10 {
			pass(time.Second)
			c.logged(slog.LevelWarn, fmt.Sprint("logged ", n), []slog.Attr{slog.String("key", "hush")})
		}
		for n := range keptPrinted + 10 {
			pass(time.Second)
			c.printed(fmt.Sprint("printed ", n))
		}
		pass(time.Second)
		c.printed(strings.Repeat("ü", keptText))
		lines, started := c.lines.all()
		if len(lines) != keptLogged+keptPrinted || !started.Equal(began) {
			t.Fatalf("%d lines since %s", len(lines), started)
		}
		if l := lines[0]; l.Text != "logged 10 key=***" || l.Level != slog.LevelWarn || l.Printed {
			t.Errorf("the first is %+v", l)
		}
		if l := lines[keptLogged]; l.Text != "printed 11" || !l.Printed {
			t.Errorf("after those logged comes %+v", l)
		}
		if l := lines[len(lines)-1]; len(l.Text) > keptText || !strings.HasSuffix(l.Text, "ü...") {
			t.Errorf("the last has %d bytes and ends with %q", len(l.Text), l.Text[len(l.Text)-8:])
		}
		for i := range lines[1:] {
			if lines[i+1].Time.Before(lines[i].Time) {
				t.Fatalf("line %d comes before the one before it", i+1)
			}
		}
		c.lines.reset(time.Now())
		if lines, _ := c.lines.all(); len(lines) != 0 {
			t.Errorf("the next attempt has %v", lines)
		}
	})
}

// A crash has what the failure has: what the instance left, or what we know ourselves.
func TestNewCrash(t *testing.T) {
	record := failure.Record{Code: failure.HostPanic}
	left := module.PostMortem{Stack: "f()", Memory: 1}
	c := NewCrash(record, &failure.Failure{Detail: "ours", Remains: left})
	if c.Record != record || c.PostMortem.Stack != "f()" || c.PostMortem.Memory != 1 || c.Detail != "ours" {
		t.Errorf("got %+v", c)
	}
	if c := NewCrash(record, &failure.Failure{Detail: "ours"}); c.PostMortem.Stack != "" || c.Detail != "ours" {
		t.Errorf("got %+v", c)
	}
}
