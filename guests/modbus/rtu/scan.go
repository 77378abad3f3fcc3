package rtu

import (
	"bytes"

	"github.com/droverhq/drover/guests/modbus/pdu"
)

// exceptionSize is the size of the shortest frame that answers a request.
const exceptionSize = pdu.ExceptionSize + Overhead

// Scan is what a search for a reply found.
type Scan struct {
	// Response is the protocol data unit of the reply, a part of what was searched; nil where there is none yet.
	Response []byte
	// Need is the least number of further bytes after which a reply could be complete; 0 where there is one, and where
	// only the silence behind it can tell.
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
//
// A reply that is the same as its request is told from the echo by echoing: whether the line gives back what is sent.
func Find(received []byte, unit uint8, request pdu.Request, sent []byte, echoing bool) Scan {
	var scan Scan
	echoes := len(received)
	if _, mirrored := request.Mirrored(); mirrored {
		echoes = 0
		if echoing {
			echoes = 1
		}
	}
	for at := 0; at < len(received); at++ {
		rest := received[at:]
		if echoes > 0 && bytes.HasPrefix(rest, sent) {
			at += len(sent) - 1
			echoes--
			continue
		}
		if echoes > 0 && bytes.HasPrefix(sent, rest) {
			scan.wait(len(sent) - len(rest))
		}
		size := replySize(rest, unit, request)
		switch {
		case size == 0:
		case size == pdu.AnySize:
			if len(rest) >= exceptionSize && Valid(rest) {
				return Scan{Response: rest[1 : len(rest)-2]}
			}
			scan.wait(0)
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

// replySize is the least size of the reply that begins with these bytes, at least one; 0 where no reply does,
// pdu.AnySize where only the end of the frame tells.
func replySize(head []byte, unit uint8, request pdu.Request) int {
	switch {
	case head[0] != unit:
		return 0
	case len(head) == 1:
		return exceptionSize
	case head[1] == pdu.ExceptionOf(request.Function()):
		return exceptionSize
	case head[1] != request.Function():
		return 0
	}
	size := request.ResponseSize(head[1:])
	if size > 0 {
		size += Overhead
	}
	return size
}
