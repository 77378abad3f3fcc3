package meter

// The locals of the helpers that work on memory: their parameters, the operands of the instruction, and one more.
const (
	localTo = iota
	localFrom
	localCount
	localFuel
)

var (
	signatureTick = []byte{typeFunc, 1, typeI32, 1, typeI32}
	signatureBulk = []byte{typeFunc, 3, typeI32, typeI32, typeI32, 0}
)

func (m *module) signatureOf(h helperFunction) []byte {
	switch h.helper {
	case helperTick, helperGrow:
		return signatureTick
	case helperDispatch:
		return m.dispatcherSignature(h.of)
	}
	return signatureBulk
}

// name is the helper's name in traces.
func (h helper) name() string {
	return [...]string{"meter.bulk", "meter.memory.grow", "memory.fill", "memory.copy", "memory.init", Dispatcher}[h]
}

// helperIndex returns the function index of a helper.
func (m *module) helperIndex(place uint32) uint32 { return uint32(m.functionCount()) + 1 + place }

// helperCode returns the code of a helper, its locals in front.
func (m *module) helperCode(f helperFunction) []byte {
	switch f.helper {
	case helperTick:
		return m.tickCode(opI64ShrU, byteShift)
	case helperGrow:
		return m.tickCode(opI64Shl, pageShift)
	case helperDispatch:
		return m.dispatcherCode(f.of)
	}
	return m.bulkCode(f)
}

// tickCode charges for a number and returns it.
func (m *module) tickCode(shift byte, bits int64) []byte {
	const fuel = 1
	b := []byte{1, 1, typeI64}
	b = m.chargeAmount(b, fuel, 0, shift, bits)
	b = appendOp(b, opLocalGet, 0)
	return append(b, opEnd)
}

// chargeAmount checks the counter and takes from it the number in a local, shifted.
func (m *module) chargeAmount(b []byte, fuel, local uint32, shift byte, bits int64) []byte {
	b = appendOp(b, opGlobalGet, m.fuelIndex())
	b = appendOp(b, opLocalSet, fuel)
	b = m.refuel(b, fuel)
	b = appendOp(b, opLocalGet, fuel)
	b = append(appendOp(b, opLocalGet, local), opI64ExtendU)
	b = append(appendI64(b, bits), shift)
	b = append(b, opI64Sub)
	return appendOp(b, opGlobalSet, m.fuelIndex())
}

// bulkCode does an instruction on memory piece by piece.
//
// One that does not fit must trap before it writes anything, so it is tried as a whole: it traps. A copy to a higher
// address begins at the end, so that no piece is overwritten before it was copied.
//
//	loop
//	  if count <= piece or the whole does not fit
//	    charge count; instruction(to, from, count); return
//	  charge piece
//	  if forward: instruction(to, from, piece), to += piece, from += piece (fill: from stays)
//	  else: instruction(to + count - piece, from + count - piece, piece)
//	  count -= piece
//	  again
//	end
func (m *module) bulkCode(f helperFunction) []byte {
	b := []byte{1, 1, typeI64, opLoop, typeVoid}
	b = appendOp(b, opLocalGet, localCount)
	b = append(appendI32(b, piece), opI32LeU)
	b = append(m.outside(b, f), opI32Or)
	b = append(b, opIf, typeVoid)
	b = m.chargeAmount(b, localFuel, localCount, opI64ShrU, byteShift)
	b = bulkInstruction(b, f)
	b = append(b, opReturn, opEnd)
	b = m.chargePiece(b)
	if f.helper == helperCopy {
		b = appendOp(appendOp(b, opLocalGet, localTo), opLocalGet, localFrom)
		b = append(b, opI32GtU, opIf, typeVoid)
		b = bulkPiece(b, f, true)
		b = append(b, opElse)
		b = bulkPiece(b, f, false)
		b = append(b, opEnd)
	} else {
		b = bulkPiece(b, f, false)
	}
	b = lower(b, localCount)
	return append(b, opBr, 0, opEnd, opEnd)
}

// outside leaves whether an operand and the count go beyond the memory or the data segment.
func (m *module) outside(b []byte, f helperFunction) []byte {
	b = beyondMemory(b, localTo)
	switch f.helper {
	case helperCopy:
		b = append(beyondMemory(b, localFrom), opI32Or)
	case helperInit:
		b = append(appendSum(b, localFrom), opI64Const)
		b = append(appendSigned(b, int64(m.data[f.of])), opI64GtU, opI32Or)
	}
	return b
}

// beyondMemory leaves whether address and count go beyond the memory, whose size is counted in pages.
func beyondMemory(b []byte, address uint32) []byte {
	b = appendSum(b, address)
	b = append(b, opMemorySize, 0, opI64ExtendU)
	return append(appendI64(b, 16), opI64Shl, opI64GtU)
}

// appendSum leaves local + count as 64 bits.
func appendSum(b []byte, local uint32) []byte {
	b = append(appendOp(b, opLocalGet, local), opI64ExtendU)
	b = append(appendOp(b, opLocalGet, localCount), opI64ExtendU)
	return append(b, opI64Add)
}

// chargePiece checks the counter and charges for one piece.
func (m *module) chargePiece(b []byte) []byte {
	b = appendOp(b, opGlobalGet, m.fuelIndex())
	b = appendOp(b, opLocalSet, localFuel)
	b = m.refuel(b, localFuel)
	b = appendOp(b, opLocalGet, localFuel)
	b = append(appendI64(b, piece>>byteShift), opI64Sub)
	return appendOp(b, opGlobalSet, m.fuelIndex())
}

// bulkPiece does the first piece, or the last, and moves on.
func bulkPiece(b []byte, f helperFunction, last bool) []byte {
	for _, local := range []uint32{localTo, localFrom} {
		b = appendOp(b, opLocalGet, local)
		if last {
			b = append(appendOp(b, opLocalGet, localCount), opI32Add)
			b = append(appendI32(b, piece), opI32Sub)
		}
	}
	b = appendI32(b, piece)
	b = bulkOpcode(b, f)
	if last {
		return b
	}
	b = raise(b, localTo)
	if f.helper != helperFill {
		b = raise(b, localFrom)
	}
	return b
}

// raise and lower move a local by a piece.
func raise(b []byte, local uint32) []byte {
	b = append(appendI32(appendOp(b, opLocalGet, local), piece), opI32Add)
	return appendOp(b, opLocalSet, local)
}

func lower(b []byte, local uint32) []byte {
	b = append(appendI32(appendOp(b, opLocalGet, local), piece), opI32Sub)
	return appendOp(b, opLocalSet, local)
}

// bulkInstruction does all that is left.
func bulkInstruction(b []byte, f helperFunction) []byte {
	for _, local := range []uint32{localTo, localFrom, localCount} {
		b = appendOp(b, opLocalGet, local)
	}
	return bulkOpcode(b, f)
}

func bulkOpcode(b []byte, f helperFunction) []byte {
	switch f.helper {
	case helperCopy:
		return append(b, opMisc, miscMemoryCopy, 0, 0)
	case helperInit:
		b = append(b, opMisc, miscMemoryInit)
		return append(appendU32(b, f.of), 0)
	}
	return append(b, opMisc, miscMemoryFill, 0)
}
