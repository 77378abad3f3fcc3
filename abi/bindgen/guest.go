package main

import (
	"fmt"
	"strings"
)

// guestGen writes the guest's side for plain Go.
type guestGen struct {
	*source
	goTyper
	w      *world
	values *values
}

// generateGuest writes bind.gen.go of the guest's side.
func generateGuest(w *world, t target) ([]byte, error) {
	g := &guestGen{source: newSource(t.guestPkg), goTyper: goTyper{t.typesPkg + "."}, w: w, values: newValues()}
	g.tag = "wasip1"
	for _, path := range []string{"math", "slices", "unsafe", t.component, t.linear, t.types} {
		g.imports[path] = true
	}
	for _, f := range w.imports {
		for _, r := range f.resources {
			g.handle(r)
			for _, m := range r.methods {
				g.imported(m)
			}
		}
		for _, fn := range f.funcs {
			g.imported(fn)
		}
	}
	for _, f := range w.exports {
		g.exported(f)
	}
	g.values.write(g)
	return g.bytes(w.from())
}

// handle writes the Go type of a resource.
func (g *guestGen) handle(r *resource) {
	name := camel(r.name)
	g.comment("", docs(name, "is a handle of the resource "+r.name+".", r.docs))
	g.line("type %s uint32\n", name)
	g.line("//go:wasmimport %s [resource-drop]%s", r.iface.id, r.name)
	g.line("func %s(self uint32)\n", dropFunc(r))
	g.line("// Drop gives the handle up.")
	g.line("func (h %s) Drop() { %s(uint32(h)) }\n", name, dropFunc(r))
}

// guestFunc is the name of the Go function for an import.
func guestFunc(f *function) string {
	if f.resource != nil {
		return camel(f.resource.name) + camel(f.name)
	}
	return camel(f.iface.name) + camel(f.name)
}

var flatTypes = map[core]string{i32: "uint32", i64: "uint64", f32: "float32", f64: "float64"}

func flatList(name string, cs []core) string {
	var ps []string
	for i, c := range cs {
		ps = append(ps, fmt.Sprintf("%s%d %s", name, i, flatTypes[c]))
	}
	return strings.Join(ps, ", ")
}

func flatResult(cs []core) string {
	if len(cs) == 0 {
		return ""
	}
	return flatTypes[cs[0]]
}

// imported writes the wasm import and the Go function over it.
func (g *guestGen) imported(f *function) {
	g.line("//go:wasmimport %s %s", f.iface.id, f.core)
	g.line("func %s(%s) %s\n", goFunc(f), flatList("f", f.coreIn), flatResult(f.coreOut))
	params := g.params(f)
	if f.resource != nil {
		params = append([]string{"self " + camel(f.resource.name)}, params...)
	}
	text := f.docs
	if f.bytesResult() {
		params = append(params, "buf []byte")
		text += "\n\nThe bytes are appended to buf."
	}
	g.comment("", docs(guestFunc(f), "calls "+f.where()+".", text))
	g.line("func %s(%s)%s {", guestFunc(f), strings.Join(params, ", "), g.result(f))
	g.call(f)
	g.line("}\n")
}

// call writes the body of an import's Go function.
func (g *guestGen) call(f *function) {
	arena := f.retptr || f.spilled
	for _, p := range f.params {
		arena = arena || p.typ.hasPointer()
	}
	if arena {
		g.line("a := linear.Get()")
	}
	args := g.arguments(f)
	if f.retptr {
		g.line("ret := a.Alloc(%d, %d)", f.result.size, f.result.align)
		args = append(args, "linear.Addr(ret)")
	}
	if f.bytesResult() {
		g.line("a.Into(buf)")
	}
	call := fmt.Sprintf("%s(%s)", goFunc(f), strings.Join(args, ", "))
	if !arena {
		g.returnScalar(f, call)
		return
	}
	g.line("a.Enter()")
	if f.result != nil && !f.retptr {
		g.line("r := %s", call)
	} else {
		g.line("%s", call)
	}
	g.line("a.Leave()")
	switch {
	case f.bytesResult():
		g.values.need(opInto, f.result)
		g.line("out := load%sInto(ret, buf)", mangle(f.result))
	case f.retptr:
		g.line("out := %s", g.load(f.result, "ret", 0))
	}
	g.line("a.Free()")
	switch {
	case f.retptr:
		g.line("return out")
	case f.result != nil:
		g.line("return %s", g.lift(f.result, f.coreOut, func(int) string { return "r" }))
	}
}

