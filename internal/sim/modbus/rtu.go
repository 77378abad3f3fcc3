package modbus

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"sync"
)

// Sizes of RTU frames (Serial Line 2.5.1): unit, PDU, two bytes of CRC.
const (
	minRTUFrame = 4
	maxRTUFrame = 256
)

// rtu is the framing of a serial line. Requests are delimited by the length that their function tells, and noise is
// skipped by looking for the next place where length and CRC fit: a simulation on a loaded machine cannot trust the
// silence of 3.5 characters (Serial Line 2.5.1.1).
type rtu struct {
	r         io.Reader
	broadcast func(Request)
	pending   []byte
	frame     [maxRTUFrame]byte
}

func newRTU(r io.Reader, broadcast func(Request)) *rtu { return &rtu{r: r, broadcast: broadcast} }

// next implements framing.
func (l *rtu) next() (Request, error) {
	for {
		if frame, rest, ok := scanRTU(l.pending); ok {
			n := copy(l.frame[:], frame)
			l.pending = append(l.pending[:0], rest...)
			return Request{Unit: l.frame[0], Function: l.frame[1], Data: l.frame[2 : n-2]}, nil
		}
		if extra := len(l.pending) - maxRTUFrame; extra > 0 {
			l.pending = slices.Delete(l.pending, 0, extra)
		}
		l.pending = slices.Grow(l.pending, maxRTUFrame)
		n, err := l.r.Read(l.pending[len(l.pending):cap(l.pending)])
		l.pending = l.pending[:len(l.pending)+n]
		if err != nil && n == 0 {
			return Request{}, fmt.Errorf("read line: %w", err)
		}
	}
}

// wrap implements framing.
func (l *rtu) wrap(request Request, pdu []byte, fault Fault) []byte {
	frame := make([]byte, 0, len(pdu)+3)
	frame = append(frame, request.Unit+fault.UnitDelta)
	frame = append(frame, pdu...)
	sum := crc(frame)
	if fault.BadCRC {
		sum = ^sum
	}
	return binary.LittleEndian.AppendUint16(frame, sum)
}

// absent implements framing: on a line nobody answers for another, and nobody answers a broadcast (Serial Line 2.1).
func (l *rtu) absent(request Request) []byte {
	if request.Unit == 0 {
		l.broadcast(request)
	}
	return nil
}

// scanRTU returns the first whole request in buf and what follows it. What is before it is noise.
func scanRTU(buf []byte) (frame, rest []byte, ok bool) {
	for start := range buf {
		for _, n := range requestLengths(buf[start:]) {
			if candidate := buf[start:]; n <= len(candidate) && validRTU(candidate[:n]) {
				return candidate[:n], candidate[n:], true
			}
		}
	}
	return nil, nil, false
}

// requestLengths returns the lengths that the request at the start of buf may have: one that its function tells, or,
// of a function that is not ours, all that there are.
func requestLengths(buf []byte) []int {
	if len(buf) < minRTUFrame {
		return nil
	}
	switch function := buf[1]; {
	case function >= fnReadCoils && function <= fnWriteRegister:
		return []int{8}
	case function == fnMaskWrite:
		return []int{10}
	case function == fnWriteCoils || function == fnWriteRegisters:
		if len(buf) < 7 {
			return nil
		}
		return []int{9 + int(buf[6])}
	}
	var lengths []int
	for n := minRTUFrame; n <= min(len(buf), maxRTUFrame); n++ {
		lengths = append(lengths, n)
	}
	return lengths
}

func validRTU(frame []byte) bool {
	n := len(frame)
	return n >= minRTUFrame && n <= maxRTUFrame && binary.LittleEndian.Uint16(frame[n-2:]) == crc(frame[:n-2])
}

// crc is the sum of Serial Line 6.2.2: polynomial 0xa001, reflected, starting at 0xffff; sent low byte first.
func crc(b []byte) uint16 {
	sum := uint16(0xffff)
	for _, c := range b {
		sum ^= uint16(c)
		for range 8 {
			carry := sum & 1
			sum >>= 1
			if carry == 1 {
				sum ^= 0xa001
			}
		}
	}
	return sum
}

// broadcast executes a write on all units (Serial Line 2.1).
func (s *service) broadcast(request Request) {
	for _, device := range s.units {
		device.serve(request.Function, request.Data)
	}
}

// RTUServer serves devices on a line.
type RTUServer struct {
	service *service
	line    io.ReadWriteCloser
	running sync.WaitGroup
	close   sync.Once
}

// ServeRTU serves Modbus RTU on line, which the server closes when it is closed. Closing the line must end a Read that
// blocks on it.
func ServeRTU(c Config, line io.ReadWriteCloser) *RTUServer {
	s := &RTUServer{service: newService(c), line: line}
	s.running.Go(func() { s.service.serve(newRTU(line, s.service.broadcast), line) })
	return s
}

// Stats returns the counters; a line has no connections.
func (s *RTUServer) Stats() Stats { return Stats{Requests: s.service.requests.Load()} }

// Close closes the line and waits until nothing runs any more. It may be called again.
func (s *RTUServer) Close() error {
	var err error
	s.close.Do(func() {
		close(s.service.done)
		err = s.line.Close()
	})
	s.running.Wait()
	return err
}

var _ io.Closer = (*RTUServer)(nil)
