package codec

import (
	"bytes"
	"unicode/utf8"
)

// Text is what a unit means by these bytes: they end at the first zero byte, blanks at the end are filling, and what is
// not UTF-8 is ISO 8859-1, as older units send it.
func Text(b []byte) string {
	if end := bytes.IndexByte(b, 0); end >= 0 {
		b = b[:end]
	}
	b = bytes.TrimRight(b, " ")
	if utf8.Valid(b) {
		return string(b)
	}
	runes := make([]rune, len(b))
	for i, c := range b {
		runes[i] = rune(c)
	}
	return string(runes)
}
