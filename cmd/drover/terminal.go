package main

import "io"

// terminal is where a command prints.
type terminal struct {
	out, err io.Writer
	// isTTY says whether out is a terminal, so that what is printed may be replaced.
	isTTY bool
	// size returns the rows and columns of the terminal, 0 where they are not known.
	size func() (rows, columns int)
	// plain says whether colours are unwanted even there.
	plain bool
}

// palette has the colours of a terminal; its zero value has none.
type palette struct{ on bool }

func (t terminal) palette() palette { return palette{on: t.isTTY && !t.plain} }

func (p palette) good(s string) string  { return p.paint("32", s) }
func (p palette) warn(s string) string  { return p.paint("33", s) }
func (p palette) bad(s string) string   { return p.paint("31", s) }
func (p palette) faint(s string) string { return p.paint("2", s) }
func (p palette) head(s string) string  { return p.paint("1", s) }

// paint is SGR of ECMA-48 (8.3.117).
func (p palette) paint(code, s string) string {
	if !p.on || s == "" {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// state paints a channel's state.
func (p palette) state(s string) string {
	switch s {
	case "connected":
		return p.good(s)
	case "failed", "quarantined":
		return p.bad(s)
	case "stopped":
		return p.faint(s)
	}
	return p.warn(s)
}
