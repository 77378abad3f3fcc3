package main

import (
	"fmt"
	"strings"
)

func (g *hostGen) swap(s *source) *source {
	old := g.source
	g.source = s
	return old
}

func (g *hostGen) value(f valueFunc) {
	switch f.op {
	case opList:
		g.listFunc(f.typ)
	case opLoad:
		g.loadFunc(f.typ)
	case opLift:
		g.liftFunc(f.typ)
	case opStore:
		g.storeFunc(f.typ)
	case opLower:
		g.lowerFunc(f.typ)
	}
}

// load is the expression that lifts a t from offset of the bytes p.
func (g *hostGen) load(t *typ, p string, offset int) string {
	at := from(p, offset)
	byteAt := fmt.Sprintf("%s[%d]", p, offset)
	switch t.kind {
	case kindBool:
		return byteAt + " != 0"
	case kindU8:
		return byteAt
	case kindS8:
		return "int8(" + byteAt + ")"
	case kindU16:
		return "canon.U16(" + at + ")"
	case kindS16:
		return "int16(canon.U16(" + at + "))"
	case kindU32:
		return "canon.U32(" + at + ")"
	case kindS32:
		return "int32(canon.U32(" + at + "))"
	case kindU64:
		return "canon.U64(" + at + ")"
	case kindS64:
		return "int64(canon.U64(" + at + "))"
	case kindF32:
		return "canon.F32(" + at + ")"
	case kindF64:
		return "canon.F64(" + at + ")"
	case kindEnum:
		return fmt.Sprintf("%s(%s)", bareType(t, g.pkg), loadTag(t, p, offset))
	case kindString:
		return fmt.Sprintf("x.guest.String(%s, %s)", u32At(p, offset), u32At(p, offset+4))
	case kindBorrow:
		return fmt.Sprintf("x.%s.Get(%s)", tableField(t.resource), u32At(p, offset))
	case kindOwn:
		return fmt.Sprintf("x.%s.Take(%s)", tableField(t.resource), u32At(p, offset))
	case kindList:
		if t.isBytes() {
			return fmt.Sprintf("x.guest.CopyBytes(%s, %s)", u32At(p, offset), u32At(p, offset+4))
		}
		g.values.need(opList, t)
		return fmt.Sprintf("load%s(x, nil, %s, %s)", mangle(t), u32At(p, offset), u32At(p, offset+4))
	}
	g.values.need(opLoad, t)
	return fmt.Sprintf("load%s(x, %s)", mangle(t), at)
}

// loadTag is the expression for the checked discriminant of t at offset of p.
func loadTag(t *typ, p string, offset int) string {
	tag := fmt.Sprintf("uint32(%s[%d])", p, offset)
	switch t.tagSize {
	case 2:
		tag = "uint32(canon.U16(" + from(p, offset) + "))"
	case 4:
		tag = u32At(p, offset)
	}
	return fmt.Sprintf("canon.Tag(%s, %d, %q)", tag, len(t.cases), witName(t))
}

// witName names a type in messages.
func witName(t *typ) string {
	switch t.kind {
	case kindOption:
		return "option"
	case kindResult:
		return "result"
	}
	return t.name
}

// lift is the expression that lifts a t from the flat values from slot on. Every core value has its bits in the low end
// of its slot, so that the joined types of variants need no conversion.
func (g *hostGen) lift(t *typ, slot int) string {
	u32 := fmt.Sprintf("api.DecodeU32(s[%d])", slot)
	switch t.kind {
	case kindBool:
		return u32 + " != 0"
	case kindU8, kindU16, kindS8, kindS16, kindS32:
		return scalars[t.kind].goName + "(" + u32 + ")"
	case kindU32:
		return u32
	case kindU64:
		return fmt.Sprintf("s[%d]", slot)
	case kindS64:
		return fmt.Sprintf("int64(s[%d])", slot)
	case kindF32:
		return fmt.Sprintf("api.DecodeF32(s[%d])", slot)
	case kindF64:
		return fmt.Sprintf("api.DecodeF64(s[%d])", slot)
	case kindEnum:
		return fmt.Sprintf("%s(%s)", bareType(t, g.pkg), liftTag(t, slot))
	case kindString:
		return fmt.Sprintf("x.guest.String(%s, api.DecodeU32(s[%d]))", u32, slot+1)
	case kindBorrow:
		return fmt.Sprintf("x.%s.Get(%s)", tableField(t.resource), u32)
	case kindOwn:
		return fmt.Sprintf("x.%s.Take(%s)", tableField(t.resource), u32)
	case kindList:
		if t.isBytes() {
			return fmt.Sprintf("x.guest.CopyBytes(%s, api.DecodeU32(s[%d]))", u32, slot+1)
		}
		g.values.need(opList, t)
		return fmt.Sprintf("load%s(x, nil, %s, api.DecodeU32(s[%d]))", mangle(t), u32, slot+1)
	}
	g.values.need(opLift, t)
	return fmt.Sprintf("lift%s(x, s[%d:%d])", mangle(t), slot, slot+len(t.flat))
}

