package meter

import (
	"math/rand/v2"
	"slices"
)

// A program is a random module that is valid and ends: every function and every pass of a loop takes from a global, and
// traps when there is nothing left. Another global counts the instructions of each straight piece when it is entered, so
// that a test can hold what was charged against what was done.
type program struct {
	*rand.Rand
	functions int
	// types are the functions', by index.
	types []uint32
	// results are those of the function that is made, locals its number of locals by type: i32 first, then i64.
	results string
	locals  [2]uint32
	// labels are the operand types of the open blocks, the innermost last.
	labels []string
	budget int
	// plain leaves out what is an obstacle to Detach.
	plain bool
}

// The globals of a program.
const (
	globalLeft = iota
	globalWork
	globalA
	globalB
)

// Types of a program: each function has one of the first four.
var programTypes = []struct{ params, results string }{
	{"ii", "i"}, {"i", ""}, {"iI", "iI"}, {"I", "I"}, {"i", "iI"}, {"", "iI"},
}

const (
	programPasses = 1500
	programPages  = 3
	programTable  = 12
)

// makeProgram makes the program of a seed. Its export "run" is (i32, i32) -> i32.
func makeProgram(seed uint64) []byte {
	return (&program{Rand: rand.New(rand.NewPCG(seed, 1))}).make()
}

// makePlain makes one that changes nothing but its memory and its globals, and that has data in its memory.
func makePlain(seed uint64) []byte {
	return (&program{Rand: rand.New(rand.NewPCG(seed, 2)), plain: true}).make()
}

func (p *program) make() []byte {
	p.functions = 2 + p.IntN(6)
	w := wasm{pages: programPages, mostPages: programPages + 2, tables: [][]byte{{typeFuncRef, 1, programTable, programTable}, {typeExtern, 0, 3}}}
	for _, t := range programTypes {
		w.types = append(w.types, functionType(t.params, t.results))
	}
	w.globals = [][]byte{
		append([]byte{typeI32, 1}, global(i32(programPasses)...)...),
		append([]byte{typeI64, 1}, global(i64(0)...)...),
		append([]byte{typeI32, 1}, global(i32(p.Int32())...)...),
		append([]byte{typeI64, 1}, global(i64(p.Int64())...)...),
	}
	for i, name := range []string{"left", "work", "a", "b"} {
		w.exports = append(w.exports, append(appendName(nil, name), 3, byte(i)))
	}
	p.types = []uint32{0}
	for range p.functions - 1 {
		p.types = append(p.types, p.Uint32N(4))
	}
	for _, typ := range p.types {
		w.funcs = append(w.funcs, p.function(typ))
	}
	w.funcs[0].export = "run"
	elements := []byte{0}
	elements = append(elements, global(i32(1)...)...)
	elements = append(elements, byte(p.functions))
	for i := range p.functions {
		elements = append(elements, byte(i))
	}
	passive := append([]byte{5, typeFuncRef, 2, 0xd0, typeFuncRef, opEnd, opRefFunc, byte(p.IntN(p.functions))}, opEnd)
	w.elems = [][]byte{elements, passive}
	if p.plain { // nobody sees its table
		w.tables, w.elems = w.tables[:1], w.elems[:1]
	}
	w.data = [][]byte{append([]byte{1, 40}, p.bytes(40)...)}
	if p.plain {
		for range p.IntN(4) {
			offset := code(p.IntN(2)*2, i32(p.Int32N(programPages*65536-40)), opEnd, 40)
			if offset[0] == 2 {
				offset = code(2, 0, offset[1:])
			}
			w.data = append(w.data, append(offset, p.bytes(40)...))
		}
	}
	return w.encode()
}

func (p *program) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(p.Uint32())
	}
	return b
}

func (p *program) function(typ uint32) wasmFunc {
	t := programTypes[typ]
	p.results, p.labels, p.budget = t.results, []string{t.results}, 10+p.IntN(150)
	f := wasmFunc{typ: typ}
	// Parameters are copied to locals, so that a local of each type is there under a number that is known.
	first := uint32(len(t.params))
	p.locals = [2]uint32{first, first + 3}
	f.locals = []byte{typeI32, typeI32, typeI32, typeI64, typeI64, typeI64}
	var prologue []byte
	for i, c := range t.params {
		prologue = code(prologue, get(uint32(i)), set(p.locals[kind(c)]))
	}
	f.code = code(p.spend(), prologue, p.statements(), p.values(t.results))
	return f
}

// kind is 0 for i32 and 1 for i64.
func kind(c rune) int {
	if c == 'I' {
		return 1
	}
	return 0
}

