package meter

import "fmt"

// instruction reads one instruction.
func (b *body) instruction() {
	start := b.r.at
	op := b.r.byte("an instruction")
	switch op {
	case opMisc:
		b.misc(start)
		return
	case opVector:
		b.vectorInstruction(start)
		return
	}
	o := &operations[op]
	switch o.imm {
	case immUnknown:
		b.unknown(start, op)
	case immControl:
		b.spend(int(o.cost))
		b.control(start, op)
	case immNone:
		b.spend(int(o.cost))
		b.operands(int(o.pops), int(o.push))
	default:
		b.spend(int(o.cost))
		b.immediate(start, o.imm, op)
		b.operands(int(o.pops), int(o.push))
	}
}

func (b *body) unknown(start int, op byte) {
	found := refused(op)
	if found == "" {
		found = fmt.Sprintf("0x%02x", op)
	}
	b.r.fail(start, "an instruction of WebAssembly 2.0", found)
}

// immediate skips what follows an opcode.
func (b *body) immediate(start int, imm immediate, op byte) {
	switch imm {
	case immIndex:
		b.indexed(start, op)
	case immMemory, immMemoryLane:
		start := b.r.at
		if align := b.r.u32("an alignment"); align >= 32 {
			b.r.fail(start, "an alignment below 32", fmt.Sprint(align))
		}
		b.r.u32("an offset")
		if imm == immMemoryLane {
			b.r.byte("a lane")
		}
	case immMemoryZero, immLane:
		b.r.byte("an index or a lane")
	case immI32:
		b.assignment.value = uint32(b.r.signed(32, "a constant"))
		b.assignment.constant = b.r.at
	case immI64:
		b.r.signed(64, "a constant")
	case imm4:
		b.r.skip(4, "a constant")
	case imm8:
		b.r.skip(8, "a constant")
	case imm16:
		b.r.skip(16, "a constant")
	case immRefType:
		readValueType(&b.r)
	}
}

// indexed reads the index of a local, global or table. One that is not there must be refused here: it may be one of
// those that are added.
func (b *body) indexed(start int, op byte) {
	switch op {
	case opLocalGet:
		b.fetched(start, b.r.index("local", b.locals))
	case opLocalSet, opLocalTee:
		index := b.r.index("local", b.locals)
		if op == opLocalSet {
			b.assigned(start, index)
		}
		b.values.set()
		b.top().sets++
	case opGlobalGet, opGlobalSet:
		index := b.r.index("global", len(b.m.globals))
		b.vector = b.vector || b.r.err == nil && b.m.globals[index] == typeV128
	default:
		b.r.u32("a table's index")
		b.m.observed = true
		if op == opTableSet {
			b.m.forbid("it uses table.set")
		}
	}
}

func (b *body) vectorInstruction(start int) {
	n := b.r.u32("a vector instruction")
	if b.r.err != nil {
		return
	}
	if n > 255 || vectors[n].imm == immUnknown {
		found := fmt.Sprintf("vector instruction %d", n)
		if n > 255 {
			found += " (the feature relaxed SIMD)"
		}
		b.r.fail(start, "an instruction of WebAssembly 2.0", found)
		return
	}
	b.vector = true
	o := &vectors[n]
	b.spend(int(o.cost))
	b.immediate(start, o.imm, opVector)
	b.operands(int(o.pops), int(o.push))
}