func (g *guestGen) returnScalar(f *function, call string) {
	if f.result == nil {
		g.line("%s", call)
		return
	}
	g.line("return %s", g.lift(f.result, f.coreOut, func(int) string { return call }))
}

// arguments writes the lowering of the parameters and returns the flat values.
func (g *guestGen) arguments(f *function) []string {
	if f.spilled {
		size, align := spilledSize(f)
		g.line("p := a.Alloc(%d, %d)", size, align)
		offset := 0
		if f.resource != nil {
			g.line("linear.Put(p, 0, self)")
			offset = 4
		}
		for _, p := range f.params {
			offset = alignUp(offset, p.typ.align)
			g.store(p.typ, "p", offset, local(p.name))
			offset += p.typ.size
		}
		return []string{"linear.Addr(p)"}
	}
	var args []string
	if f.resource != nil {
		args = append(args, "uint32(self)")
	}
	for _, p := range f.params {
		args = append(args, g.lower(p.typ, fmt.Sprintf("p%d", len(args)), local(p.name))...)
	}
	return args
}

// exported writes the Go interface of an exported interface and the wasm exports over it.
func (g *guestGen) exported(f *iface) {
	name, impl := camel(f.name), lowerName(f.name)+"Export"
	g.comment("", docs(name, "has the functions of "+f.id+", which this guest exports.", f.docs))
	g.line("type %s interface {", name)
	for _, fn := range f.funcs {
		g.comment("", docs(camel(fn.name), "implements "+fn.core+".", fn.docs))
		g.line("%s(%s)%s", camel(fn.name), strings.Join(g.params(fn), ", "), g.result(fn))
	}
	g.line("}\n")
	g.line("// %s is what the exports call.", impl)
	g.line("var %s %s\n", impl, name)
	g.line("// Export%s sets what the exports of %s call. It belongs in an init function or in the initialization of a", name, f.id)
	g.line("// variable: the host calls the exports right after.")
	g.line("func Export%s(implementation %s) { %s = implementation }\n", name, name, impl)
	for _, fn := range f.funcs {
		g.export(fn, impl)
	}
}

func (g *guestGen) export(f *function, impl string) {
	g.line("//go:wasmexport %s", f.exportName())
	g.line("func export%s(%s) %s {", guestFunc(f), flatList("f", f.coreIn), flatResult(f.coreOut))
	var args []string
	slot, offset := 0, 0
	if f.spilled {
		g.line("p := linear.At(f0)")
	}
	for _, p := range f.params {
		name := "v" + camel(p.name)
		args = append(args, name)
		if f.spilled {
			offset = alignUp(offset, p.typ.align)
			g.line("%s := %s", name, g.load(p.typ, "p", offset))
			offset += p.typ.size
			continue
		}
		first := slot
		g.line("%s := %s", name, g.lift(p.typ, p.typ.flat, func(i int) string { return fmt.Sprintf("f%d", first+i) }))
		slot += len(p.typ.flat)
	}
	if len(args) > 0 {
		g.line("linear.Lifted()")
	}
	call := fmt.Sprintf("%s.%s(%s)", impl, camel(f.name), strings.Join(args, ", "))
	switch {
	case f.result == nil:
		g.line("%s", call)
	case f.retptr:
		g.line("r := %s", call)
		g.line("a := linear.Result()")
		g.line("ret := a.Alloc(%d, %d)", f.result.size, f.result.align)
		g.store(f.result, "ret", 0, "r")
		g.line("return linear.Addr(ret)")
	default:
		g.line("r := %s", call)
		g.line("return %s", g.lower(f.result, "", "r")[0])
	}
	g.line("}\n")
	if f.post {
		g.line("//go:wasmexport cabi_post_%s", f.exportName())
		g.line("func post%s(uint32) { linear.Returned() }\n", guestFunc(f))
	}
}
