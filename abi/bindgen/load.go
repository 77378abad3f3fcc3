package main

import (
	"fmt"
	"strconv"

	"go.bytecodealliance.org/wit"
	"go.bytecodealliance.org/wit/ordered"
)

// interfaces loads the interfaces that the world imports or exports.
func (l *loader) interfaces(w *wit.World, items *ordered.Map[string, wit.WorldItem], dir wit.Direction) ([]*iface, error) {
	var all []*iface
	for name, item := range items.All() {
		ref, ok := item.(*wit.InterfaceRef)
		if !ok {
			return nil, refuse("world "+w.Name, fmt.Sprintf("%s %s outside of an interface", item.WITKind(), name))
		}
		if ref.Interface.Name == nil {
			return nil, refuse("world "+w.Name, "interface "+name+" written inside of a world")
		}
		f, err := l.iface(ref.Interface, dir)
		if err != nil {
			return nil, err
		}
		all = append(all, f)
	}
	return all, nil
}

func (l *loader) iface(in *wit.Interface, dir wit.Direction) (*iface, error) {
	f := &iface{id: interfaceID(in), name: *in.Name, docs: in.Docs.Contents}
	for name, def := range in.TypeDefs.All() {
		if err := l.define(f, name, def, dir); err != nil {
			return nil, err
		}
	}
	for _, fn := range in.Functions.All() {
		if err := l.function(f, fn, dir); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// define loads one type that an interface declares: a resource, or a type with a layout.
func (l *loader) define(f *iface, name string, def *wit.TypeDef, dir wit.Direction) error {
	if _, ok := def.Kind.(*wit.Resource); ok {
		if dir == wit.Exported {
			return refuse(f.id, "exported resource "+name)
		}
		r := &resource{name: name, docs: def.Docs.Contents, iface: f, number: len(l.world.resources)}
		f.resources = append(f.resources, r)
		l.world.resources = append(l.world.resources, r)
		l.resources[def] = r
		return nil
	}
	if r, ok := l.resources[def.Root()]; ok {
		if r.name != name {
			return refuse(f.id, "another name for resource "+r.name)
		}
		return nil
	}
	t, err := l.typeOf(f.id+" "+name, def)
	if err != nil {
		return err
	}
	if t.hasResource() {
		return refuse(f.id+" "+name, "a handle inside of a named type")
	}
	if t.alias == "" && t.name != name || t.alias != "" && t.alias != name {
		c := *t
		c.alias = name
		t = &c
	}
	if def.Root() != def && t.alias == "" {
		return nil // by `use`: where it was declared it has been loaded
	}
	l.world.types = append(l.world.types, t)
	return nil
}

func (l *loader) function(f *iface, fn *wit.Function, dir wit.Direction) error {
	g := &function{name: fn.BaseName(), core: fn.Name, docs: fn.Docs.Contents, iface: f}
	params := fn.Params
	switch k := fn.Kind.(type) {
	case *wit.Freestanding:
		f.funcs = append(f.funcs, g)
	case *wit.Method:
		r := l.resources[k.Type.(*wit.TypeDef).Root()]
		if r == nil {
			return refuse(g.where(), "a method of an exported resource")
		}
		g.resource = r
		r.methods = append(r.methods, g)
		params = params[1:]
	default:
		return refuse(g.where(), "a function that is neither free nor a method")
	}
	for _, p := range params {
		t, err := l.typeOf(g.where()+", parameter "+p.Name, p.Type)
		if err != nil {
			return err
		}
		g.params = append(g.params, param{p.Name, t})
	}
	if len(fn.Results) > 1 {
		return refuse(g.where(), "more than one result")
	}
	for _, r := range fn.Results {
		t, err := l.typeOf(g.where()+", result", r.Type)
		if err != nil {
			return err
		}
		if t.any(func(t *typ) bool { return t.kind == kindBorrow }) {
			return refuse(g.where(), "a borrowed handle as result")
		}
		g.result = t
	}
	return l.layOut(g, fn, dir)
}

// layOut fills in the core signature.
func (l *loader) layOut(g *function, fn *wit.Function, dir wit.Direction) error {
	c := fn.CoreFunction(dir)
	for _, p := range c.Params {
		g.coreIn = append(g.coreIn, coreOf(p.Type))
	}
	for _, r := range c.Results {
		g.coreOut = append(g.coreOut, coreOf(r.Type))
	}
	flat := 0
	for _, p := range fn.Params {
		flat += len(p.Type.Flat())
	}
	g.spilled = flat > wit.MaxFlatParams
	g.retptr = g.result != nil && len(g.result.flat) > wit.MaxFlatResults
	g.post = dir == wit.Exported && fn.PostReturn(dir) != nil
	if dir == wit.Exported && g.hasHandles() {
		return refuse(g.where(), "a handle in an exported function")
	}
	return nil
}

func (f *function) hasHandles() bool {
	for _, p := range f.params {
		if p.typ.hasResource() {
			return true
		}
	}
	return f.result != nil && f.result.hasResource()
}

var primitives = map[wit.Type]kind{
	wit.Bool{}: kindBool, wit.String{}: kindString,
	wit.S8{}: kindS8, wit.S16{}: kindS16, wit.S32{}: kindS32, wit.S64{}: kindS64,
	wit.U8{}: kindU8, wit.U16{}: kindU16, wit.U32{}: kindU32, wit.U64{}: kindU64,
	wit.F32{}: kindF32, wit.F64{}: kindF64,
}

// typeOf returns the layout of t, which is met at where.
func (l *loader) typeOf(where string, t wit.Type) (*typ, error) {
	def, ok := t.(*wit.TypeDef)
	if !ok {
		k, ok := primitives[t]
		if !ok {
			return nil, refuse(where, t.WITKind())
		}
		return layout(&typ{kind: k}, t), nil
	}
	if x, ok := l.types[def]; ok {
		return x, nil
	}
	x, err := l.typeDef(where, def)
	if err != nil {
		return nil, err
	}
	l.types[def] = x
	return x, nil
}

// layout takes size, alignment and flat form from wit.
func layout(x *typ, t wit.ABI) *typ {
	x.size, x.align, x.flat = int(t.Size()), int(t.Align()), coresOf(t.Flat())
	return x
}

func (l *loader) typeDef(where string, def *wit.TypeDef) (*typ, error) {
	if def.Kind == nil { // newer than the wit package, which drops what it does not know
		return nil, refuse(where, "a type of a newer WIT")
	}
	if t, ok := def.Kind.(wit.Type); ok { // another name
		u, err := l.typeOf(where, t)
		if err != nil {
			return nil, err
		}
		if def.Name == nil || *def.Name == u.name || *def.Name == u.alias {
			return u, nil
		}
		c := *u
		c.alias, c.docs = *def.Name, def.Docs.Contents
		return &c, nil
	}
	x := layout(&typ{name: def.TypeName(), docs: def.Docs.Contents}, def)
	if err := l.kind(where, x, def.Kind); err != nil {
		return nil, err
	}
	if x.name != "" && x.kind != kindRecord && x.kind != kindEnum && x.kind != kindVariant {
		x.alias, x.name = x.name, ""
	}
	return x, nil
}

// kind fills in what x is made of.
func (l *loader) kind(where string, x *typ, k wit.TypeDefKind) (err error) {
	switch k := k.(type) {
	case *wit.Record:
		x.kind = kindRecord
		for _, f := range k.Fields {
			x.fields = append(x.fields, field{name: f.Name, docs: f.Docs.Contents})
		}
		return l.fields(where, x, func(i int) wit.Type { return k.Fields[i].Type })
	case *wit.Tuple:
		if len(k.Types) != 2 {
			return refuse(where, fmt.Sprintf("a tuple of %d", len(k.Types)))
		}
		x.kind = kindTuple
		for i := range k.Types {
			x.fields = append(x.fields, field{name: "f" + strconv.Itoa(i)})
		}
		return l.fields(where, x, func(i int) wit.Type { return k.Types[i] })
	case *wit.List:
		x.kind = kindList
		x.elem, err = l.typeOf(where, k.Type)
		return err
	case *wit.Enum:
		x.kind, x.tagSize = kindEnum, tagSize(len(k.Cases))
		for _, c := range k.Cases {
			x.cases = append(x.cases, variant{name: c.Name, docs: c.Docs.Contents})
		}
		return nil
	case *wit.Variant:
		x.kind = kindVariant
		return l.cases(where, x, k.Cases)
	case *wit.Option:
		x.kind = kindOption
		if err := l.cases(where, x, k.Despecialize().(*wit.Variant).Cases); err != nil {
			return err
		}
		x.elem = x.cases[1].typ
		return nil
	case *wit.Result:
		x.kind = kindResult
		return l.cases(where, x, k.Despecialize().(*wit.Variant).Cases)
	case *wit.Own:
		x.kind = kindOwn
		return l.handle(where, x, k.Type)
	case *wit.Borrow:
		x.kind = kindBorrow
		return l.handle(where, x, k.Type)
	}
	return refuse(where, k.WITKind())
}

func (l *loader) fields(where string, x *typ, at func(int) wit.Type) error {
	offset := 0
	for i := range x.fields {
		t, err := l.typeOf(where+"."+x.fields[i].name, at(i))
		if err != nil {
			return err
		}
		offset = int(wit.Align(uintptr(offset), uintptr(t.align)))
		x.fields[i].typ, x.fields[i].offset = t, offset
		offset += t.size
	}
	return nil
}

func (l *loader) cases(where string, x *typ, cases []wit.Case) error {
	x.tagSize = tagSize(len(cases))
	align := 1
	for _, c := range cases {
		v := variant{name: c.Name, docs: c.Docs.Contents}
		if c.Type != nil {
			t, err := l.typeOf(where+"."+c.Name, c.Type)
			if err != nil {
				return err
			}
			v.typ, align = t, max(align, t.align)
		}
		x.cases = append(x.cases, v)
	}
	x.payload = int(wit.Align(uintptr(x.tagSize), uintptr(align)))
	return nil
}

func (l *loader) handle(where string, x *typ, def *wit.TypeDef) error {
	if x.resource = l.resources[def.Root()]; x.resource == nil {
		return refuse(where, "a handle of an exported resource")
	}
	return nil
}
