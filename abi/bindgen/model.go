package main

import (
	"fmt"
	"slices"
	"strings"

	"go.bytecodealliance.org/wit"
)

// world is what the generators need to know of a WIT world: its named types once each, in the order of their
// declaration, and its functions with everything already laid out.
type world struct {
	name      string
	id        string
	types     []*typ
	resources []*resource
	imports   []*iface
	exports   []*iface
}

// iface is one imported or exported interface.
type iface struct {
	id        string // "drover:driver/io@0.1.0"
	name      string
	docs      string
	funcs     []*function // those of no resource
	resources []*resource
}

// resource is a resource type that the host implements.
type resource struct {
	name    string
	docs    string
	iface   *iface
	methods []*function
	number  int // from 0, over the whole world
}

// function is one function of an interface, or one method of a resource.
type function struct {
	name     string // as in WIT: "read-frame"
	core     string // as in the core module: "[method]stream.read-frame"
	docs     string
	iface    *iface
	resource *resource // nil when it is no method
	params   []param   // without self
	result   *typ      // nil when there is none
	coreIn   []core    // parameters of the core function
	coreOut  []core    // results of the core function
	spilled  bool      // the parameters go by one pointer
	retptr   bool      // the result goes by a pointer
	post     bool      // an export of this function has a post-return
}

type param struct {
	name string
	typ  *typ
}

// core is a core WebAssembly value type.
type core uint8

const (
	i32 core = iota
	i64
	f32
	f64
)

// kind tells what a type is made of.
type kind uint8

const (
	kindBool kind = iota
	kindS8
	kindU8
	kindS16
	kindU16
	kindS32
	kindU32
	kindS64
	kindU64
	kindF32
	kindF64
	kindString
	kindList
	kindRecord
	kindTuple
	kindEnum
	kindVariant
	kindOption
	kindResult
	kindOwn
	kindBorrow
)

// typ is a type with its layout in memory and its flat form.
type typ struct {
	kind     kind
	name     string // in WIT; empty for anonymous types
	alias    string // the name that WIT gives to a type with another name, or with none
	docs     string
	size     int
	align    int
	flat     []core
	elem     *typ      // list, option
	fields   []field   // record, tuple
	cases    []variant // enum, variant, option, result
	payload  int       // where the payload of a variant starts
	tagSize  int       // 1, 2 or 4
	resource *resource // own, borrow
}

type field struct {
	name   string
	docs   string
	typ    *typ
	offset int
}

// variant is one case of an enum, variant, option or result. typ is nil when the case has no payload.
type variant struct {
	name string
	docs string
	typ  *typ
}

// loader turns wit's view of a world into ours and refuses what the generators cannot do.
type loader struct {
	world     *world
	types     map[*wit.TypeDef]*typ
	resources map[*wit.TypeDef]*resource
}

// load reads the WIT package in dir and returns the world of that name.
func load(dir, name string) (*world, error) {
	if (wit.U64{}).Align() != 8 {
		return nil, fmt.Errorf("the wit package knows the alignments of 64-bit machines only: generate on one")
	}
	resolve, err := wit.LoadWIT(dir)
	if err != nil {
		return nil, fmt.Errorf("load WIT from %s: %w", dir, err)
	}
	i := slices.IndexFunc(resolve.Worlds, func(w *wit.World) bool { return w.Name == name })
	if i < 0 {
		return nil, fmt.Errorf("no world %q in %s", name, dir)
	}
	w := resolve.Worlds[i]
	l := &loader{
		world:     &world{name: name, id: w.Package.Name.String()},
		types:     map[*wit.TypeDef]*typ{},
		resources: map[*wit.TypeDef]*resource{},
	}
	if l.world.imports, err = l.interfaces(w, &w.Imports, wit.Imported); err != nil {
		return nil, err
	}
	if l.world.exports, err = l.interfaces(w, &w.Exports, wit.Exported); err != nil {
		return nil, err
	}
	return l.world, nil
}

func interfaceID(f *wit.Interface) string {
	p := f.Package.Name
	id := p.Namespace + ":" + p.Package + "/" + *f.Name
	if p.Version != nil {
		id += "@" + p.Version.String()
	}
	return id
}

// tagSize is the size of the discriminant of a type with n cases.
func tagSize(n int) int { return int(wit.Discriminant(n).Size()) }

// coreOf returns the core type of one flat slot. wit has no names of its own for core types: it uses u32, u64, f32,
// f64 and pointers.
func coreOf(t wit.Type) core {
	switch t.(type) {
	case wit.U64:
		return i64
	case wit.F32:
		return f32
	case wit.F64:
		return f64
	}
	return i32
}

func coresOf(flat []wit.Type) []core {
	var cs []core
	for _, t := range flat {
		cs = append(cs, coreOf(t))
	}
	return cs
}

// hasPointer says whether values of t refer to memory outside themselves: strings and lists.
func (t *typ) hasPointer() bool {
	return t.any(func(t *typ) bool { return t.kind == kindString || t.kind == kindList })
}

// hasResource says whether values of t hold handles.
func (t *typ) hasResource() bool {
	return t.any(func(t *typ) bool { return t.kind == kindOwn || t.kind == kindBorrow })
}

// any says whether f holds for t or for any type that t is made of.
func (t *typ) any(f func(*typ) bool) bool {
	if f(t) || t.elem != nil && t.elem.any(f) {
		return true
	}
	for _, x := range t.fields {
		if x.typ.any(f) {
			return true
		}
	}
	for _, c := range t.cases {
		if c.typ != nil && c.typ.any(f) {
			return true
		}
	}
	return false
}

// isBytes says whether t is list<u8>.
func (t *typ) isBytes() bool { return t.kind == kindList && t.elem.kind == kindU8 }

// isScalar says whether t is one flat value that Go lays out as the canonical ABI does.
func (t *typ) isScalar() bool { return t.kind <= kindF64 || t.kind == kindEnum }

// where names a function for messages: "drover:driver/io@0.1.0 [method]stream.read".
func (f *function) where() string { return f.iface.id + " " + f.core }

// exportName is the name of the core export that carries f.
func (f *function) exportName() string { return f.iface.id + "#" + f.core }

// bytesResult says whether f's result is list<u8>, or an option or result of it.
func (f *function) bytesResult() bool {
	if f.result == nil {
		return false
	}
	switch f.result.kind {
	case kindList:
		return f.result.isBytes()
	case kindOption, kindResult:
		return slices.ContainsFunc(f.result.cases, func(c variant) bool { return c.typ != nil && c.typ.isBytes() })
	}
	return false
}

// refuse is the error for WIT that the generators cannot do.
func refuse(where, what string) error {
	return fmt.Errorf("%s: %s: not supported", strings.TrimSpace(where), what)
}
