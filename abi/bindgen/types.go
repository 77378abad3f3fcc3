package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// importLists returns the packages that the body mentions, the standard library's apart.
func (s *source) importLists() (std, other []string) {
	for _, path := range slices.Sorted(maps.Keys(s.imports)) {
		base := path[strings.LastIndexByte(path, '/')+1:]
		if !strings.Contains(s.body.String(), base+".") {
			continue
		}
		if strings.Contains(path, ".") {
			other = append(other, strconv.Quote(path))
		} else {
			std = append(std, strconv.Quote(path))
		}
	}
	return std, other
}

// generateTypes writes the named types of the world.
func generateTypes(w *world, t target) ([]byte, error) {
	s := newSource(t.typesPkg)
	s.imports[t.component] = true
	for _, path := range []string{"math", "slices", "unsafe"} {
		s.imports[path] = true
	}
	declared := map[string]*typ{}
	for _, t := range w.types {
		name := goName(t)
		if old, ok := declared[name]; ok {
			if t.alias != "" && old.alias != "" && bareType(t, "") == bareType(old, "") {
				continue // two interfaces have the same other name for the same type
			}
			return nil, fmt.Errorf("two different types would be %s in Go", name)
		}
		declared[name] = t
		declareType(s, t)
	}
	if strings.Contains(s.body.String(), "packBool(") {
		s.line(packBool)
	}
	return s.bytes(w.from())
}

// packBool is the one helper that variants need.
const packBool = `func packBool(v bool) uint64 {
	if v {
		return 1
	}
	return 0
}`

// goName is the name of a named type in Go.
func goName(t *typ) string { return camel(cmp.Or(t.alias, t.name)) }

func declareType(s *source, t *typ) {
	switch {
	case t.alias != "":
		s.comment("", docs(camel(t.alias), "is the type "+t.alias+".", t.docs))
		s.line("type %s = %s\n", camel(t.alias), bareType(t, ""))
	case t.kind == kindRecord:
		declareRecord(s, t)
	case t.kind == kindEnum:
		declareEnum(s, camel(t.name), "", t)
	case t.kind == kindVariant:
		declareVariant(s, t)
	}
}

// docs makes WIT documentation into a Go comment that starts with the name.
func docs(name, what, text string) string {
	return strings.TrimSpace(name + " " + what + "\n\n" + text)
}

func declareRecord(s *source, t *typ) {
	s.comment("", docs(camel(t.name), "is the record "+t.name+".", t.docs))
	s.line("type %s struct {", camel(t.name))
	for _, f := range t.fields {
		s.comment("", f.docs)
		s.line("%s %s", camel(f.name), goType(f.typ, ""))
	}
	s.line("}\n")
}

// declareEnum writes an enum, or the tags of a variant.
func declareEnum(s *source, name, of string, t *typ) {
	if of == "" {
		s.comment("", docs(name, "is the enum "+t.name+".", t.docs))
	} else {
		s.comment("", docs(name, "tells which case "+article(of)+" is.", ""))
	}
	s.line("type %s uint%d\n", name, 8*t.tagSize)
	s.line("// The cases of %s.", name)
	s.line("const (")
	for i, c := range t.cases {
		s.comment("", c.docs)
		if i == 0 {
			s.line("%s%s %s = iota", name, camel(c.name), name)
		} else {
			s.line("%s%s", name, camel(c.name))
		}
	}
	s.line(")\n")
	s.line("// String returns the name of the case in WIT.")
	s.line("func (e %s) String() string {", name)
	s.line("switch e {")
	for _, c := range t.cases {
		s.line("case %s%s: return %q", name, camel(c.name), c.name)
	}
	s.line("}")
	s.line("return \"unknown\"")
	s.line("}\n")
}

func article(name string) string {
	if strings.ContainsRune("AEIO", rune(name[0])) {
		return "an " + name
	}
	return "a " + name
}
