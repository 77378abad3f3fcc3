package main

import (
	"fmt"
	"strings"
)

// opInto is opLoad with a buffer for the result's bytes.
const opInto op = "into"

func (g *guestGen) swap(s *source) *source {
	old := g.source
	g.source = s
	return old
}

func (g *guestGen) value(f valueFunc) {
	switch f.op {
	case opList:
		g.listFunc(f.typ)
	case opLoad:
		g.line("func load%s(p unsafe.Pointer) %s {", mangle(f.typ), bareType(f.typ, g.pkg))
		g.compound(f.typ, tagAt(f.typ, "p", 0), func(c *typ, offset, _ int) string { return g.load(c, "p", offset) })
		g.line("}\n")
	case opInto:
		g.line("func load%sInto(p unsafe.Pointer, buf []byte) %s {", mangle(f.typ), bareType(f.typ, g.pkg))
		g.compound(f.typ, tagAt(f.typ, "p", 0), g.loadInto)
		g.line("}\n")
	case opLift:
		g.liftFunc(f.typ)
	case opStore:
		g.storeFunc(f.typ)
	case opLower:
		g.lowerFunc(f.typ)
	}
}

func (g *guestGen) compound(t *typ, tag string, get func(part *typ, offset, slot int) string) {
	if t.kind == kindList { // only with opInto: the result itself is bytes
		g.line("return %s", get(t, 0, 0))
		return
	}
	writeCompound(g.source, g.pkg, t, tag, get)
}

func (g *guestGen) loadInto(c *typ, offset, _ int) string {
	if c.isBytes() {
		return fmt.Sprintf("linear.Append(buf, %s, %s)", loadAs("uint32", "p", offset), loadAs("uint32", "p", offset+4))
	}
	return g.load(c, "p", offset)
}

func loadAs(goName, p string, offset int) string {
	return fmt.Sprintf("linear.Load[%s](%s, %d)", goName, p, offset)
}

// tagAt is the expression for the discriminant of t in memory.
func tagAt(t *typ, p string, offset int) string {
	return loadAs(fmt.Sprintf("uint%d", 8*t.tagSize), p, offset)
}

// goPlain says whether Go lays t out as the canonical ABI does, on this side.
func goPlain(t *typ) bool { return t.isScalar() || t.kind == kindOwn || t.kind == kindBorrow }

// load is the expression that lifts a t from offset of p.
func (g *guestGen) load(t *typ, p string, offset int) string {
	ptr, n := loadAs("uint32", p, offset), loadAs("uint32", p, offset+4)
	switch {
	case t.kind == kindBool:
		return fmt.Sprintf("linear.LoadBool(%s, %d)", p, offset)
	case goPlain(t):
		return loadAs(bareType(t, g.pkg), p, offset)
	case t.kind == kindString:
		return fmt.Sprintf("linear.String(%s, %s)", ptr, n)
	case t.kind == kindList:
		return g.list(t, ptr, n)
	}
	g.values.need(opLoad, t)
	if offset > 0 {
		p = fmt.Sprintf("unsafe.Add(%s, %d)", p, offset)
	}
	return fmt.Sprintf("load%s(%s)", mangle(t), p)
}

// list is the expression that lifts a list.
func (g *guestGen) list(t *typ, ptr, n string) string {
	if goPlain(t.elem) {
		return fmt.Sprintf("linear.Append[%s](nil, %s, %s)", goType(t.elem, g.pkg), ptr, n)
	}
	g.values.need(opList, t)
	return fmt.Sprintf("load%s(%s, %s)", mangle(t), ptr, n)
}

func (g *guestGen) listFunc(t *typ) {
	name := goType(t, g.pkg)
	g.line("func load%s(ptr, n uint32) %s {", mangle(t), bareType(t, g.pkg))
	g.line("p := linear.At(ptr)")
	g.line("v := make(%s, n)", name)
	g.line("for i := range v {")
	g.line("v[i] = %s", g.load(t.elem, fmt.Sprintf("unsafe.Add(p, i*%d)", t.elem.size), 0))
	g.line("}")
	g.line("return v")
	g.line("}\n")
}

