package client

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/droverhq/drover/guests/modbus/pdu"
	"github.com/droverhq/drover/guests/sdk"
)

// errReadOnly is why a write is refused.
var errReadOnly = errors.New("the point cannot be written")

// writeNow writes points in order, each by a request of its own, to units that are offline too. No write is repeated.
func (s *session) writeNow(cmd *sdk.Command) error {
	var end error
	cmd.ServeWrites(func(id sdk.PointID, v sdk.Value) error {
		p, ok := s.point(id)
		switch {
		case end != nil:
			return sdk.NotSent(ioCause(end))
		case !ok || !p.def.Writable():
			return sdk.Invalid(errReadOnly)
		}
		if err := p.def.Fits(v); err != nil {
			return sdk.Invalid(err)
		}
		var answer error
		answer, end = s.write(cmd, p, v)
		s.report(p.unit)
		return answer
	})
	return end
}

// write writes one point. The second error is that of a stream that was lost, which ends the session.
func (s *session) write(cmd *sdk.Command, p *point, v sdk.Value) (answer, end error) {
	base := make([]byte, 2*p.codec.Size())
	if p.readsFirst() {
		data, err := s.bus.read(p.unit, &pdu.Read{Area: p.area, Start: p.start, Count: uint16(p.codec.Size())},
			left(cmd, p.unit))
		if err != nil {
			return s.unwritten(p.unit, err)
		}
		copy(base, data)
	}
	requests, err := p.requests(base, v)
	if err != nil {
		return sdk.Invalid(fmt.Errorf("point %s: %w", p.def.Name, err)), nil
	}
	for i, request := range requests {
		timeout := left(cmd, p.unit)
		if timeout <= 0 {
			return cut(sdk.NotSent(sdk.ErrTimeout), i, sdk.ErrTimeout), nil
		}
		if _, err := s.bus.ask(p.unit, request, timeout); err != nil {
			answer, end = s.failed(p.unit, err)
			return cut(answer, i, err), end
		}
	}
	p.unit.circuit.answered()
	return nil, nil
}

// unwritten is the answer where what had to be read first could not be.
func (s *session) unwritten(u *unit, err error) (answer, end error) {
	answer, end = s.failed(u, err)
	if what, _ := judge(err); what != refused {
		answer = sdk.NotSent(ioCause(err))
	}
	return answer, end
}

// failed notes a request of a command that was not granted. A unit that is polled is judged by its polls.
func (s *session) failed(u *unit, err error) (answer, end error) {
	switch what, _ := judge(err); {
	case what == refused:
		u.circuit.answered()
	case what == lost:
		return outcome(err), err
	case len(u.parts) == 0:
		u.circuit.failed(s.ctx.Now())
		u.health.trouble = err
	}
	return outcome(err), nil
}

// cut is the answer where the first n requests for a point were granted, and the next one not.
func cut(answer error, n int, err error) error {
	if n == 0 {
		return answer
	}
	if what, reason := judge(err); what == refused {
		return sdk.Refused(reason, fmt.Errorf("%w, after %d registers or coils were written", err, n))
	}
	return sdk.Unknown(ioCause(err))
}

// readsFirst says whether a write has to know what its registers hold.
func (p *point) readsFirst() bool { return p.codec.Partial() && !p.unit.maskWrite }

// requests returns what writes v into a point whose registers hold base.
func (p *point) requests(base []byte, v sdk.Value) ([]pdu.Request, error) {
	if p.area.Bits() {
		return p.coils(p.codec.Coils(v)), nil
	}
	if p.codec.Partial() && p.unit.maskWrite {
		return p.masks(base, v)
	}
	if err := p.codec.Encode(base, v); err != nil {
		return nil, err
	}
	if !p.unit.registerWrites.single(p.codec.Size()) {
		return []pdu.Request{pdu.WriteRegisters(p.start, base)}, nil
	}
	var list []pdu.Request
	for i := 0; i < len(base); i += 2 {
		list = append(list, pdu.WriteRegister(p.start+uint16(i/2), binary.BigEndian.Uint16(base[i:])))
	}
	return list, nil
}

func (p *point) coils(data []byte) []pdu.Request {
	n := p.codec.Size()
	if !p.unit.coilWrites.single(n) {
		return []pdu.Request{pdu.WriteCoils(p.start, uint16(n), data)}
	}
	var list []pdu.Request
	for i := range n {
		list = append(list, pdu.WriteCoil(p.start+uint16(i), data[i/8]>>(i%8)&1 != 0))
	}
	return list
}

// masks returns a masked write for each register: what differs between the registers that were all zeros and those that
// were all ones is not the point's, and kept.
func (p *point) masks(zeros []byte, v sdk.Value) ([]pdu.Request, error) {
	ones := make([]byte, len(zeros))
	for i := range ones {
		ones[i] = 0xFF
	}
	if err := errors.Join(p.codec.Encode(zeros, v), p.codec.Encode(ones, v)); err != nil {
		return nil, err
	}
	var list []pdu.Request
	for i := 0; i < len(zeros); i += 2 {
		or, kept := binary.BigEndian.Uint16(zeros[i:]), binary.BigEndian.Uint16(ones[i:])
		list = append(list, pdu.MaskWrite(p.start+uint16(i/2), kept&^or, or))
	}
	return list, nil
}

// checkWrites says why a point that is to be written cannot be.
func (p *point) checkWrites() error {
	most := pdu.MaxWriteRegisters
	if p.area.Bits() {
		most = pdu.MaxWriteBits
	}
	switch size := p.codec.Size(); {
	case p.area != pdu.Coil && p.area != pdu.Holding:
		return fmt.Errorf("area %s cannot be written, expected access: r", p.area)
	case size > most:
		return fmt.Errorf("it takes %d and one request may write %d", size, most)
	case p.unit.broadcast && p.readsFirst():
		return errors.New("a part of a register is read before it is written, and unit 0 does not answer: " +
			"expected mask_write, or a point of whole registers")
	}
	return nil
}
