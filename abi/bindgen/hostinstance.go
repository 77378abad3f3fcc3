package main

// instance writes the type Instance and what is about it.
func (g *hostGen) instance() {
	g.line("// Instance binds one instance of a driver's module to the Go code behind its imports. It is used by one goroutine at")
	g.line("// a time.")
	g.line("type Instance struct {")
	g.line("imports Imports")
	g.line("guest *canon.Guest")
	for _, r := range g.w.resources {
		g.line("%s *canon.Table[%s]", tableField(r), camel(r.name))
	}
	g.line("}\n")
	g.pools()
	g.newInstance()
	g.context()
	g.attach()
	g.dropAll()
}

// pools writes where the slices of list parameters are between calls: instances that wait need none.
func (g *hostGen) pools() {
	if len(g.scratch) == 0 {
		return
	}
	g.imports["sync"] = true
	g.line("// The slices of list parameters, for the next call of any instance.")
	g.line("var (")
	for _, pool := range g.scratch {
		g.line("%s", pool)
	}
	g.line(")\n")
}

func (g *hostGen) exports(do func(*function)) {
	for _, f := range g.w.exports {
		for _, fn := range f.funcs {
			do(fn)
		}
	}
}

func (g *hostGen) newInstance() {
	g.line("// New returns an Instance over imports, all of which must be set. It is given its module by Attach.")
	g.line("func New(imports Imports, limits canon.Limits) *Instance {")
	g.line("guest := canon.NewGuest(limits)")
	g.line("return &Instance{")
	g.line("imports: imports,")
	g.line("guest: guest,")
	for _, r := range g.w.resources {
		g.line("%s: canon.NewTable[%s](%q, %d, guest.Limits().Handles),", tableField(r), camel(r.name), r.name, r.number)
	}
	g.line("}")
	g.line("}\n")
}

func (g *hostGen) context() {
	g.line(`type instanceKey struct{}

// instanceContext is a context that carries an instance and is asked for it first.
type instanceContext struct {
	context.Context
	instance *Instance
}

// Value implements context.Context.
func (c *instanceContext) Value(key any) any {
	if _, ok := key.(instanceKey); ok {
		return c.instance
	}
	return c.Context.Value(key)
}

// Context returns ctx with the instance. Every call into the module needs such a context, so that the imports find
// their instance; the methods of Instance see to it themselves.
func (x *Instance) Context(ctx context.Context) context.Context {
	if c, ok := ctx.(*instanceContext); ok && c.instance == x {
		return ctx
	}
	return &instanceContext{ctx, x}
}

// enter begins the import f: it finds the instance that calls.
func enter(ctx context.Context, f *canon.Function, s []uint64) *Instance {
	x, ok := ctx.Value(instanceKey{}).(*Instance)
	if !ok {
		panic(&canon.Error{Reason: "an import was called without an instance"})
	}
	x.guest.Enter(f, s)
	return x
}
`)
}

func (g *hostGen) attach() {
	g.line("// Attach binds the instance to m: its memory, its allocator and its exports, whose signatures it checks. Until then")
	g.line("// every import traps.")
	g.line("func (x *Instance) Attach(m api.Module) error {")
	g.line("if ds := canon.CheckExports(m.ExportedFunctionDefinitions(), ExportSignatures()); len(ds) > 0 {")
	g.line(`return fmt.Errorf("attach instance: %%w", ds)`)
	g.line("}")
	g.line("if err := x.guest.Attach(m); err != nil {")
	g.line(`return fmt.Errorf("attach instance: %%w", err)`)
	g.line("}")
	g.line("return nil")
	g.line("}\n")
}

func (g *hostGen) dropAll() {
	g.line("// Abort ends the module's call, at the next import that it calls, with err. Any goroutine may call it.")
	g.line("func (x *Instance) Abort(err error) { x.guest.Abort(err) }\n")
	g.line("// Guest returns what the instance knows of its module at run time.")
	g.line("func (x *Instance) Guest() *canon.Guest { return x.guest }\n")
	g.line("// Drop drops the resources whose handles the guest left open. No call of the module may be running.")
	g.line("func (x *Instance) Drop(ctx context.Context) {")
	for _, r := range g.w.resources {
		g.line("x.%s.DropAll(ctx)", tableField(r))
	}
	g.line("}\n")
}