// lift is the expression that lifts a t from flat values, whose core types are have. slot gives their names.
func (g *guestGen) lift(t *typ, have []core, slot func(int) string) string {
	get := func(i int) string { return convert(have[i], t.flat[i], slot(i)) }
	switch t.kind {
	case kindBool:
		return get(0) + " != 0"
	case kindU32, kindU64, kindF32, kindF64:
		return get(0)
	case kindString:
		return fmt.Sprintf("linear.String(%s, %s)", get(0), get(1))
	case kindList:
		return g.list(t, get(0), get(1))
	}
	if goPlain(t) {
		return bareType(t, g.pkg) + "(" + get(0) + ")"
	}
	g.values.need(opLift, t)
	var args []string
	for i := range t.flat {
		args = append(args, get(i))
	}
	return fmt.Sprintf("lift%s(%s)", mangle(t), strings.Join(args, ", "))
}

func (g *guestGen) liftFunc(t *typ) {
	g.line("func lift%s(%s) %s {", mangle(t), flatList("f", t.flat), bareType(t, g.pkg))
	g.compound(t, "f0", func(c *typ, _, first int) string {
		return g.lift(c, t.flat[first:], func(i int) string { return fmt.Sprintf("f%d", first+i) })
	})
	g.line("}\n")
}

// convert is the expression that turns v of one core type into another: what lies between a variant's joined types and
// those of one case.
func convert(have, want core, v string) string {
	switch {
	case have == want:
		return v
	case have == i64 && want == i32:
		return "uint32(" + v + ")"
	case have == i32 && want == f32:
		return "math.Float32frombits(" + v + ")"
	case have == i64 && want == f32:
		return "math.Float32frombits(uint32(" + v + "))"
	case have == i64 && want == f64:
		return "math.Float64frombits(" + v + ")"
	case have == f32 && want == i32:
		return "math.Float32bits(" + v + ")"
	case have == f32 && want == i64:
		return "uint64(math.Float32bits(" + v + "))"
	case have == f64 && want == i64:
		return "math.Float64bits(" + v + ")"
	}
	return "uint64(" + v + ")" // i32 to i64
}

// store writes the statements that lower v to offset of p.
func (g *guestGen) store(t *typ, p string, offset int, v string) {
	switch {
	case goPlain(t):
		g.line("linear.Put(%s, %d, %s)", p, offset, v)
	case t.kind == kindString, t.kind == kindList:
		g.line("{")
		g.line("ptr, n := %s", g.slice(t, v))
		g.line("linear.PutSlice(%s, %d, ptr, n)", p, offset)
		g.line("}")
	case t.kind == kindOption:
		g.storeOption(t, p, offset, v)
	default:
		g.values.need(opStore, t)
		if offset > 0 {
			p = fmt.Sprintf("unsafe.Add(%s, %d)", p, offset)
		}
		g.line("store%s(a, %s, &%s)", mangle(t), p, v)
	}
}

// storeOption writes the statements that lower an option in place: a call for each of a sample's two would be a third of
// what lowering one takes.
func (g *guestGen) storeOption(t *typ, p string, offset int, v string) {
	tag := func(some int) { g.line("linear.Put(%s, %d, uint8(%d))", p, offset, some) }
	g.line("if !%s.Some {", v)
	tag(0)
	g.line("} else {")
	tag(1)
	g.store(t.elem, p, offset+t.payload, v+".Value")
	g.line("}")
}

// slice is the expression for where a string or list is and how long: two values.
func (g *guestGen) slice(t *typ, v string) string {
	switch {
	case t.kind == kindString:
		return "a.PinString(" + v + ")"
	case goPlain(t.elem):
		return "linear.PinSlice(a, " + v + ")"
	}
	g.values.need(opLower, t)
	return fmt.Sprintf("lower%s(a, %s)", mangle(t), v)
}

