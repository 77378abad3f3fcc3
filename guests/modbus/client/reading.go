package client

import (
	"fmt"
	"slices"
	"time"

	"github.com/droverhq/drover/guests/modbus/plan"
	"github.com/droverhq/drover/guests/sdk"
)

// wholeAgain is for how long a block stays whole after all its pieces were refused as well.
const wholeAgain = time.Minute

// patience is after how many requests in a row without an answer a unit is asked no more in a cycle. One may be a block
// that the unit has trouble with: the next tells. A unit that is offline is asked once.
const patience = 2

// reading is one reading of a part.
type reading struct {
	*session
	part *part
	out  *sdk.Batch
	// at is the time of the samples: when the reading began.
	at time.Time
	// asks says that the unit is asked at all: its circuit lets.
	asks bool
	// good counts the blocks that were read, unanswered the requests in a row without an answer.
	good, unanswered int
}

// span reads the blocks at the places from first up to end.
func (r *reading) span(first, end int) error {
	for i := first; i < end; {
		n, err := r.block(i)
		if err != nil {
			return err
		}
		i, end = i+n, end+n-1
	}
	return nil
}

// block reads the block at place i and returns how many blocks there are in its place now.
func (r *reading) block(i int) (int, error) {
	u, b := r.part.unit, &r.part.blocks[i]
	if !r.asks || u.gaveUp == r.cycle {
		r.fail(b, u.health.reason)
		return 1, nil
	}
	if err := r.serveCommands(); err != nil {
		return 0, err
	}
	data, err := r.bus.read(u, &b.Read, u.timeout)
	what, reason := judge(err)
	if what == answered || what == refused {
		r.unanswered = 0
	}
	switch what {
	case answered:
		u.circuit.answered()
		r.good++
		r.decode(b, data)
		return 1, nil
	case lost:
		return 0, err
	case refused:
		u.circuit.answered()
		if divisible(err) && !r.at.Before(b.keep) {
			if cuts := plan.Split(b.Block); cuts != nil {
				return r.divide(i, cuts)
			}
		}
	case spoiled:
		u.circuit.failed(r.ctx.Now())
	case unreachable:
		u.circuit.failed(r.ctx.Now())
		u.gaveUp = r.cycle
	default:
		u.circuit.failed(r.ctx.Now())
		if r.unanswered++; r.unanswered >= patience || u.circuit.open() {
			u.gaveUp = r.cycle
		}
	}
	r.trouble(b, err, reason)
	r.fail(b, reason)
	return 1, nil
}

// divide reads a block that the unit refused in pieces, and keeps the pieces where at least one could be read.
func (r *reading) divide(i int, cuts plan.Cuts) (int, error) {
	p, u := r.part, r.part.unit
	whole, before, good, bad := p.blocks[i], u.cuts, r.good, r.part.bad
	u.cuts = slices.Clone(u.cuts)
	for _, cut := range cuts {
		u.cuts = u.cuts.Add(cut)
	}
	pieces := blocks(plan.Blocks(whole.Items, u.limits, u.cuts))
	p.blocks = slices.Replace(p.blocks, i, i+1, pieces...)
	n := len(pieces)
	for k := 0; k < n; {
		m, err := r.block(i + k)
		if err != nil {
			return 0, err
		}
		n += m - 1
		k += m
	}
	if r.good > good {
		r.learned = true
		return n, nil
	}
	whole.keep = r.at.Add(wholeAgain)
	p.blocks = slices.Replace(p.blocks, i, i+n, whole)
	u.cuts, p.bad = before, bad+1
	return 1, nil
}

// decode adds a good sample for each point of a block.
func (r *reading) decode(b *block, data []byte) {
	for _, item := range b.Items {
		pt := &r.points[item.Index]
		value, ok := pt.codec.Decode(data, int(item.Start-b.Start))
		if !ok { // the data are as long as the block, and the block as long as its points
			r.out.Bad(pt.id, codeBadFrame, r.at)
			continue
		}
		r.out.Good(pt.id, value, r.at)
	}
}

// fail adds a bad sample for each point of a block.
func (r *reading) fail(b *block, reason string) {
	r.part.bad++
	for _, item := range b.Items {
		r.out.Bad(r.points[item.Index].id, reason, r.at)
	}
}

// trouble remembers what was wrong, for the state of the device. What is wrong again and again is told once.
func (r *reading) trouble(b *block, err error, reason string) {
	h := &r.part.unit.health
	if h.reason == reason && h.trouble != nil {
		return
	}
	h.trouble, h.reason = fmt.Errorf("%v: %w", b.Read, err), reason
}
