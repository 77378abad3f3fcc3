package main

import (
	"fmt"
	"strconv"
	"strings"
)

// hostGen writes the host's side: the registration of the imports, the instance, and the functions that lift and lower.
type hostGen struct {
	*source
	goTyper
	w       *world
	values  *values
	scratch []string // pools of the slices of list parameters, each with its name and the type of its slices
	// described are the descriptions of the imports, as composite literals.
	described []string
}

// generateHost writes bind.gen.go: everything of the host's side but the interfaces.
func generateHost(w *world, t target) ([]byte, error) {
	g := &hostGen{source: newSource(t.hostPkg), goTyper: goTyper{t.typesPkg + "."}, w: w, values: newValues()}
	for _, path := range []string{
		"context", "fmt", "slices", "github.com/tetratelabs/wazero", "github.com/tetratelabs/wazero/api",
		t.canon, t.component, t.types,
	} {
		g.imports[path] = true
	}
	body := g.source
	g.source = newSource("")
	g.functions()
	functions := g.source
	g.source = body
	g.instance()
	g.register()
	g.descriptions()
	g.body.Write(functions.body.Bytes())
	g.values.write(g)
	g.signatures()
	return g.bytes(w.from())
}

// functions writes the imports and the exports, which also tells what else is needed.
func (g *hostGen) functions() {
	for _, f := range g.w.imports {
		for _, r := range f.resources {
			for _, m := range r.methods {
				g.imported(m)
			}
			g.drop(r)
		}
		for _, fn := range f.funcs {
			g.imported(fn)
		}
	}
	for _, f := range g.w.exports {
		for _, fn := range f.funcs {
			g.exported(fn)
		}
	}
}

// goFunc is the Go name of an import's function: ioStreamReadFrame.
func goFunc(f *function) string {
	if f.resource != nil {
		return local(f.iface.name) + camel(f.resource.name) + camel(f.name)
	}
	return lowerName(f.iface.name) + camel(f.name)
}

// lowerName is like local, without regard for names that are taken.
func lowerName(name string) string { return strings.TrimSuffix(local(name), "_") }

// tableField is the field of Instance with the table of r.
func tableField(r *resource) string { return lowerName(r.name) + "Table" }

// imported writes the Go function behind one import.
func (g *hostGen) imported(f *function) {
	g.line("// %s is %s.", goFunc(f), f.where())
	g.line("func %s(ctx context.Context, _ api.Module, s []uint64) {", goFunc(f))
	g.line("defer canon.Guard(%q)", f.where())
	g.enter(description(f))
	slot := 0
	receiver := "x.imports." + camel(f.iface.name)
	if f.resource != nil && !f.spilled {
		g.line("self := %s", g.lift(&typ{kind: kindBorrow, resource: f.resource}, 0))
		receiver, slot = "self", 1
	}
	args, cleanup := g.arguments(f, &receiver, slot)
	if f.retptr {
		i := len(f.coreIn) - 1
		g.line("ret := x.guest.Area(api.DecodeU32(s[%d]), %d, %d)", i, f.result.size, f.result.align)
	}
	call := fmt.Sprintf("%s.%s(%s)", receiver, camel(f.name), strings.Join(append([]string{"ctx"}, args...), ", "))
	switch {
	case f.result == nil:
		g.line("%s", call)
	case f.retptr:
		g.line("r := %s", call)
	default:
		g.line("s[0] = %s", g.lowerScalar(f.result, call))
	}
	if f.retptr {
		g.store(f.result, "ret", 0, "r")
	}
	for _, c := range cleanup {
		g.line("%s", c)
	}
	g.line("x.guest.Leave(s)")
	g.line("}\n")
}

// enter writes how an import begins that is described by that line of the table.
func (g *hostGen) enter(description string) {
	g.line("x := enter(ctx, &functions[%d], s)", len(g.described))
	g.described = append(g.described, description)
}

// arguments writes the lift of each parameter and returns what to pass, and the statements to end with.
func (g *hostGen) arguments(f *function, receiver *string, slot int) (args, cleanup []string) {
	offset := 0
	if f.spilled {
		size, align := spilledSize(f)
		g.line("p := x.guest.View(api.DecodeU32(s[0]), %d, %d)", size, align)
		if f.resource != nil {
			g.line("self := %s", g.load(&typ{kind: kindBorrow, resource: f.resource}, "p", 0))
			*receiver, offset = "self", 4
		}
	}
	for _, p := range f.params {
		name := local(p.name)
		if g.keepsScratch(p.typ) {
			pool, slice := goFunc(f)+camel(p.name), goType(p.typ, g.pkg)
			g.scratch = append(g.scratch, fmt.Sprintf("%s = sync.Pool{New: func() any { return new(%s) }}", pool, slice))
			g.values.need(opList, p.typ)
			first, n := fmt.Sprintf("api.DecodeU32(s[%d])", slot), fmt.Sprintf("api.DecodeU32(s[%d])", slot+1)
			if f.spilled {
				offset = alignUp(offset, p.typ.align)
				first, n = u32At("p", offset), u32At("p", offset+4)
			}
			g.line("%s := %s.Get().(*%s)", name, pool, slice)
			g.line("*%s = load%s(x, (*%s)[:0], %s, %s)", name, mangle(p.typ), name, first, n)
			cleanup = append(cleanup, fmt.Sprintf("clear(*%s)", name), fmt.Sprintf("%s.Put(%s)", pool, name))
			name = "*" + name
		} else if f.spilled {
			offset = alignUp(offset, p.typ.align)
			g.line("%s := %s", name, g.loadParam(p.typ, offset))
		} else {
			g.line("%s := %s", name, g.liftParam(p.typ, slot))
		}
		args = append(args, name)
		slot += len(p.typ.flat)
		offset += p.typ.size
	}
	return args, cleanup
}

