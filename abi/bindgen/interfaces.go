package main

import "strings"

// generateInterfaces writes the Go interfaces that the host implements: one per interface of WIT that has functions,
// one per resource, and the struct of all of them.
func generateInterfaces(w *world, t target) ([]byte, error) {
	s := newSource(t.hostPkg)
	s.imports[t.component] = true
	s.imports[t.types] = true
	s.imports["context"] = true
	g := goTyper{t.typesPkg + "."}
	for _, f := range w.imports {
		for _, r := range f.resources {
			g.resource(s, r)
		}
		if len(f.funcs) > 0 {
			g.iface(s, f)
		}
	}
	s.line("// Imports has what a driver's imports are bound to. All of them are needed.")
	s.line("type Imports struct {")
	for _, f := range w.imports {
		if len(f.funcs) > 0 {
			s.line("%s %s", camel(f.name), camel(f.name))
		}
	}
	s.line("}")
	return s.bytes(w.from())
}

type goTyper struct{ pkg string }

func (g goTyper) resource(s *source, r *resource) {
	s.comment("", docs(camel(r.name), "is the resource "+r.name+" of "+r.iface.id+".", r.docs))
	s.line("type %s interface {", camel(r.name))
	for _, f := range r.methods {
		g.method(s, f)
	}
	s.line("// Drop is called when the guest gives up its handle, or when the instance ends with the handle open.")
	s.line("Drop(ctx context.Context)")
	s.line("}\n")
}

func (g goTyper) iface(s *source, f *iface) {
	s.comment("", docs(camel(f.name), "has the functions of "+f.id+".", f.docs))
	s.line("type %s interface {", camel(f.name))
	for _, fn := range f.funcs {
		g.method(s, fn)
	}
	s.line("}\n")
}

func (g goTyper) method(s *source, f *function) {
	s.comment("", docs(camel(f.name), "implements "+f.core+".", f.docs))
	s.line("%s(%s)%s", camel(f.name), strings.Join(append([]string{"ctx context.Context"}, g.params(f)...), ", "), g.result(f))
}

func (g goTyper) params(f *function) []string {
	var ps []string
	for _, p := range f.params {
		ps = append(ps, local(p.name)+" "+goType(p.typ, g.pkg))
	}
	return ps
}

func (g goTyper) result(f *function) string {
	if f.result == nil {
		return ""
	}
	return " " + goType(f.result, g.pkg)
}
