package modbus

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
)

const (
	mbapHeader = 7
	maxPDU     = 253
)

// mbap is Modbus TCP's framing (Messaging on TCP/IP 3.1.3): transaction, protocol 0, length of what follows, unit.
type mbap struct {
	r     *bufio.Reader
	frame [mbapHeader + maxPDU]byte
}

func newMBAP(r io.Reader) *mbap { return &mbap{r: bufio.NewReader(r)} }

// next implements framing. A header that cannot be one is an error: the stream cannot be synchronised again.
func (m *mbap) next() (Request, error) {
	header := m.frame[:mbapHeader]
	if _, err := io.ReadFull(m.r, header); err != nil {
		return Request{}, fmt.Errorf("read MBAP header: %w", err)
	}
	protocol, length := binary.BigEndian.Uint16(header[2:]), int(binary.BigEndian.Uint16(header[4:]))
	if protocol != 0 || length < 2 || length > 1+maxPDU {
		return Request{}, fmt.Errorf("protocol %d with length %d is no MBAP header", protocol, length)
	}
	pdu := m.frame[mbapHeader : mbapHeader+length-1]
	if _, err := io.ReadFull(m.r, pdu); err != nil {
		return Request{}, fmt.Errorf("read PDU: %w", err)
	}
	return Request{
		Transaction: binary.BigEndian.Uint16(header),
		Unit:        header[6],
		Function:    pdu[0],
		Data:        pdu[1:],
	}, nil
}

// wrap implements framing.
func (m *mbap) wrap(request Request, pdu []byte, fault Fault) []byte {
	frame := make([]byte, 0, mbapHeader+len(pdu))
	frame = binary.BigEndian.AppendUint16(frame, request.Transaction+fault.TransactionDelta)
	frame = binary.BigEndian.AppendUint16(frame, 0)
	frame = binary.BigEndian.AppendUint16(frame, uint16(1+len(pdu)))
	frame = append(frame, request.Unit+fault.UnitDelta)
	return append(frame, pdu...)
}

// absent implements framing: exception 0x0b, as a gateway answers (Application Protocol 7).
func (m *mbap) absent(request Request) []byte { return exception(request.Function, ExceptionNoTarget) }
