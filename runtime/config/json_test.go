package config

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// settings are those of a channel with that YAML.
func settings(t *testing.T, yaml string) Part {
	t.Helper()
	c := mustParse(t, "node: n\nchannels:\n  a:\n    driver: m.wasm\n    settings:\n"+yaml).Channels[0]
	for p := range c.Parts() {
		return p
	}
	panic("a channel has its settings")
}

func TestJSONValues(t *testing.T) {
	for _, tt := range []struct{ yaml, want string }{
		{"18446744073709551615", "18446744073709551615"},
		{"-9223372036854775808", "-9223372036854775808"},
		{"9007199254740993", "9007199254740993"},
		{"-0", "0"},
		{"0x1F", "31"},
		{"0xFFFFFFFFFFFFFFFF", "18446744073709551615"},
		{"0.1", "0.1"},
		{"1.50", "1.50"},
		{"1e3", "1e3"},
		{"-2.5E-3", "-2.5E-3"},
		{"True", "true"},
		{"FALSE", "false"},
		{"~", "null"},
		{"", "null"},
		{"yes", `"yes"`},
		{"2026-11-23", `"2026-11-23"`},
		{"2026-11-23T08:20:01Z", `"2026-11-23T08:20:01Z"`},
		{"12:30:00", `"12:30:00"`},
		{"0o17x", `"0o17x"`},
		{`"1"`, `"1"`},
		{`'true'`, `"true"`},
		{`"<&>\u2028\n"`, `"<&>\u2028\n"`},
		{`"\x00"`, `"\u0000"`},
		{"[]", "[]"},
		{"{}", "{}"},
		{`[1, [two, {three: 3}]]`, `[1,["two",{"three":3}]]`},
		{`"$${x}"`, `"${x}"`},
		{`"a${env:TOKEN}b$${"`, `"as3cretb${"`},
		{`"${file:secrets/token}"`, `"from a file"`},
	} {
		got := settings(t, "      v: "+tt.yaml+"\n").Raw
		if want := `{"v":` + tt.want + `}`; got != want || !json.Valid([]byte(got)) {
			t.Errorf("%s: got %s, want %s", tt.yaml, got, want)
		}
	}
}

func TestJSONPlaces(t *testing.T) {
	s := settings(t, `      mode: rtu
      list:
        - 1
        - {a/b: {m~n: 2}}
`)
	for _, tt := range []struct {
		pointer string
		want    Position
		path    string
	}{
		{"", Position{Line: 6, Column: 7}, "channels.a.settings"},
		{"/mode", Position{Line: 6, Column: 13}, "channels.a.settings.mode"},
		{"/list/0", Position{Line: 8, Column: 11}, "channels.a.settings.list.0"},
		{"/list/1/a~1b", Position{Line: 9, Column: 17}, "channels.a.settings.list.1.a/b"},
		{"/list/1/a~1b/m~0n", Position{Line: 9, Column: 23}, "channels.a.settings.list.1.a/b.m~n"},
		{"/list/1/missing/deeper", Position{Line: 9, Column: 11}, "channels.a.settings.list.1.missing.deeper"},
		{"/absent", Position{Line: 6, Column: 7}, "channels.a.settings.absent"},
		{"no pointer", Position{Line: 6, Column: 7}, "channels.a.settings.no pointer"},
	} {
		want := Problem{File: "/etc/drover/drover.yaml", Line: int(tt.want.Line), Column: int(tt.want.Column), Path: tt.path,
			Message: "m"}
		if diff := cmp.Diff(want, s.Problem(tt.pointer, "m")); diff != "" {
			t.Errorf("%q -want +got:\n%s", tt.pointer, diff)
		}
	}
}

// Settings that the file leaves out are reported at their owner.
func TestJSONAbsent(t *testing.T) {
	s := mustParse(t, "node: n\nchannels:\n  a: {driver: m.wasm}\n").Channels[0].Settings
	if got, want := s.Position("/mode"), (Position{File: "/etc/drover/drover.yaml", Line: 3, Column: 3}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if s.Raw != "{}" {
		t.Errorf("got %s", s.Raw)
	}
}

func TestJSONSecrets(t *testing.T) {
	s := settings(t, `      plain: $${env:TOKEN}
      user: {pass/word: "${env:TOKEN}"}
      keys: [x, "k-${file:secrets/token}"]
`)
	if diff := cmp.Diff([]string{"/user/pass~1word", "/keys/1"}, s.Secrets()); diff != "" {
		t.Error("-want +got:\n" + diff)
	}
}

// TestValueTooLarge: one value of the driver's has its bound.
func TestValueTooLarge(t *testing.T) {
	text := func(n int) string {
		return "node: n\nchannels: {c: {driver: d.wasm, settings: {text: " + strings.Repeat("x", n) + "}}}"
	}
	fits := maxJSON - len(`{"text":""}`)
	mustParse(t, text(fits))
	_, err := newTestReader("drover.yaml").parse([]byte(text(fits + 1)))
	if err == nil || !strings.Contains(err.Error(), "has 1048577 bytes as JSON, expected at most 1MiB") {
		t.Errorf("got %v", err)
	}
}
