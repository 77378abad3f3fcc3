package main

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// sessions are the lines of the scripts that run a command.
func sessions(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d scripts, %v", len(files), err)
	}
	var lines []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			if strings.Contains(line, "drover ") && !strings.HasPrefix(line, "#") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
	}
	return lines
}

// TestCommands walks all commands: each has a help with an example of itself, a session among the scripts, one with
// --json, a line in docs/commands.md, and completes its arguments where it takes any.
func TestCommands(t *testing.T) {
	page, err := os.ReadFile("../../docs/commands.md")
	if err != nil {
		t.Fatal(err)
	}
	lines := sessions(t)
	root := newRootCommand(&globals{terminal: terminal{out: io.Discard, err: io.Discard}})
	n := 0
	for _, cmd := range leaves(root) {
		n++
		path := cmd.CommandPath()
		wrong := func(format string, args ...any) {
			t.Helper()
			t.Errorf(path+": "+format, args...)
		}
		if cmd.Short == "" || cmd.Long == "" {
			wrong("has no help")
		}
		if !strings.Contains(cmd.Example, path) {
			wrong("has no example of itself")
		}
		for line := range strings.Lines(cmd.Example) {
			if len(strings.TrimRight(line, "\n")) > 120 {
				wrong("an example has more than 120 columns: %s", line)
			}
		}
		if !strings.Contains(string(page), "`"+path[len("drover "):]) {
			wrong("docs/commands.md has no `%s`", path[len("drover "):])
		}
		used := regexp.MustCompile(`\bdrover( --?\S+( \S+)?)*? ?` + regexp.QuoteMeta(path[len("drover "):]) + `( |$)`)
		var seen, seenJSON bool
		for _, line := range lines {
			if used.MatchString(line) {
				seen, seenJSON = true, seenJSON || strings.Contains(line, "--json")
			}
		}
		if !seen {
			wrong("no script has a session of it")
		}
		if !seenJSON && path != "drover run" { // its lines are a log, with a format of its own
			wrong("no script has a session of it with --json")
		}
		if takesArguments(cmd) && cmd.ValidArgsFunction == nil && len(cmd.ValidArgs) == 0 {
			wrong("does not complete its arguments")
		}
	}
	if n < 20 {
		t.Errorf("only %d commands", n)
	}
}

// leaves are the commands that do something themselves, other than cobra's own.
func leaves(cmd *cobra.Command) []*cobra.Command {
	if cmd.Hidden || cmd.Name() == "help" || cmd.Name() == "completion" {
		return nil
	}
	if !cmd.HasSubCommands() {
		return []*cobra.Command{cmd}
	}
	var all []*cobra.Command
	for _, child := range cmd.Commands() {
		all = append(all, leaves(child)...)
	}
	return all
}

// takesArguments says whether a command has arguments, by its usage line.
func takesArguments(cmd *cobra.Command) bool {
	_, rest, _ := strings.Cut(cmd.Use, " ")
	return rest != "" && !strings.HasPrefix(strings.TrimPrefix(rest, "["), "-")
}
