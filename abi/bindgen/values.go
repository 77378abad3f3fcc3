package main

import (
	"cmp"
	"fmt"
	"slices"
)

// op is one way in which a value crosses the border.
type op string

const (
	opList  op = "list"  // from memory, into a slice
	opLoad  op = "load"  // from memory
	opLift  op = "lift"  // from flat values
	opStore op = "store" // to memory
	opLower op = "lower" // to flat values
)

// values collects the functions for compound types that the rest of a file calls, each once.
type values struct {
	seen map[string]bool
	todo []valueFunc
}

type valueFunc struct {
	op  op
	typ *typ
}

func newValues() *values { return &values{seen: map[string]bool{}} }

// need asks for the function that does op for t.
func (v *values) need(o op, t *typ) {
	key := string(o) + " " + mangle(t)
	if !v.seen[key] {
		v.seen[key] = true
		v.todo = append(v.todo, valueFunc{o, t})
	}
}

// valueWriter writes the function for one compound type. Writing one may ask for more.
type valueWriter interface {
	value(f valueFunc)
	swap(*source) *source
}

// write writes all functions that were asked for, sorted by name.
func (v *values) write(g valueWriter) {
	text := map[string]*source{}
	var keys []string
	for len(v.todo) > 0 {
		f := v.todo[0]
		v.todo = v.todo[1:]
		key := mangle(f.typ) + " " + string(f.op)
		text[key] = newSource("")
		keys = append(keys, key)
		old := g.swap(text[key])
		g.value(f)
		g.swap(old)
	}
	slices.SortFunc(keys, cmp.Compare)
	out := g.swap(nil)
	g.swap(out)
	for _, key := range keys {
		out.body.Write(text[key].body.Bytes())
	}
}

// writeCompound writes the body of a function that makes a t out of its parts, each of which get gives by its offset in
// memory or by its first flat slot.
func writeCompound(s *source, pkg string, t *typ, tag string, get func(part *typ, offset, slot int) string) {
	switch t.kind {
	case kindRecord, kindTuple:
		s.line("return %s{", bareType(t, pkg))
		slot := 0
		for _, f := range t.fields {
			s.line("%s: %s,", camel(f.name), get(f.typ, f.offset, slot))
			slot += len(f.typ.flat)
		}
		s.line("}")
	case kindOption:
		s.line("if %s == 0 { return %s{} }", tag, bareType(t, pkg))
		s.line("return component.Some(%s)", get(t.elem, t.payload, 1))
	case kindResult:
		s.line("if %s == 0 { return %s }", tag, okExpr(t, pkg, func(c *typ) string { return get(c, t.payload, 1) }))
		s.line("return %s", errExpr(t, pkg, func(c *typ) string { return get(c, t.payload, 1) }))
	case kindVariant:
		name := bareType(t, pkg)
		s.line("switch %sTag(%s) {", name, tag)
		for i, c := range t.cases {
			arg := ""
			if c.typ != nil {
				arg = get(c.typ, t.payload, 1)
			}
			if i == len(t.cases)-1 {
				s.line("}")
				s.line("return %s%s(%s)", name, camel(c.name), arg)
				return
			}
			s.line("case %sTag%s: return %s%s(%s)", name, camel(c.name), name, camel(c.name), arg)
		}
	}
}

// okExpr is the expression for a result that succeeded.
func okExpr(t *typ, pkg string, get func(*typ) string) string {
	if t.cases[0].typ == nil {
		return bareType(t, pkg) + "{}"
	}
	return fmt.Sprintf("%s{Value: %s}", bareType(t, pkg), get(t.cases[0].typ))
}

// errExpr is the expression for a result that failed.
func errExpr(t *typ, pkg string, get func(*typ) string) string {
	if t.cases[1].typ == nil {
		return bareType(t, pkg) + "{Failed: true}"
	}
	return fmt.Sprintf("%s{Err: %s, Failed: true}", bareType(t, pkg), get(t.cases[1].typ))
}

// writeChoice writes the lowering of an option, result or variant v: its discriminant by tag, its payload by payload.
func writeChoice(s *source, pkg string, t *typ, tag func(i string), payload func(c *typ, v string)) {
	one := func(c variant, i, v string) {
		tag(i)
		if c.typ != nil {
			payload(c.typ, v)
		}
	}
	switch t.kind {
	case kindOption:
		s.line("if !v.Some {")
		one(t.cases[0], "0", "")
		s.line("return")
		s.line("}")
		one(t.cases[1], "1", "v.Value")
	case kindResult:
		s.line("if v.Failed {")
		one(t.cases[1], "1", "v.Err")
		s.line("return")
		s.line("}")
		one(t.cases[0], "0", "v.Value")
	case kindVariant:
		tag("v.Tag()")
		if !slices.ContainsFunc(t.cases, func(c variant) bool { return c.typ != nil }) {
			return
		}
		s.line("switch v.Tag() {")
		for _, c := range t.cases {
			if c.typ != nil {
				s.line("case %sTag%s:", bareType(t, pkg), camel(c.name))
				payload(c.typ, "v."+camel(c.name)+"()")
			}
		}
		s.line("}")
	}
}
