package main

import "slices"

// A variant in Go is a tag and up to three places for the payload, of which it has those that its cases need.
const (
	placeNone = ""
	placeNum  = "num" // scalars, in 64 bits
	placeText = "text"
	placeRef  = "ref"  // everything else
	placeData = "data" // strings and lists of a flat variant: where the elements are; num has how many
)

// place is where variant v has the payload t.
func place(v, t *typ) string {
	switch {
	case t == nil:
		return placeNone
	case t.isScalar():
		return placeNum
	case flatVariant(v):
		return placeData
	case t.kind == kindString:
		return placeText
	}
	return placeRef
}

// flatVariant says whether a variant has lists, and nothing that is more than a scalar, a string or a list of scalars.
// Such a one is three words: small enough for Go's compiler to keep it in registers, which structs of more than four are
// not. A list of samples is most of what crosses the border.
func flatVariant(v *typ) bool {
	lists := false
	for _, c := range v.cases {
		switch {
		case c.typ == nil, c.typ.isScalar(), c.typ.kind == kindString:
		case c.typ.kind == kindList && c.typ.elem.isScalar():
			lists = true
		default:
			return false
		}
	}
	return lists
}

// declareVariant writes a variant: the tags, the opaque struct, constructors and accessors.
func declareVariant(s *source, t *typ) {
	name := camel(t.name)
	declareEnum(s, name+"Tag", name, t)
	s.comment("", docs(name, "is the variant "+t.name+". The zero value is its first case.", t.docs))
	s.line("type %s struct {", name)
	s.line("tag %sTag", name)
	if flatVariant(t) {
		s.line("num uint64")
		s.line("data unsafe.Pointer")
	} else {
		for _, p := range [][2]string{{placeNum, "uint64"}, {placeText, "string"}, {placeRef, "any"}} {
			if slices.ContainsFunc(t.cases, func(c variant) bool { return place(t, c.typ) == p[0] }) {
				s.line("%s %s", p[0], p[1])
			}
		}
	}
	s.line("}\n")
	s.line("// Tag tells the case.")
	s.line("func (v %s) Tag() %sTag { return v.tag }\n", name, name)
	for _, c := range t.cases {
		declareCase(s, t, c)
	}
	if flatVariant(t) {
		declareEqual(s, t)
	}
}

// declareEqual writes what == would say if it looked at what a flat variant points to.
func declareEqual(s *source, t *typ) {
	name := camel(t.name)
	s.line("// Equal says whether w is the same case with an equal payload.")
	s.line("func (v %s) Equal(w %s) bool {", name, name)
	s.line("if v.tag != w.tag || v.num != w.num { return false }")
	s.line("switch v.tag {")
	for _, c := range t.cases {
		if place(t, c.typ) != placeData {
			continue
		}
		get := camel(c.name)
		s.line("case %sTag%s:", name, get)
		if c.typ.kind == kindString {
			s.line("return v.%s() == w.%s()", get, get)
		} else {
			s.line("return slices.Equal(v.%s(), w.%s())", get, get)
		}
	}
	s.line("}")
	s.line("return true")
	s.line("}\n")
}

func declareCase(s *source, variant *typ, c variant) {
	name := camel(variant.name)
	full, tag := name+camel(c.name), name+"Tag"+camel(c.name)
	s.comment("", docs(full, "returns the case "+c.name+".", c.docs))
	if c.typ == nil {
		s.line("func %s() %s { return %s{tag: %s} }\n", full, name, name, tag)
		return
	}
	t := goType(c.typ, "")
	p := place(variant, c.typ)
	if p == placeData {
		at := "unsafe.SliceData(v)"
		if c.typ.kind == kindString {
			at = "unsafe.StringData(v)"
		}
		s.line("func %s(v %s) %s { return %s{tag: %s, num: uint64(len(v)), data: unsafe.Pointer(%s)} }\n", full, t, name,
			name, tag, at)
	} else {
		s.line("func %s(v %s) %s { return %s{tag: %s, %s: %s} }\n", full, t, name, name, tag, p, pack(c.typ, "v"))
	}
	s.line("// %s returns the payload of the case %s, or the zero value when v is another case.", camel(c.name), c.name)
	s.line("func (v %s) %s() %s {", name, camel(c.name), t)
	switch {
	case p == placeRef:
		s.line("if v.tag != %s { var none %s; return none }", tag, t)
		s.line("p, _ := v.ref.(%s)", t)
		s.line("return p")
	case p == placeData && c.typ.kind == kindList:
		s.line("if v.tag != %s { return nil }", tag)
		s.line("return unsafe.Slice((*%s)(v.data), int(v.num))", goType(c.typ.elem, ""))
	case p == placeData:
		s.line("if v.tag != %s { return %s }", tag, zero(c.typ))
		s.line("return unsafe.String((*byte)(v.data), int(v.num))")
	default:
		s.line("if v.tag != %s { return %s }", tag, zero(c.typ))
		s.line("return %s", unpack(c.typ, "v."+p, t))
	}
	s.line("}\n")
}

// pack is the expression that puts the scalar or string v into its place.
func pack(t *typ, v string) string {
	switch t.kind {
	case kindBool:
		return "packBool(" + v + ")"
	case kindF32:
		return "uint64(math.Float32bits(" + v + "))"
	case kindF64:
		return "math.Float64bits(" + v + ")"
	case kindU64:
		return v
	}
	if t.isScalar() {
		return "uint64(" + v + ")"
	}
	return v
}

// unpack is the reverse of pack.
func unpack(t *typ, v, goName string) string {
	switch t.kind {
	case kindBool:
		return v + " != 0"
	case kindF32:
		return "math.Float32frombits(uint32(" + v + "))"
	case kindF64:
		return "math.Float64frombits(" + v + ")"
	case kindU64, kindString:
		return v
	}
	return goName + "(" + v + ")"
}

func zero(t *typ) string {
	switch t.kind {
	case kindBool:
		return "false"
	case kindString:
		return `""`
	}
	return "0"
}
