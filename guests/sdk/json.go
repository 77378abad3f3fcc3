package sdk

import (
	"encoding/json"
	"iter"
	"reflect"
	"strconv"
	"strings"
)

// What settings and addresses mostly are is read here without encoding/json, which takes memory of many sizes for the
// shortest text: of each size, an instance has two pages more of its own.

// whiteSpace is what may be between JSON's tokens (RFC 8259, 2).
const whiteSpace = " \t\r\n"

// invalid says what is wrong with JSON text, nil for nothing.
func invalid(text string) error {
	if json.Valid([]byte(text)) {
		return nil
	}
	var any json.RawMessage
	return json.Unmarshal([]byte(text), &any)
}

// parts yields the values of a list; or the names, in quotes, and values of an object, by turns. The text is valid and has
// no white space around it, nor have the parts.
func parts(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for text = text[1 : len(text)-1]; ; {
			text = strings.TrimLeft(text, whiteSpace+",:")
			n := extent(text)
			if n == 0 || !yield(text[:n]) {
				return
			}
			text = text[n:]
		}
	}
}

// extent returns how long the value is that valid text begins with: 0 at its end.
func extent(text string) int {
	depth, quoted := 0, false
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quoted:
			switch c {
			case '\\':
				i++
			case '"':
				quoted = false
			}
		case c == '"':
			quoted = true
		case c == '{' || c == '[':
			depth++
		case c == '}' || c == ']':
			depth--
		case depth == 0 && strings.IndexByte(whiteSpace+",:", c) >= 0:
			return i
		}
	}
	return len(text)
}

// unquote returns what a valid string in quotes says.
func unquote(quoted string) string {
	if s, ok := literal(quoted); ok {
		return s
	}
	var s string
	_ = json.Unmarshal([]byte(quoted), &s) // it is a string
	return s
}

// literal returns what is between the quotes of a valid string that says no more than that.
func literal(quoted string) (string, bool) {
	for i := range len(quoted) {
		if c := quoted[i]; c == '\\' || c >= 0x80 { // an escape, or what may not be UTF-8
			return "", false
		}
	}
	return quoted[1 : len(quoted)-1], true
}

// plain reads the values that need no more than a glance, and says whether it did.
func plain(raw string, v reflect.Value) bool {
	switch kind := v.Kind(); {
	case kind == reflect.String && raw[0] == '"' && v.Type() != reflect.TypeFor[json.Number]():
		s, ok := literal(raw)
		if ok {
			v.SetString(s)
		}
		return ok
	case v.CanInt():
		n, err := strconv.ParseInt(raw, 10, v.Type().Bits())
		if err == nil {
			v.SetInt(n)
		}
		return err == nil
	case kind == reflect.Bool && (raw == "true" || raw == "false"):
		v.SetBool(raw == "true")
		return true
	}
	return false
}
