package meter

// values estimates how many values of a function a compiler keeps on the stack, beyond its locals and operands.
type values struct {
	// counted is the height up to which operands are in kept.
	counted int
	// sets counts assignments of locals, each of which is a new value; kept operands that live across a call, or that
	// lie deep; merges values that come from two places where two ways meet.
	sets, kept, merges int
}

// registers is how many operands a compiler is trusted to keep in registers.
const registers = 8

func (v *values) popped(height int) { v.counted = min(v.counted, height) }

func (v *values) pushed(height int) { v.keep(height - registers) }

// crossed is a call with height operands below its parameters.
func (v *values) crossed(height int) { v.keep(height) }

func (v *values) keep(height int) {
	if n := height - v.counted; n > 0 {
		v.kept += n
		v.counted = height
	}
}

// set is an assignment.
func (v *values) set() { v.sets++ }

// merged is a place where n values come from two.
func (v *values) merged(n int) { v.merges += n }
