package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// namedAtMost is how many channels or devices are named that have the same change.
const namedAtMost = 4

// printApplied prints what is wrong, what differs, or what became of it, and returns the error of the exit code.
func (g *globals) printApplied(a *message.Applied, planned bool) error {
	if g.json {
		if err := g.printJSON(a); err != nil {
			return err
		}
	}
	if len(a.Problems) > 0 {
		return g.problems(a)
	}
	if !g.json && planned {
		g.printDifference(a)
	}
	if !g.json && !planned {
		g.printResults(a)
	}
	failed := 0
	for i := range a.Results {
		if !a.Results[i].Succeeded() {
			failed++
		}
	}
	switch {
	case failed > 0:
		return coded(exitFailed, fmt.Errorf("%s of %d not as configured", plural(failed, "channel"), len(a.Results)))
	case a.Unrecorded != "":
		return coded(exitFailed, errors.New(a.Unrecorded))
	}
	return nil
}

// problems prints what is wrong with a configuration.
func (g *globals) problems(a *message.Applied) error {
	for _, p := range a.Problems {
		where := fmt.Sprintf("%s:%d:%d: ", p.File, p.Line, p.Column)
		if p.Path != "" {
			where += p.Path + ": "
		}
		fmt.Fprintln(g.err, printable(where+p.Message))
	}
	code := exitUsage
	if a.Refused {
		code = exitRefused
	}
	if len(a.Missing) > 0 {
		fmt.Fprintln(g.err, "the node does not have these drivers: an apply that is no dry run gives them to it")
	}
	return coded(code, fmt.Errorf("%w: %s", errReported, plural(len(a.Problems), "problem")))
}

// printDifference prints what differs from what runs.
func (g *globals) printDifference(a *message.Applied) {
	p := g.palette()
	if len(a.Changes) == 0 {
		fmt.Fprintf(g.out, "no channel of node %s differs from %s\n", a.Node, printable(a.File))
	}
	for _, c := range a.Changes {
		fmt.Fprintf(g.out, "%s: %s\n", p.head(some(c.Channels, 0)), effectText(c.Effect))
		g.printChanges(c.Changes)
		if c.More > 0 {
			fmt.Fprintf(g.out, "  and %s more\n", plural(c.More, "change"))
		}
	}
	if len(a.Restart) > 0 {
		fmt.Fprintf(g.out, "%s: takes effect at its next start\n", p.head("node "+a.Node))
		g.printChanges(a.Restart)
	}
	for _, o := range a.Overrides {
		g.printOverride(o)
	}
}

func effectText(effect string) string {
	switch effect {
	case "none":
		return "the same driver by another name"
	case "in-place":
		return "changed in place"
	case "swap":
		return "a swap to the same driver, which keeps the connection"
	case "reconnect":
		return "a swap to the same driver, which closes the connection"
	case "driver":
		return "a swap to another driver"
	case "add":
		return "added"
	case "remove":
		return "removed"
	}
	return effect
}

// printChanges prints changes, the values below each other.
func (g *globals) printChanges(changes []message.Change) {
	p := g.palette()
	places, width := make([]string, len(changes)), 0
	for i, c := range changes {
		places[i] = placeOf(c)
		width = max(width, min(len([]rune(places[i])), 60))
	}
	for i, c := range changes {
		place := places[i] + strings.Repeat(" ", max(0, width-len([]rune(places[i])))) + "  "
		if width == 0 {
			place = ""
		}
		switch {
		case c.Old == "":
			fmt.Fprintf(g.out, "  %s %s%s\n", p.good("+"), place, printable(c.New))
		case c.New == "":
			fmt.Fprintf(g.out, "  %s %s%s\n", p.bad("-"), place, printable(c.Old))
		default:
			fmt.Fprintf(g.out, "  %s %s%s -> %s\n", p.warn("~"), place, printable(c.Old), printable(c.New))
		}
	}
}

// placeOf is where a value is.
func placeOf(c message.Change) string {
	place := printable(c.Path)
	if len(c.Devices) == 0 {
		return place
	}
	of := "devices." + some(c.Devices, c.MoreDevices)
	if len(c.Devices)+c.MoreDevices > 1 {
		of = "devices.{" + some(c.Devices, c.MoreDevices) + "}"
	}
	return strings.TrimSuffix(of+"."+place, ".")
}

// some names a few, and how many others there are.
func some(names []string, more int) string {
	if over := len(names) - namedAtMost; over > 0 {
		names, more = names[:namedAtMost], more+over
	}
	text := strings.Join(names, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// printOverride says which swap holds, or ends.
func (g *globals) printOverride(o message.AppliedOverride) {
	what := "which holds"
	if o.Ended {
		what = "which ends"
	}
	fmt.Fprintf(g.out, "%s: %s, %s\n", g.palette().head(o.Channel), overrideText(&o.Override), what)
}

// printResults prints what became of the channels: how many of each, and those where something went wrong.
func (g *globals) printResults(a *message.Applied) {
	counts := make(map[string]int)
	var order []string
	for i := range a.Results {
		r := &a.Results[i]
		if counts[r.Result]++; counts[r.Result] == 1 {
			order = append(order, r.Result)
		}
		if !r.Succeeded() {
			why := r.Why
			if r.Code != "" {
				why = r.Code + ": " + why
			}
			fmt.Fprintf(g.out, "%s: %s: %s\n", g.palette().bad(r.Channel), r.Result, printable(why))
		}
	}
	slices.Sort(order)
	for i, result := range order {
		order[i] = fmt.Sprintf("%d %s", counts[result], result)
	}
	if len(order) == 0 {
		order = []string{"nothing changed"}
	}
	fmt.Fprintf(g.out, "applied to node %s: %s (%.1fs)\n", a.Node, strings.Join(order, ", "), a.Duration)
}
