package sdk

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
)

// MaxBacklog is the most samples that a Batch keeps for a host that has no room.
const MaxBacklog = 16384

// Batch collects the samples of one poll cycle, publishes them, and keeps what the host had no room for: in order, at
// most MaxBacklog samples, the oldest cycles dropped first. It is reused from cycle to cycle, without an allocation.
type Batch struct {
	ctx     *Context
	samples []Sample
	backlog [][]Sample // a cycle each, oldest first
	kept    int
	dropped uint64
}

// NewBatch returns an empty batch.
func NewBatch(ctx *Context) *Batch { return &Batch{ctx: ctx} }

// reserve makes room for n samples at once: growing step by step would leave as much behind.
func (b *Batch) reserve(n int) { b.samples = slices.Grow(b.samples, n) }

// Add adds samples.
func (b *Batch) Add(samples ...Sample) { b.samples = append(b.samples, samples...) }

// Good adds a sample that can be trusted. The zero time is now, by the host's clock.
func (b *Batch) Good(point PointID, v Value, at time.Time) {
	s := b.next()
	s.Point, s.Quality, s.Time = point, driver.QualityGood, instant(at)
	s.Value.Value, s.Value.Some = v, true
}

// next adds an empty sample, to be filled in place: a copy of one is a call of the host's memmove.
func (b *Batch) next() *Sample {
	n := len(b.samples)
	if n == cap(b.samples) {
		b.grow()
	}
	b.samples = b.samples[:n+1] // reset has cleared what lies behind the end
	return &b.samples[n]
}

func (b *Batch) grow() { b.samples = slices.Grow(b.samples, max(len(b.samples), 16)) }

// Bad adds the sample of a point that could not be read; see the function Bad.
func (b *Batch) Bad(point PointID, reason string, at time.Time) {
	b.samples = append(b.samples, Bad(point, reason, at))
}

// Failed adds the sample of a point that could not be read because of err; see the function Failed.
func (b *Batch) Failed(point PointID, err error, at time.Time) {
	b.samples = append(b.samples, Failed(point, err, at))
}

// Samples returns what was added since the last Publish. It is valid until then.
func (b *Batch) Samples() []Sample { return b.samples }

// Backlog returns how many samples wait for the host to have room.
func (b *Batch) Backlog() int { return b.kept }

// Dropped returns how many samples were dropped because the backlog was full.
func (b *Batch) Dropped() uint64 { return b.dropped }

// Publish gives the backlog and then the batch to the host and empties the batch. What the host had no room for stays
// in the backlog; call Publish again when Wait answers EventTagWritable. After an error, a *PublishError, the batch is
// empty too.
func (b *Batch) Publish() error {
	defer b.reset()
	if err := b.catchUp(); err != nil {
		return err
	}
	if b.kept > 0 {
		b.keep(b.samples)
		return nil
	}
	taken, err := b.send(b.samples)
	if err == nil {
		b.keep(b.samples[taken:])
	}
	return err
}

// shelve puts the batch behind the backlog without asking the host, which has said that it has no room.
func (b *Batch) shelve() {
	b.keep(b.samples)
	b.reset()
}

func (b *Batch) reset() {
	clear(b.samples)
	b.samples = b.samples[:0]
}

// catchUp publishes the backlog as far as there is room.
func (b *Batch) catchUp() error {
	for len(b.backlog) > 0 {
		cycle := b.backlog[0]
		taken, err := b.send(cycle)
		if err != nil {
			taken = len(cycle)
		}
		b.kept -= taken
		if taken < len(cycle) {
			b.backlog[0] = cycle[taken:]
			return nil
		}
		b.backlog = slices.Delete(b.backlog, 0, 1)
		if err != nil {
			return err
		}
	}
	return nil
}

// send publishes one cycle, in as few calls as the limits allow, and returns how many samples were taken.
func (b *Batch) send(cycle []Sample) (int, error) {
	taken, size := 0, MaxSamples
	for taken < len(cycle) {
		part := cycle[taken:min(len(cycle), taken+size)]
		n, err := b.ctx.Publish(part)
		if e, ok := errors.AsType[*PublishError](err); ok && e.Reason == driver.PublishErrorTagTooLarge && len(part) > 1 {
			size = len(part) / 2
			continue
		}
		if err != nil {
			return taken, err
		}
		taken += n
		if n < len(part) {
			break
		}
	}
	return taken, nil
}

// keep adds a cycle to the backlog, with its own copies of the lists, and drops the oldest cycles above the limit.
func (b *Batch) keep(cycle []Sample) {
	if len(cycle) == 0 {
		return
	}
	cycle = slices.Clone(cycle)
	for i := range cycle {
		cycle[i].Value = component.Option[Value]{Value: cloneValue(cycle[i].Value.Value), Some: cycle[i].Value.Some}
	}
	b.backlog = append(b.backlog, cycle)
	for b.kept += len(cycle); b.kept > MaxBacklog; {
		oldest := len(b.backlog[0])
		b.kept -= oldest
		b.dropped += uint64(oldest)
		b.backlog = slices.Delete(b.backlog, 0, 1)
	}
}

func cloneValue(v Value) Value {
	switch v.Tag() {
	case driver.ValueTagBytes:
		return Bytes(bytes.Clone(v.Bytes()))
	case driver.ValueTagBooleans:
		return Booleans(slices.Clone(v.Booleans()))
	case driver.ValueTagSigneds:
		return Signeds(slices.Clone(v.Signeds()))
	case driver.ValueTagUnsigneds:
		return Unsigneds(slices.Clone(v.Unsigneds()))
	case driver.ValueTagFloats:
		return Floats(slices.Clone(v.Floats()))
	}
	return v
}
