package main

import (
	"fmt"
	"slices"
	"strings"
)

// descriptions writes the table by which a trace of calls is read (canon.Function), an import a line.
func (g *hostGen) descriptions() {
	g.line("// functions describes the imports, in the order of ImportSignatures. Nobody changes it.")
	g.line("var functions = [...]canon.Function{")
	for _, d := range g.described {
		g.line("%s,", d)
	}
	g.line("}\n")
}

// dropDescription describes the drop of a resource.
func dropDescription(r *resource) string {
	return fmt.Sprintf("{Name: %q, Params: []canon.Param{%s}, Bytes: -1, Return: -1}",
		"[resource-drop]"+r.name, paramLiteral("", &typ{kind: kindOwn, resource: r, flat: []core{i32}}))
}

// description describes an import.
func description(f *function) string {
	bytes, ret := -1, -1
	if f.retptr {
		ret = len(f.coreIn) - 1
	}
	params := "Spilled: true"
	if !f.spilled {
		params, bytes = paramLiterals(f)
	}
	return fmt.Sprintf("{Name: %q, %s, Bytes: %d, Return: %d%s}", f.called(), params, bytes, ret, resultLiteral(f.result, f.retptr))
}

// called names an import in a trace: a method by its core name, which has its resource, another function with its
// interface.
func (f *function) called() string {
	if f.resource != nil {
		return f.core
	}
	return f.iface.name + "." + f.core
}

// paramLiterals describes the parameters, and says which flat one is the address of the first text or bytes.
func paramLiterals(f *function) (literal string, bytes int) {
	var all []string
	bytes, slot := -1, 0
	add := func(name string, t *typ) {
		all = append(all, paramLiteral(name, t))
		if at, ok := textAt(t); ok && bytes < 0 {
			bytes = slot + at
		}
		slot += len(t.flat)
	}
	if f.resource != nil {
		add("", &typ{kind: kindBorrow, resource: f.resource, flat: []core{i32}})
	}
	for _, p := range f.params {
		add(p.name, p.typ)
	}
	return "Params: []canon.Param{" + strings.Join(all, ", ") + "}", bytes
}

// textAt says where the flat values of t have the address of a text or of bytes.
func textAt(t *typ) (slot int, ok bool) {
	switch {
	case t.kind == kindString, t.isBytes():
		return 0, true
	case textChoice(t):
		return 1, true
	}
	return 0, false
}

// textChoice says whether t is a choice of texts.
func textChoice(t *typ) bool {
	return t.kind == kindVariant && !slices.ContainsFunc(t.cases, func(c variant) bool {
		return c.typ == nil || c.typ.kind != kindString
	})
}

func paramLiteral(name string, t *typ) string {
	fields := []string{}
	if name != "" {
		fields = append(fields, fmt.Sprintf("Name: %q", name))
	}
	fields = append(fields, "Kind: canon."+paramKind(t))
	switch {
	case t.resource != nil:
		fields = append(fields, fmt.Sprintf("Of: []string{%q}", t.resource.name))
	case len(t.cases) > 0:
		fields = append(fields, "Of: "+caseNames(t))
	case len(t.fields) > 0:
		var inner []string
		for _, f := range t.fields {
			inner = append(inner, paramLiteral(f.name, f.typ))
		}
		fields = append(fields, "Fields: []canon.Param{"+strings.Join(inner, ", ")+"}")
	}
	return "{" + strings.Join(append(fields, fmt.Sprintf("Flat: %d", len(t.flat))), ", ") + "}"
}

// paramKind is the name of the canon.ParamKind of t.
func paramKind(t *typ) string {
	switch t.kind {
	case kindBool:
		return "KindBool"
	case kindS8, kindS16, kindS32:
		return "KindSigned32"
	case kindS64:
		return "KindSigned64"
	case kindU64:
		if t.alias == "duration" {
			return "KindDuration"
		}
		return "KindUnsigned64"
	case kindF32:
		return "KindFloat32"
	case kindF64:
		return "KindFloat64"
	case kindString:
		return "KindString"
	case kindList:
		if t.isBytes() {
			return "KindBytes"
		}
		return "KindList"
	case kindRecord, kindTuple:
		return "KindRecord"
	case kindEnum:
		return "KindEnum"
	case kindVariant, kindOption, kindResult:
		if textChoice(t) {
			return "KindTextChoice"
		}
		return "KindChoice"
	case kindOwn, kindBorrow:
		return "KindHandle"
	}
	return "KindUnsigned32"
}

// resultLiteral describes a result, with a comma before it; nothing when there is nothing to tell.
func resultLiteral(t *typ, inMemory bool) string {
	switch {
	case t == nil:
		return ""
	case !inMemory && t.kind == kindBool:
		return ", Result: canon.Result{Kind: canon.ResultBool}"
	case !inMemory && t.kind == kindEnum:
		return fmt.Sprintf(", Result: canon.Result{Kind: canon.ResultEnum, Cases: %s}", caseNames(t))
	case !inMemory && t.isScalar() && t.kind != kindF32 && t.kind != kindF64:
		return ", Result: canon.Result{Kind: canon.ResultNumber}"
	case !inMemory || len(t.cases) == 0 || t.tagSize != 1:
		return ""
	}
	counted := slices.IndexFunc(t.cases, func(c variant) bool { return c.typ != nil && c.typ.kind == kindList })
	literal := fmt.Sprintf("Kind: canon.ResultChoice, Cases: %s, Payload: %d, Counted: %d", caseNames(t), t.payload, counted)
	if e := t.cases[len(t.cases)-1].typ; t.kind == kindResult && e != nil && len(e.cases) > 0 && e.tagSize == 1 {
		literal += ", Errors: " + caseNames(e)
	}
	return ", Result: canon.Result{" + literal + "}"
}

func caseNames(t *typ) string {
	var names []string
	for _, c := range t.cases {
		names = append(names, fmt.Sprintf("%q", c.name))
	}
	return "[]string{" + strings.Join(names, ", ") + "}"
}