func liftTag(t *typ, slot int) string {
	return fmt.Sprintf("canon.Tag(api.DecodeU32(s[%d]), %d, %q)", slot, len(t.cases), witName(t))
}

func (g *hostGen) listFunc(t *typ) {
	name := goType(t, g.pkg)
	g.line("func load%s(x *Instance, dst %s, ptr, n uint32) %s {", mangle(t), name, name)
	g.line("p := canon.Elements[%s](x.guest, ptr, n, %d, %d)", goType(t.elem, g.pkg), t.elem.size, t.elem.align)
	g.line("dst = slices.Grow(dst, int(n))")
	g.line("for ; len(p) > 0; p = p[%d:] {", t.elem.size)
	g.line("dst = append(dst, %s)", g.load(t.elem, "p", 0))
	g.line("}")
	g.line("return dst")
	g.line("}\n")
}

func (g *hostGen) loadFunc(t *typ) {
	g.line("func load%s(x *Instance, p []byte) %s {", mangle(t), bareType(t, g.pkg))
	writeCompound(g.source, g.pkg, t, loadTag(t, "p", 0), func(c *typ, offset, _ int) string { return g.load(c, "p", offset) })
	g.line("}\n")
}

func (g *hostGen) liftFunc(t *typ) {
	g.line("func lift%s(x *Instance, s []uint64) %s {", mangle(t), bareType(t, g.pkg))
	writeCompound(g.source, g.pkg, t, liftTag(t, 0), func(c *typ, _, slot int) string { return g.lift(c, slot) })
	g.line("}\n")
}

// puts has the methods of canon.Guest that store scalars, and the Go type they take.
var puts = map[kind]struct{ method, goName string }{
	kindBool: {"PutBool", "bool"}, kindF32: {"PutF32", "float32"}, kindF64: {"PutF64", "float64"},
	kindU8: {"PutU8", "uint8"}, kindS8: {"PutU8", "uint8"},
	kindU16: {"PutU16", "uint16"}, kindS16: {"PutU16", "uint16"},
	kindU32: {"PutU32", "uint32"}, kindS32: {"PutU32", "uint32"},
	kindU64: {"PutU64", "uint64"}, kindS64: {"PutU64", "uint64"},
}

// store writes the statements that lower v to the address at, plus offset.
func (g *hostGen) store(t *typ, at string, offset int, v string) {
	addr := plus(at, offset)
	if p, ok := puts[t.kind]; ok {
		if p.goName != scalars[t.kind].goName {
			v = p.goName + "(" + v + ")"
		}
		g.line("x.guest.%s(%s, %s)", p.method, addr, v)
		return
	}
	switch t.kind {
	case kindEnum:
		g.line("x.guest.PutU%d(%s, uint%d(%s))", 8*t.tagSize, addr, 8*t.tagSize, v)
	case kindOwn:
		g.line("x.guest.PutU32(%s, x.%s.Add(ctx, %s))", addr, tableField(t.resource), v)
	default:
		g.values.need(opStore, t)
		g.line("store%s(ctx, x, %s, %s)", mangle(t), addr, v)
	}
}

func plus(at string, offset int) string {
	if offset == 0 {
		return at
	}
	return fmt.Sprintf("%s+%d", at, offset)
}

