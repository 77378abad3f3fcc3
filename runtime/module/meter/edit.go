package meter

// edit is one place of a function's code that is written anew. Edits are in the order of the code.
type edit struct {
	// at and end bound the bytes that it stands for; end is at for what is only inserted.
	at, end int
	kind    editKind
	// free says that the function called is.
	free bool
	// frame is the innermost block around it, or for loops the loop.
	frame int32
	// arg is an index: of the function or type called, the segment, the block that is branched to, whose label arg2 is
	// here, the helper, or the first of the targets, of which there are arg2.
	arg, arg2 uint32
}

type editKind uint8

const (
	editCharge editKind = iota
	editLoop
	editLoopEnd
	editIndex
	editBranch
	editBranchTable
	editReturn
	editCall
	editCallIndirect
	// editHelper replaces an instruction by the call of a helper, editTick calls one before it.
	editHelper
	editTick
)

// edit notes an edit that ends here.
func (b *body) edit(e edit) {
	e.end = b.r.at
	b.edits = append(b.edits, e)
}
