package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0.0s", 40 * time.Millisecond: "0.0s", 9900 * time.Millisecond: "9.9s", 59 * time.Second: "59s",
		61 * time.Second: "1m01s", 3599 * time.Second: "59m59s", 25 * time.Hour: "1d01h", 2*time.Hour + 5*time.Minute: "2h05m",
	} {
		if got := age(noon, noon.Add(-d)); got != want {
			t.Errorf("age of %v is %s, want %s", d, got, want)
		}
	}
	if got := age(noon, time.Time{}); got != "-" {
		t.Errorf("age of never is %s", got)
	}
}

func TestExitCode(t *testing.T) {
	tests := []struct {
		err  error
		want int
	}{
		{nil, exitOK},
		{errors.New("x"), exitFailed},
		{usagef("x"), exitUsage},
		{fmt.Errorf("run: %w", config.Problems{{}}), exitUsage},
		{unreachable(fmt.Errorf("x: %w", client.ErrUnreachable)), exitUnreachable},
		{fmt.Errorf("x: %w", message.ErrNotFound), exitNotFound},
		{fmt.Errorf("x: %w", &message.Error{Status: 403}), exitRefused},
		{message.ErrInternal, exitFailed},
	}
	for _, test := range tests {
		if got := exitCode(test.err); got != test.want {
			t.Errorf("exit code of %v is %d, want %d", test.err, got, test.want)
		}
	}
}

// plantValues is a live table of a boiler that works and a meter that does not.
func plantValues(t *testing.T) *values {
	t.Helper()
	v := newValues()
	v.states["boiler"] = message.State{State: "connected"}
	v.states["meter"] = message.State{
		State: "reconnecting", LastFailure: &message.Failure{Code: "io.timeout", Summary: "no reply"},
	}
	v.handle("boiler", "water", message.Handle{Points: map[string]message.Descriptor{"supply": {Unit: "°C"}}})
	v.data("boiler", "water", "supply", noon.Add(-time.Second), message.Point{V: json.RawMessage("58.2")})
	v.data("meter", "grid", "power", noon.Add(-2*time.Minute), message.Point{Q: "bad", Code: "io.timeout"})
	v.data("meter", "grid", "name", noon, message.Point{V: json.RawMessage(`"E1"`), TS: message.Time{Time: noon.Add(-time.Hour)}})
	return v
}

func TestRender(t *testing.T) {
	want := `boiler connected
meter reconnecting (io.timeout: no reply)

CHANNEL  DEVICE  POINT   VALUE  UNIT    AGE
boiler   water   supply   58.2  °C     1.0s
meter    grid    name       E1        1h00m
meter    grid    power                2m00s  bad io.timeout
`
	if diff := cmp.Diff(want, plantValues(t).render(palette{}, noon, 0, 0)); diff != "" {
		t.Errorf("table (-want +got):\n%s", diff)
	}
}

// A table that is higher than the screen could not be drawn over.
func TestRenderFitsTheScreen(t *testing.T) {
	for rows := 7; rows < 12; rows++ {
		got := plantValues(t).render(palette{}, noon, rows, 30)
		if n := strings.Count(got, "\n"); n >= rows {
			t.Errorf("%d lines on a screen of %d", n, rows)
		}
		for line := range strings.Lines(got) {
			if len([]rune(line)) > 31 {
				t.Errorf("line %q is wider than the screen", line)
			}
		}
	}
	if got := plantValues(t).render(palette{}, noon, 7, 0); !strings.HasSuffix(got, "2 more points\n") {
		t.Errorf("what is hidden is not said:\n%s", got)
	}
}

func TestColours(t *testing.T) {
	got := plantValues(t).render(palette{on: true}, noon, 0, 0)
	for _, want := range []string{"\x1b[32mconnected\x1b[0m", "\x1b[33mreconnecting\x1b[0m", "\x1b[31mbad io.timeout\x1b[0m"} {
		if !strings.Contains(got, want) {
			t.Errorf("%q is missing in\n%q", want, got)
		}
	}
	for _, plain := range []terminal{{isTTY: false}, {isTTY: true, plain: true}} {
		if plain.palette().on {
			t.Errorf("%+v has colours", plain)
		}
	}
}

func TestDrawReplaces(t *testing.T) {
	var b strings.Builder
	l := live{out: &b}
	for _, text := range []string{"one\ntwo\n", "three\n", "four\n"} {
		if err := l.draw(text); err != nil {
			t.Fatal(err)
		}
	}
	want := "\x1b[2Kone\n\x1b[2Ktwo\n\x1b[J" + "\x1b[2A\x1b[2Kthree\n\x1b[J" + "\x1b[1A\x1b[2Kfour\n\x1b[J"
	if b.String() != want {
		t.Errorf("drew %q, want %q", b.String(), want)
	}
}
