package sdk

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// FuzzParts holds the parts of lists and objects, and what their strings say, against encoding/json.
func FuzzParts(f *testing.F) {
	for _, text := range []string{
		`[]`, `{}`, `[ ]`, ` { } `, `[1,2]`, `[ 1 , [2, 3] ,{"a":[4,5]}, "x,]}" ]`,
		`{"a":1,"b":{"c":"}"}}`, "{\n\t\"a\" : null ,\r\n\"\": \"\\\"\" }",
		`["\\"]`, `["\\\"",""]`, `{"\u0061":true}`, "[\"\xff\"]", `{"a":-1.5e+3,"a":2}`, `[[[[]]],[{}]]`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			t.Skip()
		}
		text = strings.Trim(text, whiteSpace)
		got := slices.Collect(partsOf(text))
		if want := partsByDecoder(t, text); !slices.Equal(got, want) {
			t.Errorf("%q has the parts %q, want %q", text, got, want)
		}
	})
}

// partsOf are the parts of a list or an object, of anything else the text; strings as what they say.
func partsOf(text string) func(func(string) bool) {
	return func(yield func(string) bool) {
		if text[0] != '[' && text[0] != '{' {
			yield(text)
			return
		}
		for part := range parts(text) {
			if part[0] == '"' {
				part = unquote(part)
			}
			if !yield(part) {
				return
			}
		}
	}
}

func partsByDecoder(t *testing.T, text string) (all []string) {
	if text[0] != '[' && text[0] != '{' {
		return []string{text}
	}
	d := json.NewDecoder(strings.NewReader(text))
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		if text[0] == '{' {
			name, err := d.Token()
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, name.(string))
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		var s string
		if value[0] == '"' && json.Unmarshal(value, &s) == nil {
			all = append(all, s)
		} else {
			all = append(all, string(value))
		}
	}
	return all
}

// FuzzPlain sees that what is read at a glance is read as encoding/json reads it.
func FuzzPlain(f *testing.F) {
	for _, text := range []string{
		`0`, `-0`, `127`, `128`, `-129`, `1e2`, `1.0`, `true`, `false`, `"a"`, `"\n"`, `""`, "\"\xff\"", `{}`,
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !json.Valid([]byte(text)) {
			t.Skip()
		}
		text = strings.Trim(text, whiteSpace)
		for _, v := range []any{new(int8), new(int64), new(bool), new(string), new(json.Number), new(uint8), new(float64)} {
			got := reflect.ValueOf(v).Elem()
			want := reflect.New(got.Type())
			if !plain(text, got) {
				continue
			}
			if err := json.Unmarshal([]byte(text), want.Interface()); err != nil || !want.Elem().Equal(got) {
				t.Errorf("%q is %v of %T, want %v", text, got, v, want.Elem())
			}
		}
	})
}
