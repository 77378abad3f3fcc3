package main

// A variant in Go is a tag and up to three places for the payload, of which it has those that its cases need.
const (
	placeNone = ""
	placeNum  = "num" // scalars, in 64 bits
	placeText = "text"
	placeRef  = "ref" // everything else
)

func place(t *typ) string {
	switch {
	case t == nil:
		return placeNone
	case t.isScalar():
		return placeNum
	case t.kind == kindString:
		return placeText
	}
	return placeRef
}

// declareVariant writes a variant: the tags, the opaque struct, constructors and accessors.
func declareVariant(s *source, t *typ) {
	name := camel(t.name)
	declareEnum(s, name+"Tag", name, t)
	s.comment("", docs(name, "is the variant "+t.name+". The zero value is its first case.", t.docs))
	s.line("type %s struct {", name)
	s.line("tag %sTag", name)
	for _, p := range [][2]string{{placeNum, "uint64"}, {placeText, "string"}, {placeRef, "any"}} {
		for _, c := range t.cases {
			if place(c.typ) == p[0] {
				s.line("%s %s", p[0], p[1])
				break
			}
		}
	}
	s.line("}\n")
	s.line("// Tag tells the case.")
	s.line("func (v %s) Tag() %sTag { return v.tag }\n", name, name)
	for _, c := range t.cases {
		declareCase(s, name, c)
	}
}

func declareCase(s *source, name string, c variant) {
	full, tag := name+camel(c.name), name+"Tag"+camel(c.name)
	s.comment("", docs(full, "returns the case "+c.name+".", c.docs))
	if c.typ == nil {
		s.line("func %s() %s { return %s{tag: %s} }\n", full, name, name, tag)
		return
	}
	t := goType(c.typ, "")
	p := place(c.typ)
	s.line("func %s(v %s) %s { return %s{tag: %s, %s: %s} }\n", full, t, name, name, tag, p, pack(c.typ, "v"))
	s.line("// %s returns the payload of the case %s, or the zero value when v is another case.", camel(c.name), c.name)
	s.line("func (v %s) %s() %s {", name, camel(c.name), t)
	if p == placeRef {
		s.line("if v.tag != %s { var none %s; return none }", tag, t)
		s.line("p, _ := v.ref.(%s)", t)
		s.line("return p")
	} else {
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
	if place(t) == placeNum {
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
