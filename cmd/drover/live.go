package main

import (
	"fmt"
	"io"
	"strings"
)

// live is a region of a terminal that is drawn over and over, with the cursor movements of ECMA-48.
type live struct {
	out   io.Writer
	lines int
}

// draw replaces what was drawn last. text ends with a line feed.
func (l *live) draw(text string) error {
	var b strings.Builder
	if l.lines > 0 {
		fmt.Fprintf(&b, "\x1b[%dA", l.lines) // CUU: up to the first line.
	}
	for line := range strings.Lines(text) {
		b.WriteString("\x1b[2K" + line) // EL: erase the line.
	}
	b.WriteString("\x1b[J") // ED: erase what is below.
	l.lines = strings.Count(text, "\n")
	if _, err := io.WriteString(l.out, b.String()); err != nil {
		return fmt.Errorf("draw: %w", err)
	}
	return nil
}
