package script

import "reflect"

// What Go's own code never comes to: trap_wasm.s.
func trapUnreachable()
func trapMemory()
func trapTable()
func trapDivide()
func trapOverflow()
func trapConversion()
func trapIndirect(place int32)

// traps are WebAssembly's own, by the names of their failure codes.
func traps() map[string]func() {
	return map[string]func(){
		"unreachable":      trapUnreachable,
		"memory-bounds":    trapMemory,
		"table-bounds":     trapTable,
		"divide-by-zero":   trapDivide,
		"integer-overflow": trapOverflow,
		"conversion":       trapConversion,
		"indirect-call": func() {
			// The upper half of a program counter is the function's place in the table.
			trapIndirect(int32(reflect.ValueOf(trapUnreachable).Pointer() >> 16))
		},
	}
}
