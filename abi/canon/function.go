package canon

import "slices"

// Function describes an import to those who read a trace of calls: what its flat parameters mean, and where its result
// is found. Generated bindings have one for each import.
type Function struct {
	// Name is the core name of a method, as "[method]stream.read", or a function's with its interface, as "data.publish".
	Name string
	// Params are the parameters, a method's own handle first.
	Params []Param
	// Spilled says that the parameters go by a pointer: nothing is told of them.
	Spilled bool
	// Bytes is the flat parameter that has the address of the first list<u8> or string, its length behind it; or -1.
	Bytes int
	// Return is the flat parameter that says where the result goes; or -1.
	Return int
	Result Result
}

// Waits says whether a call may wait for what is outside of the process: it is told how long at most.
func (f *Function) Waits() bool {
	return slices.ContainsFunc(f.Params, func(p Param) bool { return p.Kind == KindDuration })
}

// Param is one parameter, or one field of it.
type Param struct {
	// Name is empty for a method's own handle.
	Name string
	Kind ParamKind
	// Of are the names of an enum's or a variant's cases, or the name of a handle's resource alone.
	Of []string
	// Fields are those of a record or a tuple.
	Fields []Param
	// Flat is how many flat values there are.
	Flat int
}

// ParamKind tells how flat values are read.
type ParamKind uint8

// The kinds of parameters.
const (
	KindUnsigned32 ParamKind = iota
	KindUnsigned64
	KindSigned32
	KindSigned64
	KindBool
	KindFloat32
	KindFloat64
	// KindDuration is a number of nanoseconds.
	KindDuration
	// KindHandle is a resource's handle.
	KindHandle
	KindEnum
	// KindBytes is a list<u8>, KindString a string, KindList any other list: address and length.
	KindBytes
	KindString
	KindList
	// KindRecord is a record or a tuple: its fields one after the other.
	KindRecord
	// KindChoice is a variant, an option or a result: the case, then what it holds.
	KindChoice
	// KindTextChoice is a choice each of whose cases holds a string.
	KindTextChoice
)

// Result says how the result of an import is read in short: a number, or the name of a case.
type Result struct {
	Kind ResultKind
	// Cases are the names of a choice's cases: "ok" and "error" of a result.
	Cases []string
	// Errors are the names of the cases of a result's error, where that is an enum or a variant.
	Errors []string
	// Payload is the offset of what a choice holds.
	Payload uint32
	// Counted is the case that holds a list, of which the number of elements is told; or -1.
	// Of a variant with more than one, it is the first.
	Counted int
}

// ResultKind tells what an import answers.
type ResultKind uint8

// The kinds of results.
const (
	// ResultNone is no result, or one of which nothing is told.
	ResultNone ResultKind = iota
	// ResultNumber is a flat number.
	ResultNumber
	// ResultBool is a flat bool, ResultEnum the flat case of an enum.
	ResultBool
	ResultEnum
	// ResultChoice is a variant, option or result in memory, with a discriminant of one byte.
	ResultChoice
)
