package embedded

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/nats-io/nats-server/v2/conf"
	"github.com/nats-io/nats-server/v2/server"
)

// Problem is one thing that is wrong with a nats-server configuration.
type Problem struct {
	File string
	// Line and Column count from 1; both are 0 where the server does not say.
	Line, Column int
	Message      string
}

// String returns `file:line:column: message`.
func (p Problem) String() string {
	if p.Line == 0 {
		return p.File + ": " + p.Message
	}
	return fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
}

// Problems is everything that is wrong with a nats-server configuration, by line.
type Problems []Problem

// Error implements error: one problem a line.
func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, problem := range p {
		lines[i] = problem.String()
	}
	return strings.Join(lines, "\n")
}

// read reads the configuration file by the server's own parser. given has the keys at its top, in lower case.
func (c *Config) read() (options *server.Options, given map[string]bool, err error) {
	given = make(map[string]bool)
	if c.File == "" {
		return new(server.Options), given, nil
	}
	tree, err := conf.ParseFile(c.File)
	if err != nil {
		return nil, nil, c.problems(err)
	}
	for name := range tree {
		given[strings.ToLower(name)] = true
	}
	options, err = server.ProcessConfigFile(c.File)
	if err != nil {
		return nil, nil, c.problems(err)
	}
	return options, given, nil
}

// problems takes the server's errors apart: it has lists, places before the text, and places within it.
func (c *Config) problems(err error) Problems {
	list, ok := errors.AsType[interface {
		error
		Errors() []error
	}](err)
	if !ok {
		return Problems{c.problem(err)}
	}
	var problems Problems
	for _, err := range list.Errors() {
		problems = append(problems, c.problem(err))
	}
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	return problems
}

var (
	placeBefore = regexp.MustCompile(`(?s)^(.*?):(\d+):(\d+): (.*)$`)
	placeAfter  = regexp.MustCompile(`(?s)^(.*) \((.*):(\d+):(\d+)\)$`)
	lineWithin  = regexp.MustCompile(`(?s)\bon line (\d+)\b`)
)

func (c *Config) problem(err error) Problem {
	text := strings.TrimSpace(err.Error())
	if m := placeBefore.FindStringSubmatch(text); m != nil {
		return Problem{File: m[1], Line: number(m[2]), Column: number(m[3]), Message: m[4]}
	}
	if m := placeAfter.FindStringSubmatch(text); m != nil {
		return Problem{File: m[2], Line: number(m[3]), Column: number(m[4]), Message: m[1]}
	}
	p := Problem{File: c.File, Message: text}
	if m := lineWithin.FindStringSubmatch(text); m != nil {
		p.Line, p.Column = number(m[1]), 1
	}
	return p
}

func number(digits string) int {
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return max(n, 1)
}
