package module

import (
	"cmp"
	"slices"

	"github.com/droverhq/drover/runtime/module/meter"
)

// Inspection is what a module is made of, as its author built it.
type Inspection struct {
	// Imports and Exports are its functions, sorted.
	Imports, Exports []Function
	// MinMemory and MaxMemory are how many bytes of memory an instance has at first, and may have if its limits allow it.
	MinMemory, MaxMemory uint64
	// Stack is how many bytes of stack an instance may use.
	Stack uint64
	// Metering is what was done so that its work is counted.
	Metering meter.Statistics
}

// maxPages is how large a memory of 32-bit addresses may become, in pages.
const maxPages = 1 << 16

// Function names a function that a module imports or exports.
type Function struct {
	// Module is whose it is: an interface of drover:driver or WASI. Empty for an export.
	Module string
	Name   string
}

// Inspect says what the module is made of. Nothing is run for it.
func (m *Module) Inspect() Inspection {
	out := Inspection{Stack: m.key.stack, Metering: m.metering}
	for _, def := range m.compiled.ImportedFunctions() {
		if from, name, _ := def.Import(); from != meter.ImportModule {
			out.Imports = append(out.Imports, Function{Module: from, Name: name})
		}
	}
	for name := range m.compiled.ExportedFunctions() {
		out.Exports = append(out.Exports, Function{Name: name})
	}
	for _, functions := range [][]Function{out.Imports, out.Exports} {
		slices.SortFunc(functions, func(a, b Function) int {
			return cmp.Or(cmp.Compare(a.Module, b.Module), cmp.Compare(a.Name, b.Name))
		})
	}
	if memory, ok := m.compiled.ExportedMemories()["memory"]; ok {
		out.MinMemory, out.MaxMemory = uint64(memory.Min())*pageSize, maxPages*pageSize
		if most, limited := memory.Max(); limited {
			out.MaxMemory = uint64(most) * pageSize
		}
	}
	return out
}
