package sdk

import (
	"strings"
	"unicode/utf8"
)

// maxLine is the most bytes of a line for people that is worth carrying.
const maxLine = 1024

// clean returns s as valid UTF-8. The host ends an instance that passes anything else, and devices do send it.
func clean(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// line returns s as one line of valid UTF-8 and bounded length.
func line(s string) string {
	s = strings.Join(strings.FieldsFunc(clean(s), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
	if len(s) <= maxLine {
		return s
	}
	end := maxLine - len("…")
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}