// spend ends the program when nothing is left.
func (p *program) spend() []byte {
	return code(opGlobalGet, globalLeft, i32(1), opI32Sub, opGlobalSet, globalLeft,
		opGlobalGet, globalLeft, i32(0), opI32LtS, opIf, typeVoid, opUnreachable, opEnd)
}

// statements are some straight pieces and blocks, which leave nothing.
func (p *program) statements() []byte {
	var out []byte
	for range 1 + p.IntN(5) {
		if p.budget--; p.budget < 0 {
			break
		}
		out = append(out, p.statement()...)
	}
	return out
}

// piece is straight code that counts its instructions, at least 1 of them each.
func (p *program) piece(instructions int, c []byte) []byte {
	return code(opGlobalGet, globalWork, i64(int64(instructions)), opI64Add, opGlobalSet, globalWork, c)
}

func (p *program) statement() []byte {
	switch p.IntN(19) {
	case 0:
		return code(opBlock, typeVoid, p.inside(""), opEnd)
	case 1:
		return code(opLoop, typeVoid, p.spend(), p.loopBody(), opEnd)
	case 2:
		return code(p.value('i'), opIf, typeVoid, p.inside(""), opElse, p.inside(""), opEnd)
	case 3:
		return code(p.value('i'), opIf, typeVoid, p.inside(""), opEnd)
	case 4: // several results, and parameters of a block
		return code(p.value('i'), opBlock, 4, set(p.local('i')), p.inside("iI"), p.values("iI"), opEnd, set(p.local('I')), set(p.local('i')))
	case 13: // a loop with a parameter, and maybe without calls
		return p.loopWithParameter()
	case 5:
		return p.jump()
	case 6:
		return p.table()
	case 7:
		return p.call()
	case 8:
		return p.indirect()
	case 9:
		return p.bulk()
	case 10:
		return code(p.value('i'), i32(programPages*65536-9), 0x71, p.value('I'), 0x37, 3, 0) // i64.store
	case 11:
		return code(p.value('i'), opGlobalSet, globalA, p.value('I'), opGlobalSet, globalB)
	case 14:
		return p.dispatch()
	case 12: // a loop with nothing but arithmetic
		l := p.local('i')
		return code(i32(int32(p.IntN(40))), set(l), opLoop, typeVoid,
			p.piece(8, code(p.value('I'), set(p.local('I')))),
			get(l), i32(1), opI32Sub, tee(l), i32(0), 0x4a, opBrIf, 0, opEnd)
	default:
		return p.piece(4, code(p.value('i'), set(p.local('i')), p.value('I'), set(p.local('I'))))
	}
}

// loopBody goes round again on some condition.
func (p *program) loopBody() []byte {
	body := p.inside("")
	return code(body, p.value('i'), i32(3), 0x71, opBrIf, 0)
}

// dispatch is a loop that jumps about in the manner of Go's compiler, with other things that change the local, too.
func (p *program) dispatch() []byte {
	pc, n := p.local('i'), 1+p.IntN(5)
	c := code(i32(int32(p.IntN(n))), set(pc), opLoop, typeVoid, repeat(n, []byte{opBlock, typeVoid}), get(pc), opBrTable, n-1)
	for range n {
		c = code(c, p.IntN(n))
	}
	for range n {
		p.labels = append(p.labels, "")
	}
	for open := range n {
		left := n - 1 - open // blocks that are still open
		c = code(c, opEnd, p.spend(), p.statements())
		to := code(i32(int32(p.IntN(n+1))), set(pc))
		switch p.IntN(5) {
		case 0:
			c = code(c, to, opBr, left)
		case 1, 2:
			c = code(c, p.value('i'), opIf, typeVoid, to, opBr, left+1, opEnd)
		case 3:
			c = code(c, p.value('i'), to, opBrIf, left)
		}
		p.labels = p.labels[:len(p.labels)-1]
	}
	return code(c, opEnd)
}

// loopWithParameter goes round with what it leaves on the stack.
func (p *program) loopWithParameter() []byte {
	a, b := p.local('i'), p.local('I')
	body := p.piece(4, code(p.value('i'), p.value('i'), opDrop, opDrop))
	if p.IntN(3) == 0 {
		p.labels = append(p.labels, "i")
		body = p.statements()
		p.labels = p.labels[:len(p.labels)-1]
	}
	return code(p.value('i'), opLoop, 4, p.spend(), set(a), body,
		p.value('i'), get(a), i32(3), 0x71, opBrIf, 0, p.long(), opEnd, set(b), set(a))
}

// inside is what a block has that leaves operands of types.
func (p *program) inside(types string) []byte {
	p.labels = append(p.labels, types)
	c := p.statements()
	p.labels = p.labels[:len(p.labels)-1]
	return c
}

