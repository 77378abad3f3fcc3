package channel

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/droverhq/drover/abi/canon"
)

const (
	// maxName is where the name of something that a driver wants is cut, or a key of its log.
	maxName = 128
	// maxLine is where a line for people is cut: a summary, a reason, a progress.
	maxLine = 1024
)

// secrets are what nobody is to read in what the driver says.
func (s *session) secrets() canon.Secrets { return s.edition().Secrets }

// forPeople makes a line of what the driver reports.
func (s *session) forPeople(text string) string { return oneLine(s.secrets().Text(text), maxLine) }

// oneLine makes a line for people of a driver's text: cut at most bytes, without control characters.
func oneLine(s string, most int) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, cut(s, most))
}

// cut returns at most that many bytes of s, whole characters, and says that it did.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	const mark = "..."
	end := most - len(mark)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + mark
}