// storeFunc writes the function that lowers a compound to memory. It takes a pointer, because each copy of a large struct
// is a call of the host's memmove.
func (g *guestGen) storeFunc(t *typ) {
	g.line("func store%s(a *linear.Arena, p unsafe.Pointer, v *%s) {", mangle(t), bareType(t, g.pkg))
	if t.kind == kindRecord || t.kind == kindTuple {
		for _, f := range t.fields {
			g.store(f.typ, "p", f.offset, "v."+camel(f.name))
		}
	} else {
		writeChoice(g.source, g.pkg, t,
			func(i string) { g.line("linear.Put(p, 0, uint%d(%s))", 8*t.tagSize, i) },
			func(c *typ, v string) { g.storePayload(t, c, v) })
	}
	g.line("}\n")
}

// storePayload writes the statements that lower the payload c of t. What an accessor of a variant returns has no address.
func (g *guestGen) storePayload(t, c *typ, v string) {
	if t.kind == kindVariant && !goPlain(c) && c.kind != kindString && c.kind != kindList {
		g.line("payload := %s", v)
		v = "payload"
	}
	g.store(c, "p", t.payload, v)
}

// lower writes what is needed to lower v and returns the expressions for the flat values. tmp names variables.
func (g *guestGen) lower(t *typ, tmp, v string) []string {
	switch t.kind {
	case kindBool:
		return []string{"linear.Bool(" + v + ")"}
	case kindS8, kindS16:
		return []string{"uint32(int32(" + v + "))"}
	case kindU32, kindU64, kindF32, kindF64:
		return []string{v}
	case kindS64:
		return []string{"uint64(" + v + ")"}
	}
	if goPlain(t) {
		return []string{"uint32(" + v + ")"}
	}
	var names []string
	for i := range t.flat {
		names = append(names, fmt.Sprintf("%s%c", tmp, 'a'+rune(i)))
	}
	g.line("%s := %s", strings.Join(names, ", "), g.lowerCall(t, v))
	return names
}

// lowerCall is the expression that lowers v, a t of several flat values.
func (g *guestGen) lowerCall(t *typ, v string) string {
	if t.kind == kindString || t.kind == kindList {
		return g.slice(t, v)
	}
	g.values.need(opLower, t)
	return fmt.Sprintf("lower%s(a, %s)", mangle(t), v)
}

func (g *guestGen) lowerFunc(t *typ) {
	if t.kind == kindList {
		g.lowerListFunc(t)
		return
	}
	g.line("func lower%s(a *linear.Arena, v %s) (%s) {", mangle(t), bareType(t, g.pkg), flatList("f", t.flat))
	if t.kind == kindRecord || t.kind == kindTuple {
		var all []string
		for i, f := range t.fields {
			all = append(all, g.lower(f.typ, fmt.Sprintf("p%d", i), "v."+camel(f.name))...)
		}
		g.line("return %s", strings.Join(all, ", "))
	} else {
		writeChoice(g.source, g.pkg, t,
			func(i string) { g.line("f0 = uint32(%s)", i) },
			func(c *typ, v string) {
				for i, e := range g.lower(c, "p", v) {
					g.line("f%d = %s", i+1, convert(c.flat[i], t.flat[i+1], e))
				}
			})
		g.line("return")
	}
	g.line("}\n")
}

func (g *guestGen) lowerListFunc(t *typ) {
	g.line("func lower%s(a *linear.Arena, v %s) (ptr, n uint32) {", mangle(t), bareType(t, g.pkg))
	g.line("p := a.Alloc(uintptr(len(v))*%d, %d)", t.elem.size, t.elem.align)
	g.line("for i := range v {")
	g.line("q := unsafe.Add(p, i*%d)", t.elem.size)
	g.store(t.elem, "q", 0, "v[i]")
	g.line("}")
	g.line("return linear.Addr(p), uint32(len(v))")
	g.line("}\n")
}
