package config

import (
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"go.yaml.in/yaml/v4"
)

// text reads a string that is not empty, with ${...} replaced.
func (v value) text(into *string, what string) bool {
	text, ok := v.textOr(what)
	if ok && text == "" {
		v.expected(what)
		return false
	}
	if ok {
		*into = text
	}
	return ok
}

func (v value) textOr(what string) (string, bool) {
	switch v.kind() {
	case kindText:
		text, _, ok := v.expand()
		return text, ok
	case kindBool, kindInteger, kindHex, kindFloat, kindAmbiguous:
		v.expected(what + " (as text: in quotes)")
	default:
		v.expected(what)
	}
	return "", false
}

// file reads a path; the result is absolute.
func (v value) file(into *string, what string) bool {
	if !v.text(into, what) {
		return false
	}
	*into = v.r.absolute(*into)
	return true
}

func (r *reader) absolute(path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(r.dir, path)
}

// boolean reads true or false.
func (v value) boolean(into *bool) {
	if v.kind() != kindBool {
		v.expected("true or false")
		return
	}
	*into = v.node.Value[0] == 't' || v.node.Value[0] == 'T'
}

// integer reads a whole number within a range.
func (v value) integer(least, most int64) (int64, bool) {
	what := "a whole number from " + strconv.FormatInt(least, 10) + " to " + strconv.FormatInt(most, 10)
	if k := v.kind(); k != kindInteger && k != kindHex {
		v.expected(what)
		return 0, false
	}
	n, err := strconv.ParseInt(v.node.Value, 0, 64)
	if err != nil || n < least || n > most {
		v.expected(what)
		return 0, false
	}
	return n, true
}

// number reads a finite number.
func (v value) number(into *float64) bool {
	k := v.kind()
	f, err := strconv.ParseFloat(v.node.Value, 64)
	if k != kindInteger && k != kindFloat || err != nil || math.IsInf(f, 0) {
		v.expected("a number, such as 0.1")
		return false
	}
	*into = f
	return true
}

// oneOf reads one of some words. A number among them may stand without quotes.
func oneOf[T ~string](v value, into *T, words ...T) {
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = string(w)
	}
	text := v.node.Value
	if v.node.Kind != yaml.ScalarNode || !slices.Contains(names, text) {
		v.expected(list(names))
		return
	}
	*into = T(text)
}

// duration reads a length of time within a range.
func (v value) duration(into *time.Duration, least, most time.Duration) {
	text, ok := v.measure("a duration with its unit, such as 10s, 1m30s or 1d12h")
	if !ok {
		return
	}
	d, err := parseDuration(text)
	switch {
	case err != nil:
		v.expected("a duration with its unit, such as 10s, 1m30s or 1d12h")
	case d < least || d > most:
		v.expected("a duration from " + formatDuration(least) + " to " + formatDuration(most))
	default:
		*into = d
	}
}

// size reads a number of bytes within a range, a multiple of unit.
func (v value) size(into *uint64, least, most, unit uint64) {
	text, ok := v.measure("a size with its unit, such as 512KiB, 32MiB or 1GiB")
	if !ok {
		return
	}
	n, ok := parseSize(text)
	switch {
	case !ok:
		v.expected("a size with its unit, such as 512KiB, 32MiB or 1GiB")
	case n < least || n > most:
		v.expected("a size from " + formatSize(least) + " to " + formatSize(most))
	case n%unit != 0:
		v.expected("a multiple of " + formatSize(unit))
	default:
		*into = n
	}
}

// measure reads the text of a number with a unit. A bare number is refused with what was expected.
func (v value) measure(what string) (string, bool) {
	if v.kind() != kindText {
		v.expected(what)
		return "", false
	}
	text, _, ok := v.expand()
	return text, ok
}
