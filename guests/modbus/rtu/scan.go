package rtu

import (
	"bytes"

	"github.com/droverhq/drover/guests/modbus/pdu"
)

// exceptionSize is the size of the shortest frame that answers a read.
const exceptionSize = pdu.ExceptionSize + Overhead

// Scan is what a search for a reply found.
type Scan struct {
	// Response is the protocol data unit of the reply, a part of what was searched; nil where there is none yet.
	Response []byte
	// Need is the least number of further bytes after which a reply could be complete; 0 where there is one.
	Need int
	// Corrupt says that a frame with the reply's unit, function and length is there, but its check is wrong.
	Corrupt bool
	// Partial says that the bytes at the end may be the beginning of a reply or of the request's echo.
	Partial bool
}

// Find searches the bytes received since a request was sent for its reply.
//
// A line gives more than replies: the echo of the request, frames of units that answered too late, noise. Find takes
// a frame for the reply only where unit, function, byte count and check are all right, wherever it begins, so that
// everything else is skipped and no silence is needed to find the next frame's beginning.
func Find(received []byte, unit uint8, request pdu.Read, sent []byte) Scan {
	var scan Scan
	for at := 0; at < len(received); at++ {
		rest := received[at:]
		if len(sent) > 0 && bytes.HasPrefix(rest, sent) {
			at += len(sent) - 1
			continue
		}
		if bytes.HasPrefix(sent, rest) {
			scan.wait(len(sent) - len(rest))
		}
		size := replySize(rest, unit, request)
		switch {
		case size == 0:
		case len(rest) < size:
			scan.wait(size - len(rest))
		case Valid(rest[:size]):
			return Scan{Response: rest[1 : size-2]}
		default:
			scan.Corrupt = true
		}
	}
	if !scan.Partial {
		scan.Need = exceptionSize
	}
	return scan
}

// wait notes that a frame could be complete after n more bytes.
func (s *Scan) wait(n int) {
	if !s.Partial || n < s.Need {
		s.Need, s.Partial = n, true
	}
}

// replySize is the least size of the reply that begins with these bytes, at least one; 0 where no reply does.
func replySize(head []byte, unit uint8, request pdu.Read) int {
	full := request.ResponseSize() + Overhead
	switch {
	case head[0] != unit:
		return 0
	case len(head) == 1:
		return exceptionSize
	case head[1] == request.ExceptionFunction():
		return exceptionSize
	case head[1] != request.Function():
		return 0
	case len(head) > 2 && int(head[2]) != request.DataSize():
		return 0
	}
	return full
}
