package client

import (
	"fmt"
	"time"

	"github.com/droverhq/drover/guests/modbus/plan"
	"github.com/droverhq/drover/guests/sdk"
)

// readNow reads points by command, from units that are offline too: who asks wants to know.
func (s *session) readNow(cmd *sdk.Command, ids []sdk.PointID) error {
	var order []*unit
	byUnit := map[*unit][]plan.Item{}
	for i, id := range ids {
		p, ok := s.point(id)
		if !ok || !p.def.Readable() {
			cmd.Fail(sdk.Invalid(fmt.Errorf("point %d cannot be read", id)))
			return nil
		}
		if byUnit[p.unit] == nil {
			order = append(order, p.unit)
		}
		byUnit[p.unit] = append(byUnit[p.unit], p.item(i))
	}
	if cmd.Expired() {
		cmd.Fail(sdk.NotSent(sdk.ErrTimeout))
		return nil
	}
	r := answer{session: s, cmd: cmd, ids: ids, samples: make([]sdk.Sample, len(ids))}
	for _, u := range order {
		if err := r.read(u, plan.Blocks(byUnit[u], u.limits, u.cuts)); err != nil {
			return err
		}
		s.report(u)
	}
	cmd.AnswerRead(r.samples)
	return nil
}

// answer is the answer to a read command, as it fills.
type answer struct {
	*session
	cmd *sdk.Command
	ids []sdk.PointID
	// samples are by the index of the items.
	samples []sdk.Sample
}

// read reads blocks of a unit. One that is refused as too large is read point by point.
func (a *answer) read(u *unit, list []plan.Block) error {
	for _, b := range list {
		timeout := left(a.cmd, u)
		if timeout <= 0 {
			a.fail(b, reasonSilent)
			continue
		}
		data, err := a.bus.read(u, &b.Read, timeout)
		what, reason := judge(err)
		switch {
		case what == lost:
			return err
		case what == answered:
			u.circuit.answered()
			a.good(b, data, a.ctx.Now())
		case divisible(err) && len(b.Items) > 1:
			if err := a.read(u, singles(b)); err != nil {
				return err
			}
		default:
			a.fail(b, reason)
		}
	}
	return nil
}

// singles returns a block for each point of a block.
func singles(b plan.Block) []plan.Block {
	list := make([]plan.Block, 0, len(b.Items))
	for i, item := range b.Items {
		one := plan.Block{Read: b.Read, Items: b.Items[i : i+1]}
		one.Start, one.Count = item.Start, uint16(item.Size)
		list = append(list, one)
	}
	return list
}

// good decodes apart, because a poll cycle may be under way whose values are not published yet.
func (a *answer) good(b plan.Block, data []byte, at time.Time) {
	for _, item := range b.Items {
		id := a.ids[item.Index]
		p, _ := a.point(id)
		value, ok := p.codec.DecodeApart(data, int(item.Start-b.Start))
		if !ok {
			a.samples[item.Index] = sdk.Bad(id, codeBadFrame, at)
			continue
		}
		a.samples[item.Index] = sdk.Good(id, value, at)
	}
}

func (a *answer) fail(b plan.Block, reason string) {
	for _, item := range b.Items {
		a.samples[item.Index] = sdk.Bad(a.ids[item.Index], reason, a.ctx.Now())
	}
}
