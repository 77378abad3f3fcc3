package pdu

// Request is a request as a link sends it, and what its response looks like. *Read, *Write, *Raw and *Identify are.
type Request interface {
	// Function is the code of the function that is asked for.
	Function() byte
	// Append adds the request to dst.
	Append(dst []byte) []byte
	// ResponseSize is the least size of a response that grants the request and begins with head, which has at least one
	// byte; 0 where none does, AnySize where only the end of the frame tells.
	ResponseSize(head []byte) int
	// Check says whether response grants the request: nil; an Exception where the unit refused; a *FormatError where
	// it does not answer this request.
	Check(response []byte) error
	// MaxResponse is the most bytes that the response has.
	MaxResponse() int
	// Mirrored says whether the response may be the request's own bytes, so that it looks like an echo of the line, and
	// what a unit can be asked before, to learn whether the line has echoes.
	Mirrored() (probe Read, mirrored bool)
	// String returns the request for people: `holding 100..124`.
	String() string
}

var (
	_ Request = Read{}
	_ Request = Write{}
	_ Request = Raw{}
	_ Request = Identify{}
)

// AnySize is the size of a response that only the end of its frame tells.
const AnySize = -1

// ExceptionOf is the function code of a response that refuses a request with this one.
func ExceptionOf(function byte) byte { return function | exceptionFlag }

// refusal returns the exception of a response, nil where it is none of this function, or a *FormatError.
func refusal(function byte, response []byte) error {
	switch {
	case len(response) < ExceptionSize:
		return formatErrorf("response of %d bytes", len(response))
	case response[0] == ExceptionOf(function):
		return exception(response)
	case response[0] != function:
		return formatErrorf("function %#02x answered, asked %#02x", response[0], function)
	}
	return nil
}

func exception(response []byte) error {
	if len(response) != ExceptionSize {
		return formatErrorf("exception response of %d bytes", len(response))
	}
	if response[1] == 0 {
		return formatErrorf("exception code 0")
	}
	return Exception(response[1])
}