// register writes the function that adds the imports to a runtime.
func (g *hostGen) register() {
	g.line("// Register adds the world's import modules to a runtime, once for all instances in it. They are closed with it.")
	g.line("func Register(ctx context.Context, r wazero.Runtime) error {")
	g.line("signatures := ImportSignatures()")
	g.line("for module := range slices.Values(importModules()) {")
	g.line("b := r.NewHostModuleBuilder(module)")
	g.line("for i, f := range importFunctions() {")
	g.line("if s := signatures[i]; s.Module == module {")
	g.line("b.NewFunctionBuilder().WithGoModuleFunction(f, s.Params, s.Results).Export(s.Name)")
	g.line("}")
	g.line("}")
	g.line("if _, err := b.Instantiate(ctx); err != nil {")
	g.line(`return fmt.Errorf("register %%s: %%w", module, err)`)
	g.line("}")
	g.line("}")
	g.line("return nil")
	g.line("}\n")
}

// coreImport is one import as the core module sees it.
type coreImport struct {
	module, name, goFunc string
	in, out              []core
}

func (g *hostGen) coreImports() []coreImport {
	var cs []coreImport
	for _, f := range g.w.imports {
		for _, r := range f.resources {
			for _, m := range r.methods {
				cs = append(cs, coreImport{f.id, m.core, goFunc(m), m.coreIn, m.coreOut})
			}
			cs = append(cs, coreImport{f.id, "[resource-drop]" + r.name, dropFunc(r), []core{i32}, nil})
		}
		for _, fn := range f.funcs {
			cs = append(cs, coreImport{f.id, fn.core, goFunc(fn), fn.coreIn, fn.coreOut})
		}
	}
	return cs
}

// signatures writes the tables of core signatures.
func (g *hostGen) signatures() {
	const i32, i64, f32, f64 = "api.ValueTypeI32", "api.ValueTypeI64", "api.ValueTypeF32", "api.ValueTypeF64"
	g.line("// importModules returns the names of the modules that Register adds.")
	g.line("func importModules() []string {")
	g.line("return []string{")
	for _, f := range g.w.imports {
		if len(f.funcs)+len(f.resources) > 0 {
			g.line("%q,", f.id)
		}
	}
	g.line("}")
	g.line("}\n")
	g.line("// importFunctions returns the functions behind ImportSignatures, in their order.")
	g.line("func importFunctions() []api.GoModuleFunc {")
	g.line("return []api.GoModuleFunc{")
	for _, c := range g.coreImports() {
		g.line("%s,", c.goFunc)
	}
	g.line("}")
	g.line("}\n")
	g.line("// ImportSignatures returns the core signatures of the imports.")
	g.line("func ImportSignatures() []canon.Signature {")
	g.line("const i32, i64, f32, f64 = %s, %s, %s, %s", i32, i64, f32, f64)
	g.line("return []canon.Signature{")
	for _, c := range g.coreImports() {
		g.line("{Module: %q, Name: %q%s%s},", c.module, c.name, coreList("Params", c.in), coreList("Results", c.out))
	}
	g.line("}")
	g.line("}\n")
	g.line("// ExportSignatures returns the core signatures of the exports, with the allocator and the post-returns.")
	g.line("func ExportSignatures() []canon.Signature {")
	g.line("const i32, i64, f32, f64 = %s, %s, %s, %s", i32, i64, f32, f64)
	g.line("return []canon.Signature{")
	g.line("{Name: canon.Realloc, Params: []api.ValueType{i32, i32, i32, i32}, Results: []api.ValueType{i32}},")
	g.exports(func(f *function) {
		g.line("{Name: %q%s%s},", f.exportName(), coreList("Params", f.coreIn), coreList("Results", f.coreOut))
		if f.post {
			g.line("{Name: %q%s, Optional: true},", "cabi_post_"+f.exportName(), coreList("Params", f.coreOut))
		}
	})
	g.line("}")
	g.line("}")
}

func coreList(field string, cs []core) string {
	if len(cs) == 0 {
		return ""
	}
	out := ", " + field + ": []api.ValueType{"
	for i, c := range cs {
		if i > 0 {
			out += ", "
		}
		out += coreNames[c]
	}
	return out + "}"
}

var coreNames = map[core]string{i32: "i32", i64: "i64", f32: "f32", f64: "f64"}
