package meter

import "cmp"

// Limits bound what a module may have. A zero value means the default.
type Limits struct {
	// Stack is how many bytes of native stack the calls in progress may take, by the rewriter's estimate. Default 16 MiB.
	Stack uint32
	// TableElements is how many elements a table may have; a module's own maximum above it is lowered to it. Default
	// 65,536.
	TableElements uint32
	// Size is how many bytes the module may have. Default 64 MiB.
	Size int
	// FunctionSize is how many bytes the body of a function may have. Default 1 MiB.
	FunctionSize int
	// Locals is how many locals a function may have, its parameters included. Default 10,000.
	Locals int
	// Nesting is how deep blocks may be nested. Default 16,384.
	Nesting int
	// Merges is how many values of a function may come from two places: for each block, the locals that are set in it.
	// ModuleMerges is how many of all functions may. A compiler's time and memory grow with them, and they with the square
	// of the code. Defaults 100,000 and 4,000,000.
	Merges, ModuleMerges int
	// Types, Functions, Globals and Tables count what is defined and imported. Defaults 20,000, 100,000, 20,000 and 16.
	Types, Functions, Globals, Tables int
}

func (l Limits) withDefaults() Limits {
	return Limits{
		Stack:         min(cmp.Or(l.Stack, 16<<20), 1<<30),
		TableElements: cmp.Or(l.TableElements, 65_536),
		Size:          cmp.Or(l.Size, 64<<20),
		FunctionSize:  cmp.Or(l.FunctionSize, 1<<20),
		Locals:        cmp.Or(l.Locals, 10_000),
		Nesting:       cmp.Or(l.Nesting, 16_384),
		Merges:        cmp.Or(l.Merges, 100_000),
		ModuleMerges:  cmp.Or(l.ModuleMerges, 4_000_000),
		Types:         cmp.Or(l.Types, 20_000),
		Functions:     cmp.Or(l.Functions, 100_000),
		Globals:       cmp.Or(l.Globals, 20_000),
		Tables:        cmp.Or(l.Tables, 16),
	}
}
