package sdk_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/droverhq/drover/guests/sdk"
)

type Common struct {
	Unit uint8 `json:"unit"`
}

type bus struct {
	Timeout sdk.Duration `json:"timeout"`
	Retries int          `json:"retries"`
}

type settings struct {
	Common
	Mode    string             `json:"mode"`
	Bus     bus                `json:"bus"`
	Backup  *bus               `json:"backup"`
	Blocks  []bus              `json:"blocks"`
	Offsets map[string]float32 `json:"offsets"`
	Key     []byte             `json:"key"`
	On      bool               `json:"on"`
	Any     any                `json:"any"`
	Hidden  string             `json:"-"`
	Plain   int
}

func defaults() settings {
	return settings{Common: Common{1}, Mode: "rtu", Bus: bus{sdk.Duration(time.Second), 3}, Backup: &bus{Retries: 9}}
}

func TestDecode(t *testing.T) {
	tests := []struct {
		name, text string
		change     func(*settings)
	}{
		{"empty", "", func(*settings) {}},
		{"no members", " {} ", func(*settings) {}},
		{"one", `{"mode": "tcp"}`, func(s *settings) { s.Mode = "tcp" }},
		{"embedded", `{"unit": 7}`, func(s *settings) { s.Unit = 7 }},
		{"untagged", `{"Plain": 7}`, func(s *settings) { s.Plain = 7 }},
		{"nested keeps the other defaults", `{"bus": {"timeout": "500ms"}}`,
			func(s *settings) { s.Bus.Timeout = sdk.Duration(500 * time.Millisecond) }},
		{"pointer keeps the other defaults", `{"backup": {"timeout": "1d12h"}}`,
			func(s *settings) { s.Backup = &bus{sdk.Duration(36 * time.Hour), 9} }},
		{"pointer to null", `{"backup": null}`, func(s *settings) { s.Backup = nil }},
		{"list", `{"blocks": [{"retries": 1}, {}]}`, func(s *settings) { s.Blocks = []bus{{Retries: 1}, {}} }},
		{"map", `{"offsets": {"a": 1.5, "b": 2}}`, func(s *settings) { s.Offsets = map[string]float32{"a": 1.5, "b": 2} }},
		{"bytes", `{"key": "AAE="}`, func(s *settings) { s.Key = []byte{0, 1} }},
		{"anything", `{"any": [1, "x"]}`, func(s *settings) { s.Any = []any{1.0, "x"} }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := defaults()
			tt.change(&want)
			got, err := sdk.Decode(tt.text, defaults())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestDecodeText reads texts, plain ones and others.
func TestDecodeText(t *testing.T) {
	for text, want := range map[string]string{
		`"holding:1"`: "holding:1", " \t\"a b\" \n": "a b", `""`: "", `"\u0061\n"`: "a\n", `"é"`: "é", "\"\xff\"": "\uFFFD",
	} {
		if got, err := sdk.Decode(text, "default"); err != nil || got != want {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "17", "null", `"`, `"a`, `"a" "b"`, `"a",`, "\"a\tb\"", `"\x"`} {
		if got, err := sdk.Decode(text, "default"); err == nil || got != "default" {
			t.Errorf("%q: %q, %v", text, got, err)
		}
	}
	type name string
	if got, err := sdk.Decode(`"a"`, name("")); err != nil || got != "a" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestDecodeKeepsTheDefaultsBehindPointers(t *testing.T) {
	d := defaults()
	if _, err := sdk.Decode(`{"backup": {"retries": 1}}`, d); err != nil || d.Backup.Retries != 9 {
		t.Errorf("%v; the defaults have %d", err, d.Backup.Retries)
	}
}

func TestDecodeRefuses(t *testing.T) {
	tests := []struct {
		text string
		want string
	}{
		{`{"mod": "tcp"}`, "mod: unknown; there are Plain, any, backup, blocks, bus, key, mode, offsets, on, unit"},
		{`{"Mode": "tcp"}`, "Mode: unknown; "},
		{`{"Hidden": "x"}`, "Hidden: unknown; "},
		{`{"Common": {}}`, "Common: unknown; "},
		{`{"bus": {"timout": "1s"}}`, "bus.timout: unknown; there are retries, timeout"},
		{`{"bus": {"timeout": 500}}`, `bus.timeout: expected a duration as text, such as "500ms" or "2d"`},
		{`{"bus": {"timeout": "500"}}`, `bus.timeout: "500" is no duration such as "500ms" or "2d"`},
		{`{"bus": {"timeout": null}}`, `bus.timeout: expected a duration as text`},
		{`{"bus": {"retries": 1.5}}`, "bus.retries: expected a whole number of 64 bits, found number 1.5"},
		{`{"bus": {"retries": "1"}}`, "bus.retries: expected a whole number of 64 bits, found string"},
		{`{"bus": []}`, "bus: expected an object, found list"},
		{`{"bus": null}`, "bus: expected an object, found null"},
		{`{"blocks": [{}, {"x": 1}]}`, "blocks[1].x: unknown; there are retries, timeout"},
		{`{"blocks": {}}`, "blocks: expected a list, found object"},
		{`{"blocks": "x"}`, "blocks: expected a list, found text"},
		{`{"offsets": {"a": "x"}}`, "offsets.a: expected a number, found string"},
		{`{"offsets": 3}`, "offsets: expected an object, found number"},
		{`{"unit": 256}`, "unit: expected a whole number from 0, of 8 bits, found number 256"},
		{`{"on": 1}`, "on: expected true or false, found number"},
		{`{"mode": null}`, "mode: expected text, found null"},
		{`{"mode": "a", "mode": "b"}`, "mode: given twice"},
		{`{"unit": -1, "on": 2, "x": {}}`, "unit: expected a whole number from 0, of 8 bits, found number -1; " +
			"on: expected true or false, found number; x: unknown; "},
		{`[]`, "expected an object, found list"},
		{`true`, "expected an object, found true or false"},
		{`{`, "unexpected end of JSON input"},
		{`{} {}`, "invalid character '{' after top-level value"},
	}
	for _, tt := range tests {
		t.Run(tt.text, func(t *testing.T) {
			got, err := sdk.Decode(tt.text, defaults())
			if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
				t.Fatalf("got %v\nwant %v", err, tt.want)
			}
			if e, ok := errors.AsType[*sdk.Error](err); !ok || e.Kind != sdk.KindFatal {
				t.Errorf("not fatal: %#v", err)
			}
			if diff := cmp.Diff(defaults(), got); diff != "" {
				t.Errorf("not the defaults: %s", diff)
			}
		})
	}
}

// FuzzDecode sees that Decode takes nothing that encoding/json refuses, and reads the same from what both take.
func FuzzDecode(f *testing.F) {
	for _, s := range []string{
		`{"mode":"x","bus":{"timeout":"1s","retries":2},"blocks":[{},{"retries":-1}],"offsets":{"a":1e3}}`,
		`{"backup":null,"key":"AAE=","any":{"b":[null]},"unit":255}`, `{"a":1,"a":2}`, `[`, `{"bus":{"bus":{}}}`, "\xff",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := sdk.Decode(text, settings{})
		if err != nil || strings.TrimSpace(text) == "" {
			return
		}
		d := json.NewDecoder(strings.NewReader(text))
		d.DisallowUnknownFields()
		var want settings
		if err := d.Decode(&want); err != nil {
			t.Fatalf("encoding/json refuses %q: %v", text, err)
		}
		if !reflect.DeepEqual(want, got) {
			t.Errorf("%q: %+v, encoding/json reads %+v", text, got, want)
		}
	})
}

func TestParseDuration(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"500ms": 500 * time.Millisecond, "1m30s": 90 * time.Second, "2d": 2 * day, "1d12h": 36 * time.Hour, "0s": 0,
		"-1s": -time.Second, "0d": 0,
	} {
		if got, err := sdk.ParseDuration(text); err != nil || got != want {
			t.Errorf("%q is %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "0", "5", "1.5", "d", "-1d", "1.5d", "1d-1h", "1d2d", "1h2d", "99999d", "1dd", "x", "1 s"} {
		if got, err := sdk.ParseDuration(text); err == nil {
			t.Errorf("%q is %v", text, got)
		}
	}
}

func TestDurationRoundTrip(t *testing.T) {
	text, err := json.Marshal(sdk.Duration(90 * time.Second))
	var back sdk.Duration
	if err != nil || string(text) != `"1m30s"` || json.Unmarshal(text, &back) != nil || back != sdk.Duration(90*time.Second) {
		t.Errorf("%s, %v, %v", text, err, back)
	}
}
