package link

import (
	"errors"
	"fmt"
	"time"

	"github.com/droverhq/drover/guests/modbus/mbap"
	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/sdk"
)

// TCP is Modbus TCP. Replies to earlier transactions, which came too late, are dropped by their ids.
type TCP struct {
	counts
	stream      Stream
	now         func() time.Time
	transaction uint16
	sent        []byte
	// received has what came and is not yet taken: buffer[from:to].
	buffer   [4 * mbap.MaxSize]byte
	from, to int
}

var _ Link = (*TCP)(nil)

// NewTCP returns a link whose first transaction has the number behind last. now is the clock of the stream's deadlines.
func NewTCP(stream Stream, now func() time.Time, last uint16) *TCP {
	return &TCP{stream: stream, now: now, transaction: last}
}

// Transaction returns the id of the last transaction.
func (l *TCP) Transaction() uint16 { return l.transaction }

// Exchange implements Link.
func (l *TCP) Exchange(unit uint8, request pdu.Request, timeout time.Duration) ([]byte, error) {
	l.transaction++
	l.sent = mbap.AppendRequest(l.sent[:0], l.transaction, unit, request)
	deadline := l.now().Add(timeout)
	if err := l.send(deadline); err != nil {
		return nil, err
	}
	for {
		frame, err := l.receive()
		if errors.Is(err, sdk.ErrTimeout) {
			return nil, Silent
		}
		if err != nil {
			return nil, err
		}
		if frame.Transaction == l.transaction {
			return response(frame, unit)
		}
	}
}

// response returns a frame's response. A frame of the right transaction and another unit is the only answer that will
// come, and a wrong one.
func response(frame mbap.Frame, unit uint8) ([]byte, error) {
	if frame.Unit != unit {
		return nil, BadFrame
	}
	return frame.Response, nil
}

func (l *TCP) send(deadline time.Time) error {
	if err := l.stream.SetReadDeadline(deadline); err != nil {
		return unsent{fmt.Errorf("send request: %w", err)}
	}
	if err := l.stream.SetWriteDeadline(deadline); err != nil {
		return unsent{fmt.Errorf("send request: %w", err)}
	}
	n, err := l.stream.Write(l.sent)
	if l.counts.sent += uint64(n); err != nil {
		return fmt.Errorf("send request: %w", err)
	}
	return nil
}

// receive returns the next frame. What it returns stays in the buffer until the next call.
func (l *TCP) receive() (mbap.Frame, error) {
	for {
		frame, n, err := mbap.Next(l.buffer[l.from:l.to])
		if err != nil {
			return mbap.Frame{}, err
		}
		if n > 0 {
			l.from += n
			return frame, nil
		}
		if err := l.fill(); err != nil {
			return mbap.Frame{}, fmt.Errorf("receive response: %w", err)
		}
	}
}

// fill reads more behind what is not yet taken, which is less than one frame.
func (l *TCP) fill() error {
	l.to = copy(l.buffer[:], l.buffer[l.from:l.to])
	l.from = 0
	n, err := l.stream.Read(l.buffer[l.to:])
	l.to += n
	l.counts.received += uint64(n)
	return err
}
