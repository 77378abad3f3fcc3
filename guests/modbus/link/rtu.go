package link

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/modbus/rtu"
	"github.com/droverhq/drover/guests/sdk"
)

// writeTimeout is how long a line may take to accept a request.
const writeTimeout = 2 * time.Second

// babble is how long a line may take to fall silent.
const babble = time.Second

// Line is what RTU has to know of a line.
type Line struct {
	// Baud is the rate; 0 where the frames go through a connection.
	Baud uint32
	// Silence is the pause between frames. 0 takes that of the specification for the rate, or none for a connection.
	Silence time.Duration
	// Streamed says that the frames go through a connection, where silence means nothing.
	Streamed bool
	// Turnaround is how long the units have to take in a broadcast before the next request.
	Turnaround time.Duration
}

// habit says whether a line gives back what is sent on it.
type habit uint8

const (
	echoUnknown habit = iota
	echoNone
	echoes
)

// RTU is Modbus on a serial line.
type RTU struct {
	counts
	stream Stream
	now    func() time.Time
	line   Line
	sent   []byte
	// received has all that came since the request: the first n bytes.
	received [4 * rtu.MaxSize]byte
	n        int
	// last is when the line was last known to be in use; dirty says that it has to be heard silent before it is used.
	last  time.Time
	dirty bool
	// habit is what the last answer told.
	habit habit
}

var _ Link = (*RTU)(nil)

// NewRTU returns a link over a line. now is the clock of the stream's deadlines.
func NewRTU(stream Stream, now func() time.Time, line Line) *RTU {
	if line.Silence == 0 && !line.Streamed {
		line.Silence = rtu.Silence(line.Baud)
	}
	return &RTU{stream: stream, now: now, line: line, last: now(), dirty: !line.Streamed}
}

// Exchange implements Link.
func (l *RTU) Exchange(unit uint8, request pdu.Request, timeout time.Duration) ([]byte, error) {
	if err := l.learn(unit, request, timeout); err != nil {
		return nil, unsent{err}
	}
	l.sent = rtu.AppendRequest(l.sent[:0], unit, request)
	if err := l.settle(); err != nil {
		return nil, unsent{err}
	}
	if err := l.send(); err != nil {
		return nil, err
	}
	if unit == rtu.Broadcast {
		l.last, l.dirty = l.now().Add(l.lineTime(request)+l.line.Turnaround), false
		return nil, nil
	}
	response, err := l.receive(unit, request, l.now().Add(timeout+l.lineTime(request)))
	l.last, l.dirty = l.now(), err != nil
	if _, mirrored := request.Mirrored(); err == nil && !mirrored {
		l.heard()
	}
	return response, err
}

// learn finds out whether the line has echoes before a request whose answer could be taken for one.
func (l *RTU) learn(unit uint8, request pdu.Request, timeout time.Duration) error {
	probe, mirrored := request.Mirrored()
	if !mirrored || l.habit != echoUnknown || unit == rtu.Broadcast {
		return nil
	}
	if _, err := l.Exchange(unit, probe, timeout); err != nil {
		return fmt.Errorf("%v, to learn whether the line has echoes: %w", probe, err)
	}
	return nil
}

// heard notes whether the echo of the request came before its answer.
func (l *RTU) heard() {
	l.habit = echoNone
	if bytes.Contains(l.received[:l.n], l.sent) {
		l.habit = echoes
	}
}

// lineTime is how long the request and its response are on the line.
func (l *RTU) lineTime(request pdu.Request) time.Duration {
	if l.line.Baud == 0 {
		return 0
	}
	return rtu.LineTime(l.line.Baud, len(l.sent)+request.MaxResponse()+rtu.Overhead)
}

// settle waits until the line was silent for as long as it must be before a request, and drops what came meanwhile.
func (l *RTU) settle() error {
	wait := l.line.Silence - l.now().Sub(l.last)
	if l.dirty {
		wait = l.line.Silence
	}
	if wait <= 0 {
		return l.flush()
	}
	for end := l.now().Add(wait + babble); l.now().Before(end); wait = l.line.Silence {
		err := l.hear(max(wait, l.line.Silence-l.now().Sub(l.last)))
		if errors.Is(err, sdk.ErrTimeout) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("wait for silence: %w", err)
		}
	}
	l.last, l.dirty = l.now(), true
	return BadFrame
}

// hear reads and drops what comes first within wait.
func (l *RTU) hear(wait time.Duration) error {
	l.n = 0
	n, err := l.readSome(l.received[:], wait)
	l.counts.received += uint64(n)
	return err
}

func (l *RTU) flush() error {
	l.n = 0
	if err := l.stream.Flush(); err != nil {
		return fmt.Errorf("flush before request: %w", err)
	}
	return nil
}

func (l *RTU) send() error {
	if err := l.stream.SetWriteDeadline(l.now().Add(writeTimeout)); err != nil {
		return fmt.Errorf("send request: %w", err)
	}
	n, err := l.stream.Write(l.sent)
	if l.counts.sent += uint64(n); err != nil {
		return fmt.Errorf("send request: %w", err)
	}
	return nil
}

// receive reads until the reply is there, or until the deadline. A reply with a wrong check ends it as soon as the line
// is silent, because no other will come.
func (l *RTU) receive(unit uint8, request pdu.Request, deadline time.Time) ([]byte, error) {
	for {
		scan := rtu.Find(l.received[:l.n], unit, request, l.sent, l.habit == echoes)
		if scan.Response != nil {
			return scan.Response, nil
		}
		if l.n+scan.Need > len(l.received) {
			return nil, BadFrame
		}
		wait := deadline.Sub(l.now())
		if scan.Corrupt && !scan.Partial {
			wait = min(wait, l.gap())
		}
		err := error(sdk.ErrTimeout)
		if wait > 0 {
			err = l.read(wait, l.gap(), scan.Need)
		}
		switch {
		case errors.Is(err, sdk.ErrTimeout):
			return nil, l.fault(scan)
		case err != nil:
			return nil, fmt.Errorf("receive response: %w", err)
		}
	}
}

// fault says what came in place of the reply.
func (l *RTU) fault(scan rtu.Scan) Fault {
	switch {
	case scan.Corrupt:
		return BadCRC
	case l.n == 0 || l.n == len(l.sent) && string(l.received[:l.n]) == string(l.sent):
		return Silent
	}
	return BadFrame
}

// gap is the silence that ends a frame of unknown length.
func (l *RTU) gap() time.Duration { return max(l.line.Silence, rtu.Silence(l.line.Baud)) }

// read adds what comes within wait to what was received: need bytes, or fewer where the line falls silent for gap.
func (l *RTU) read(wait, gap time.Duration, need int) error {
	free := l.received[l.n:]
	var n int
	var err error
	if l.line.Streamed {
		n, err = l.readSome(free, wait)
	} else {
		n, err = l.stream.ReadFrame(free, wait, gap, need)
	}
	l.n += n
	l.counts.received += uint64(n)
	return err
}

// readSome reads what comes first within wait.
func (l *RTU) readSome(p []byte, wait time.Duration) (int, error) {
	if err := l.stream.SetReadDeadline(l.now().Add(wait)); err != nil {
		return 0, err
	}
	return l.stream.Read(p)
}
