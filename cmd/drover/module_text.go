package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// inspectionText lays out what a module is: facts, grants, imports, exports, failures, schemas.
func inspectionText(p palette, m *message.Inspection) string {
	var b strings.Builder
	fact := func(name, text string) {
		if text != "" {
			fmt.Fprintf(&b, "%s %s\n", p.faint(fmt.Sprintf("%-11s", name)), text)
		}
	}
	fact("module", p.head(printable(m.Name+"@"+m.Version)))
	fact("summary", printable(m.Summary))
	fact("digest", printable(m.Digest))
	fact("abi", printable(m.ABI))
	fact("size", bytesText(uint64(max(0, m.Size))))
	fact("memory", bytesText(m.Memory.Min)+" at first, at most "+bytesText(m.Memory.Max)+" and what the channel's limit is")
	fact("stack", bytesText(m.Stack)+" at most")
	fact("metering", meteringText(m.Metering))
	fact("start", startText(m.Start))
	fact("signed by", orNobody(m.SignedBy))
	fact("connections", connectionsText(m.Connections))
	section := func(title, text string) {
		if text != "" {
			fmt.Fprintf(&b, "\n%s\n%s\n", p.head(title), text)
		}
	}
	if m.Channel != "" {
		text := "nothing"
		if len(m.Grants) > 0 {
			text = grantTable(p, m.Grants)
		}
		section("in channel "+printable(m.Channel)+" it would reach", text)
	}
	section("imports", importTable(p, m.Imports))
	section("exports", printableLines(m.Exports))
	section("failures of its own", codeTable(p, m.Codes))
	section("settings of a channel", schemaText(m.Settings))
	section("settings of a device", schemaText(m.DeviceSettings))
	section("address of a point", schemaText(m.Address))
	return b.String()
}

func meteringText(m message.Metering) string {
	grown := ""
	if m.Before > 0 {
		grown = fmt.Sprintf(", %s become %s (%+.1f%%)", bytesText(uint64(m.Before)), bytesText(uint64(max(0, m.After))),
			100*float64(m.After-m.Before)/float64(m.Before))
	}
	text := fmt.Sprintf("%s of which %d are charged and %d count their stack, %s", plural(m.Functions, "function"), m.Metered,
		m.StackCounted, plural(m.Loops, "loop"))
	if len(m.Dropped) > 0 {
		grown += ", without " + printable(strings.Join(m.Dropped, " "))
	}
	return text + grown
}

func startText(s message.ModuleStart) string {
	took := span(s.Initialisation)
	if !s.Snapshot {
		return "each instance initialises itself, in about " + took + ": " + printable(s.Reason)
	}
	return fmt.Sprintf("from a snapshot of %s, rather than initialised in about %s", bytesText(s.Image), took)
}

func orNobody(keys []string) string {
	if len(keys) == 0 {
		return "nobody"
	}
	return printable(strings.Join(keys, ", ")) + " (not checked: drover module verify)"
}

func connectionsText(kinds []string) string {
	if len(kinds) == 0 {
		return "none: it cannot open any"
	}
	return "it may ask for " + printable(strings.Join(kinds, ", ")) + ", and gets what a channel grants"
}

func importTable(p palette, imports []message.Import) string {
	if len(imports) == 0 {
		return ""
	}
	t := newTable(p, "INTERFACE", "FUNCTIONS")
	for _, i := range imports {
		t.AppendRow(table.Row{printable(i.Interface), wrapped(i.Functions, 80)})
	}
	return t.Render()
}

// wrapped joins words by spaces, in lines of about so many characters.
func wrapped(words []string, width int) string {
	var lines []string
	line := ""
	for _, w := range words {
		if line != "" && len(line)+1+len(w) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + printable(w))
	}
	return strings.Join(append(lines, line), "\n")
}

func printableLines(lines []string) string {
	out := make([]string, len(lines))
	for i, l := range lines {
		out[i] = printable(l)
	}
	return strings.Join(out, "\n")
}

func codeTable(p palette, codes []message.OwnCode) string {
	if len(codes) == 0 {
		return ""
	}
	t := newTable(p, "CODE", "KIND", "MEANING")
	for _, c := range codes {
		t.AppendRow(table.Row{"driver." + printable(c.Code), c.Kind, printable(c.Meaning)})
	}
	return t.Render()
}

// schemaText is a JSON Schema with a line for each of its members.
func schemaText(schema json.RawMessage) string {
	var out bytes.Buffer
	if len(schema) == 0 || json.Indent(&out, schema, "", "  ") != nil {
		return ""
	}
	return printableLines(strings.Split(out.String(), "\n"))
}
