//go:build !wasm

package script

// traps are those of WebAssembly: elsewhere each is a panic.
func traps() map[string]func() {
	all := map[string]func(){}
	for _, name := range []string{
		"unreachable", "memory-bounds", "table-bounds", "divide-by-zero", "integer-overflow", "conversion", "indirect-call",
	} {
		all[name] = func() { panic("scripted trap " + name) }
	}
	return all
}