// keepsScratch says whether a parameter of type t is lifted into a slice that was used before.
func (g *hostGen) keepsScratch(t *typ) bool { return t.kind == kindList && !t.isBytes() }

// liftParam and loadParam differ from lift and load in that bytes are a view.
func (g *hostGen) liftParam(t *typ, slot int) string {
	if t.isBytes() {
		return fmt.Sprintf("x.guest.Bytes(api.DecodeU32(s[%d]), api.DecodeU32(s[%d]))", slot, slot+1)
	}
	return g.lift(t, slot)
}

func (g *hostGen) loadParam(t *typ, offset int) string {
	if t.isBytes() {
		return fmt.Sprintf("x.guest.Bytes(%s, %s)", u32At("p", offset), u32At("p", offset+4))
	}
	return g.load(t, "p", offset)
}

// drop writes the function behind a resource's drop.
func (g *hostGen) drop(r *resource) {
	name := dropFunc(r)
	g.line("// %s is %s [resource-drop]%s.", name, r.iface.id, r.name)
	g.line("func %s(ctx context.Context, _ api.Module, s []uint64) {", name)
	g.line("defer canon.Guard(%q)", r.iface.id+" [resource-drop]"+r.name)
	g.enter(dropDescription(r))
	g.line("x.%s.Drop(ctx, api.DecodeU32(s[0]))", tableField(r))
	g.line("x.guest.Leave(s)")
	g.line("}\n")
}

func dropFunc(r *resource) string { return lowerName(r.iface.name) + camel(r.name) + "Drop" }

// exported writes the method of Instance that calls one export.
func (g *hostGen) exported(f *function) {
	g.comment("", docs(camel(f.name), "calls "+f.where()+".", f.docs))
	params := append([]string{"ctx context.Context"}, g.params(f)...)
	result := "(err error)"
	if f.result != nil {
		result = fmt.Sprintf("(r %s, err error)", goType(f.result, g.pkg))
	}
	g.line("func (x *Instance) %s(%s) %s {", camel(f.name), strings.Join(params, ", "), result)
	g.line("defer canon.Recover(%q, &err)", f.where())
	g.line("ctx = x.Context(ctx)")
	g.line("var s [%d]uint64", max(1, len(f.coreIn)))
	g.lowerParams(f)
	ret := "return"
	if f.result != nil {
		ret = "return r,"
	}
	g.line("if err := x.guest.Call(ctx, %q, %q, s[:]); err != nil { %s err }", f.exportName(), f.where(), ret)
	if f.result != nil {
		g.line("x.guest.Begin()")
	}
	switch {
	case f.retptr:
		g.line("p := x.guest.View(api.DecodeU32(s[0]), %d, %d)", f.result.size, f.result.align)
		g.line("r = %s", g.load(f.result, "p", 0))
	case f.result != nil:
		g.line("r = %s", g.lift(f.result, 0))
	}
	if f.post {
		g.line("%s x.guest.PostReturn(ctx, %q, %q, s[0])", ret, "cabi_post_"+f.exportName(), f.where())
	} else {
		g.line("%s nil", ret)
	}
	g.line("}\n")
}

// lowerParams lowers the parameters of an export into s.
func (g *hostGen) lowerParams(f *function) {
	if f.spilled {
		size, align := spilledSize(f)
		g.line("at := x.guest.Alloc(ctx, %d, %d)", size, align)
		offset := 0
		for _, p := range f.params {
			offset = alignUp(offset, p.typ.align)
			g.store(p.typ, "at", offset, local(p.name))
			offset += p.typ.size
		}
		g.line("s[0] = uint64(at)")
		return
	}
	slot := 0
	for _, p := range f.params {
		g.lower(p.typ, slot, local(p.name))
		slot += len(p.typ.flat)
	}
}

// spilledSize is the layout of the record of parameters that goes by a pointer.
func spilledSize(f *function) (size, align int) {
	align = 1
	if f.resource != nil {
		size, align = 4, 4
	}
	for _, p := range f.params {
		size = alignUp(size, p.typ.align) + p.typ.size
		align = max(align, p.typ.align)
	}
	return alignUp(size, align), align
}

func alignUp(n, align int) int { return (n + align - 1) / align * align }

// u32At is the expression for the u32 at an offset of p.
func u32At(p string, offset int) string { return "canon.U32(" + from(p, offset) + ")" }

// from is the expression for p from an offset on.
func from(p string, offset int) string {
	if offset == 0 {
		return p
	}
	return p + "[" + strconv.Itoa(offset) + ":]"
}
