package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Problem is one thing that is wrong with a file.
type Problem struct {
	File string `json:"file"`
	// Line and Column count from 1.
	Line   int `json:"line"`
	Column int `json:"column"`
	// Path is the keys from the top of the file, joined by dots; of a template, those of the first that uses it. Empty for
	// the file itself.
	Path string `json:"path,omitempty"`
	// Message says what is wrong and what was expected.
	Message string `json:"message"`
	// Refused says that it is no mistake: what the file names is not allowed, as a driver is that no trusted key has signed.
	Refused bool `json:"refused,omitempty"`
}

// problem returns a problem at the place.
func (at Position) problem(path, message string) Problem {
	return Problem{File: at.File, Line: int(at.Line), Column: int(at.Column), Path: path, Message: message}
}

// String returns `file:line:column: path: message`.
func (p Problem) String() string {
	if p.Path == "" {
		return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
	}
	return fmt.Sprintf("%s:%d:%d: %s: %s", p.File, p.Line, p.Column, p.Path, p.Message)
}

// Problems is the error that Load and Parse return: all problems of the files, by file and line.
type Problems []Problem

// Error implements error: one problem a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// Refused says whether all of them are things that are not allowed; false where there are none.
func (p Problems) Refused() bool {
	return len(p) > 0 && !slices.ContainsFunc(p, func(problem Problem) bool { return !problem.Refused })
}

// Sort orders the problems by file, line and column. Whoever adds problems to those of a file calls it.
func (p Problems) Sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
}