func (g *hostGen) storeFunc(t *typ) {
	g.line("func store%s(ctx context.Context, x *Instance, at uint32, v %s) {", mangle(t), bareType(t, g.pkg))
	switch t.kind {
	case kindString, kindList:
		g.line("ptr, n := %s", g.newSlice(t, "v"))
		g.line("x.guest.PutSlice(at, ptr, n)")
	case kindRecord, kindTuple:
		for _, f := range t.fields {
			g.store(f.typ, "at", f.offset, "v."+camel(f.name))
		}
	default:
		writeChoice(g.source, g.pkg, t,
			func(i string) { g.line("x.guest.PutU%d(at, uint%d(%s))", 8*t.tagSize, 8*t.tagSize, i) },
			func(c *typ, v string) { g.store(c, "at", t.payload, v) })
	}
	g.line("}\n")
}

// newSlice is the expression that lowers the string or list v into new memory: two values, where and how many.
func (g *hostGen) newSlice(t *typ, v string) string {
	switch {
	case t.kind == kindString:
		return "x.guest.NewString(ctx, " + v + ")"
	case t.isBytes():
		return "x.guest.NewBytes(ctx, " + v + ")"
	}
	g.values.need(opLower, t)
	return fmt.Sprintf("lower%s(ctx, x, %s)", mangle(t), v)
}

// lower writes the statements that lower v to the flat values from slot on.
func (g *hostGen) lower(t *typ, slot int, v string) {
	switch t.kind {
	case kindString, kindList:
		ptr, n := fmt.Sprintf("ptr%d", slot), fmt.Sprintf("n%d", slot)
		g.line("%s, %s := %s", ptr, n, g.newSlice(t, v))
		g.line("s[%d], s[%d] = uint64(%s), uint64(%s)", slot, slot+1, ptr, n)
	case kindRecord, kindTuple, kindOption, kindResult, kindVariant:
		g.values.need(opLower, t)
		g.line("lower%s(ctx, x, s[%d:%d], %s)", mangle(t), slot, slot+len(t.flat), v)
	default:
		g.line("s[%d] = %s", slot, g.lowerScalar(t, v))
	}
}

// lowerScalar is the expression for v as one flat value.
func (g *hostGen) lowerScalar(t *typ, v string) string {
	switch t.kind {
	case kindBool:
		return "canon.Bool(" + v + ")"
	case kindS8, kindS16, kindS32:
		return "api.EncodeI32(int32(" + v + "))"
	case kindF32:
		return "api.EncodeF32(" + v + ")"
	case kindF64:
		return "api.EncodeF64(" + v + ")"
	case kindU64:
		return v
	case kindOwn:
		return fmt.Sprintf("uint64(x.%s.Add(ctx, %s))", tableField(t.resource), v)
	}
	return "uint64(" + v + ")"
}

func (g *hostGen) lowerFunc(t *typ) {
	if t.kind == kindList {
		g.lowerListFunc(t)
		return
	}
	g.line("func lower%s(ctx context.Context, x *Instance, s []uint64, v %s) {", mangle(t), bareType(t, g.pkg))
	if t.kind == kindRecord || t.kind == kindTuple {
		slot := 0
		for _, f := range t.fields {
			g.lower(f.typ, slot, "v."+camel(f.name))
			slot += len(f.typ.flat)
		}
	} else {
		writeChoice(g.source, g.pkg, t,
			func(i string) { g.line("s[0] = uint64(%s)", strings.TrimSpace(i)) },
			func(c *typ, v string) { g.lower(c, 1, v) })
	}
	g.line("}\n")
}

func (g *hostGen) lowerListFunc(t *typ) {
	g.line("func lower%s(ctx context.Context, x *Instance, v %s) (ptr, n uint32) {", mangle(t), goType(t, g.pkg))
	g.line("ptr = x.guest.NewList(ctx, len(v), %d, %d)", t.elem.size, t.elem.align)
	g.line("for i, e := range v {")
	g.line("at := ptr + uint32(i)*%d", t.elem.size)
	g.store(t.elem, "at", 0, "e")
	g.line("}")
	g.line("return ptr, uint32(len(v))")
	g.line("}\n")
}
