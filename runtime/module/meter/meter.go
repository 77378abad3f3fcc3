package meter

// The one function that a rewritten module imports besides its own imports: (reason i32) -> (allowance i64).
//
// Called with ReasonFuel it returns the next allowance, in units of static cost, which are about one instruction each;
// it must be positive. The first call of a fresh instance makes this call at once. Called with ReasonStack it does not
// return. It may panic with either reason; the instance is then good for nothing but to be closed.
const (
	ImportModule = "drover:meter"
	ImportName   = "yield"
)

// What yield is called for.
const (
	// ReasonFuel says that the allowance is used up.
	ReasonFuel uint32 = 0
	// ReasonStack says that the calls in progress need more bytes of stack than Limits.Stack.
	ReasonStack uint32 = 1
)

// Dispatcher is the name of the functions that stand for call_indirect: in a stack trace, nobody needs them.
const Dispatcher = "meter.call_indirect"

// Module is a rewritten module.
type Module struct {
	// Binary is the module: the same input and limits give the same bytes.
	Binary []byte
	// Pages is how large its memory is from the start, in 64 KiB; 0 for one without a memory of its own.
	Pages      uint32
	Statistics Statistics

	// See module.
	memory   bool
	changing []uint32
	obstacle Obstacle
}

// Statistics says what was done to a module.
type Statistics struct {
	// Functions counts the module's own functions, Loops the loops in them.
	Functions, Loops int
	// Metered counts the functions that were given charges. The others are so short that their callers pay for them.
	Metered int
	// StackCounted counts the functions that count stack bytes when they are entered and left.
	StackCounted int
	// Before and After are the binary's bytes.
	Before, After int
	// Dropped are the names of the custom sections that would be wrong in the rewritten module.
	Dropped []string
}
