#include "textflag.h"

// Go's own code checks before each of these: only assembly comes to the traps.

// func trapUnreachable()
TEXT ·trapUnreachable(SB), NOSPLIT, $0-0
	UNDEF
	RET

// func trapMemory()
TEXT ·trapMemory(SB), NOSPLIT, $0-0
	I32Const $-16
	I64Load $0
	Drop
	RET

// func trapTable()
TEXT ·trapTable(SB), NOSPLIT, $0-0
	I32Const $0
	I32Const $-1
	CallIndirect $0
	Drop
	RET

// func trapDivide()
TEXT ·trapDivide(SB), NOSPLIT, $0-0
	I64Const $1
	I64Const $0
	I64DivS
	Drop
	RET

// func trapOverflow()
TEXT ·trapOverflow(SB), NOSPLIT, $0-0
	I64Const $-9223372036854775808
	I64Const $-1
	I64DivS
	Drop
	RET

// func trapConversion()
TEXT ·trapConversion(SB), NOSPLIT, $0-0
	I64Const $-1 // the bits of a NaN
	F64ReinterpretI64
	I64TruncF64S
	Drop
	RET

// trapIndirect calls a function of Go, by its place in the table, as one of another type: 1 is that of an import.
//
// func trapIndirect(place int32)
TEXT ·trapIndirect(SB), NOSPLIT, $0-4
	I32Const $0
	I32Const $0
	I32Const $0
	I32Const $0
	I32Load place+0(FP)
	CallIndirect $1
	RET
