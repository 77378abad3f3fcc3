package meter

// immediate says what follows an opcode.
type immediate uint8

const (
	immUnknown immediate = iota
	immNone
	immControl // read by the scanner itself
	immIndex   // one index that stays as it is
	immMemory  // alignment and offset
	immMemoryZero
	immI32
	immI64
	imm4
	imm8
	imm16
	immRefType
	immLane
	immMemoryLane
)

// operation is an instruction's shape: its immediates, how many operands it takes and leaves, and its static cost.
type operation struct {
	imm        immediate
	pops, push uint8
	cost       uint8
}

// Static costs, in units of about one simple instruction.
const (
	costSimple   = 1
	costDivision = 8
	costCall     = 4
	costHostCall = 16
)

// family gives the operations from first to last one shape.
type family struct {
	first, last byte
	operation
}

// operations are those of one byte (core specification 2.0, 5.4, "Instructions").
var operations = table([]family{
	{0x00, 0x00, operation{immControl, 0, 0, costSimple}}, // unreachable
	{0x01, 0x01, operation{immNone, 0, 0, 0}},             // nop
	{0x02, 0x05, operation{immControl, 0, 0, 0}},          // block, loop, if, else
	{0x0b, 0x0b, operation{immControl, 0, 0, 0}},          // end
	{0x0c, 0x0f, operation{immControl, 0, 0, costSimple}}, // br, br_if, br_table, return
	{0x10, 0x11, operation{immControl, 0, 0, costCall}},   // call, call_indirect
	{0x1a, 0x1a, operation{immNone, 1, 0, 0}},             // drop
	{0x1b, 0x1b, operation{immNone, 3, 1, costSimple}},    // select
	{0x1c, 0x1c, operation{immControl, 3, 1, costSimple}}, // select t
	{0x20, 0x20, operation{immIndex, 0, 1, costSimple}},   // local.get
	{0x21, 0x21, operation{immIndex, 1, 0, costSimple}},   // local.set
	{0x22, 0x22, operation{immIndex, 1, 1, costSimple}},   // local.tee
	{0x23, 0x23, operation{immIndex, 0, 1, costSimple}},   // global.get
	{0x24, 0x24, operation{immIndex, 1, 0, costSimple}},   // global.set
	{0x25, 0x25, operation{immIndex, 1, 1, costSimple}},   // table.get
	{0x26, 0x26, operation{immIndex, 2, 0, costSimple}},   // table.set
	{0x28, 0x35, operation{immMemory, 1, 1, costSimple}},  // loads
	{0x36, 0x3e, operation{immMemory, 2, 0, costSimple}},  // stores
	{0x3f, 0x3f, operation{immMemoryZero, 0, 1, costSimple}},
	{0x40, 0x40, operation{immControl, 1, 1, costCall}}, // memory.grow
	{0x41, 0x41, operation{immI32, 0, 1, costSimple}},
	{0x42, 0x42, operation{immI64, 0, 1, costSimple}},
	{0x43, 0x43, operation{imm4, 0, 1, costSimple}},
	{0x44, 0x44, operation{imm8, 0, 1, costSimple}},
	{0x45, 0x45, operation{immNone, 1, 1, costSimple}}, // i32.eqz
	{0x46, 0x4f, operation{immNone, 2, 1, costSimple}}, // i32 comparisons
	{0x50, 0x50, operation{immNone, 1, 1, costSimple}}, // i64.eqz
	{0x51, 0x66, operation{immNone, 2, 1, costSimple}}, // i64, f32, f64 comparisons
	{0x67, 0x69, operation{immNone, 1, 1, costSimple}}, // i32.clz, ctz, popcnt
	{0x6a, 0x6c, operation{immNone, 2, 1, costSimple}},
	{0x6d, 0x70, operation{immNone, 2, 1, costDivision}}, // i32.div, rem
	{0x71, 0x78, operation{immNone, 2, 1, costSimple}},
	{0x79, 0x7b, operation{immNone, 1, 1, costSimple}}, // i64.clz, ctz, popcnt
	{0x7c, 0x7e, operation{immNone, 2, 1, costSimple}},
	{0x7f, 0x82, operation{immNone, 2, 1, costDivision}}, // i64.div, rem
	{0x83, 0x8a, operation{immNone, 2, 1, costSimple}},
	{0x8b, 0x90, operation{immNone, 1, 1, costSimple}},   // f32.abs to nearest
	{0x91, 0x91, operation{immNone, 1, 1, costDivision}}, // f32.sqrt
	{0x92, 0x94, operation{immNone, 2, 1, costSimple}},
	{0x95, 0x95, operation{immNone, 2, 1, costDivision}}, // f32.div
	{0x96, 0x98, operation{immNone, 2, 1, costSimple}},
	{0x99, 0x9e, operation{immNone, 1, 1, costSimple}},   // f64.abs to nearest
	{0x9f, 0x9f, operation{immNone, 1, 1, costDivision}}, // f64.sqrt
	{0xa0, 0xa2, operation{immNone, 2, 1, costSimple}},
	{0xa3, 0xa3, operation{immNone, 2, 1, costDivision}}, // f64.div
	{0xa4, 0xa6, operation{immNone, 2, 1, costSimple}},
	{0xa7, 0xc4, operation{immNone, 1, 1, costSimple}}, // conversions, sign extension
	{0xd0, 0xd0, operation{immRefType, 0, 1, costSimple}},
	{0xd1, 0xd1, operation{immNone, 1, 1, costSimple}},    // ref.is_null
	{0xd2, 0xd2, operation{immControl, 0, 1, costSimple}}, // ref.func
})

// table spreads families over their opcodes.
func table(families []family) [256]operation {
	var t [256]operation
	for _, f := range families {
		for code := int(f.first); code <= int(f.last); code++ {
			t[code] = f.operation
		}
	}
	return t
}

// refused names the features behind opcodes that are not of WebAssembly 2.0.
func refused(op byte) string {
	switch op {
	case 0x06, 0x07, 0x08, 0x09, 0x0a, 0x18, 0x19, 0x1f:
		return "an exception (the feature exception handling)"
	case 0x12, 0x13:
		return "a tail call (the feature tail calls)"
	case 0x14, 0x15, 0xd3, 0xd4, 0xd5, 0xd6, 0xfb:
		return "a typed reference (the features function references and GC)"
	case 0xfe:
		return "an atomic instruction (the feature threads)"
	}
	return ""
}