// jump leaves a block, maybe, or the function.
func (p *program) jump() []byte {
	n := p.IntN(len(p.labels))
	types := p.labels[len(p.labels)-1-n]
	if p.IntN(4) == 0 {
		return code(p.value('i'), opIf, typeVoid, i32(77), p.values(p.results), opReturn, opEnd)
	}
	drop := repeat(len(types), []byte{opDrop})
	return code(p.values(types), p.value('i'), i32(1), 0x71, opBrIf, u32(uint32(n)), drop)
}

// table leaves for one of the blocks that take nothing.
func (p *program) table() []byte {
	var labels []int
	for n := range p.labels {
		if p.labels[len(p.labels)-1-n] == "" {
			labels = append(labels, n)
		}
	}
	if len(labels) == 0 {
		return nil
	}
	c := code(p.value('i'), opBrTable, 3)
	for range 4 {
		c = code(c, u32(uint32(labels[p.IntN(len(labels))])))
	}
	return c
}

// call calls a function; what it returns goes to locals.
func (p *program) call() []byte {
	i := p.IntN(p.functions)
	t := programTypes[p.types[i]]
	return code(p.values(t.params), call(uint32(i)), p.keep(t.results))
}

func (p *program) indirect() []byte {
	t := p.IntN(4)
	return code(p.values(programTypes[t].params), p.value('i'), i32(15), 0x71, opCallIndirect, t, 0, p.keep(programTypes[t].results))
}

// keep stores operands in locals.
func (p *program) keep(types string) []byte {
	var c []byte
	for _, t := range slices.Backward([]rune(types)) {
		c = code(c, set(p.local(t)))
	}
	return c
}

// bulk is one of the instructions that work on memory or a table at once, often out of bounds.
func (p *program) bulk() []byte {
	small := func() []byte { return code(p.value('i'), i32(0xffff), 0x71) }
	n := p.IntN(8)
	if p.plain && n != 1 && n != 3 {
		n = 0
	}
	switch n {
	case 0:
		return code(small(), p.value('i'), small(), opMisc, miscMemoryFill, 0)
	case 1:
		return code(small(), small(), small(), opMisc, miscMemoryCopy, 0, 0)
	case 2:
		return code(small(), i32(int32(p.IntN(20))), i32(int32(p.IntN(30))), opMisc, miscMemoryInit, 0, 0)
	case 3:
		return code(p.value('i'), i32(1), 0x71, opMemoryGrow, 0, set(p.local('i')))
	case 4:
		return code(i32(int32(p.IntN(programTable))), i32(0), i32(1), opMisc, miscTableInit, 1, 0)
	case 5:
		return code(i32(int32(p.IntN(programTable))), i32(int32(p.IntN(programTable))), i32(int32(p.IntN(3))), opMisc, miscTableCopy, 0, 0)
	case 6:
		return code(0xd0, typeExtern, i32(int32(p.IntN(9))), opMisc, miscTableGrow, 1, set(p.local('i')))
	default:
		return code(i32(int32(p.IntN(3))), 0xd0, typeExtern, i32(int32(p.IntN(3))), opMisc, miscTableFill, 1)
	}
}

func (p *program) local(t rune) uint32 { return p.locals[kind(t)] + p.Uint32N(3) }

// values leaves operands of the types.
func (p *program) values(types string) []byte {
	var c []byte
	for _, t := range types {
		c = code(c, p.value(t))
	}
	return c
}

// value leaves one operand.
func (p *program) value(t rune) []byte {
	if t == 'I' {
		return p.long()
	}
	switch p.IntN(7) {
	case 0:
		return i32(p.Int32())
	case 1:
		return code(p.value('i'), p.value('i'), 0x6a+p.IntN(3))
	case 2:
		return code(get(p.local('i')), get(p.local('i')), 0x46+p.IntN(10))
	case 3:
		return code(get(p.local('i')), i32(programPages*65536-5), 0x71, 0x28, 2, 0) // i32.load
	case 4:
		return code(get(p.local('i')), get(p.local('i')), get(p.local('i')), 0x1b) // select
	case 5:
		return code(opGlobalGet, globalA)
	}
	return get(p.local('i'))
}

func (p *program) long() []byte {
	switch p.IntN(6) {
	case 0:
		return i64(p.Int64())
	case 1:
		return code(p.long(), p.long(), 0x7c+p.IntN(3))
	case 2:
		return code(get(p.local('i')), opI64ExtendU)
	case 3:
		return code(opVector, 12, p.bytes(16), get(p.local('I')), opVector, u32(30), 1, opVector, u32(29), 1) // a lane replaced and extracted
	case 4:
		return code(opGlobalGet, globalB)
	}
	return get(p.local('I'))
}
