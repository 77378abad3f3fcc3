package channel

import (
	"context"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/failure"
)

// maxSamples and maxBytes are what one publish may carry (host.wit, data).
const (
	maxSamples = 4096
	maxBytes   = 512 << 10
)

// Publish implements host.Data: samples become readings, those that pass their point's filter one batch a device. A
// batch is taken whole, or not at all while there is no room for it.
func (s *session) Publish(_ context.Context, samples []driver.Sample) component.Result[uint32, driver.PublishError] {
	s.tune()
	bytes := size(samples)
	if err, wrong := s.wrong(samples, bytes); wrong {
		s.strike("publish: " + err.Tag().String())
		return component.Err[uint32](err)
	}
	if !s.admit(samples, bytes) {
		return component.OK[driver.PublishError](uint32(0))
	}
	s.channel.publish(s.edition(), samples, time.Now())
	return component.OK[driver.PublishError](uint32(len(samples)))
}

// wrong says why a batch is refused.
func (s *session) wrong(samples []driver.Sample, bytes int) (driver.PublishError, bool) {
	if s.phase != failure.PhaseRun {
		return driver.PublishErrorWrongPhase(), true
	}
	if len(samples) > maxSamples || bytes > maxBytes {
		return driver.PublishErrorTooLarge(), true
	}
	e := s.edition()
	for i := range samples {
		p := e.point(samples[i].Point)
		if p == nil {
			return driver.PublishErrorUnknownPoint(uint32(i)), true
		}
		if err := p.Check(samples[i]); err != nil {
			return driver.PublishErrorWrongType(uint32(i)), true
		}
	}
	return driver.PublishError{}, false
}

// size is what samples count towards maxBytes: their values and reasons.
func size(samples []driver.Sample) int {
	n := 0
	for i := range samples {
		n += len(samples[i].Reason.Value)
		switch v := samples[i].Value.Value; v.Tag() {
		case driver.ValueTagText:
			n += len(v.Text())
		case driver.ValueTagBytes:
			n += len(v.Bytes())
		case driver.ValueTagBooleans:
			n += len(v.Booleans())
		case driver.ValueTagSigneds:
			n += 8 * len(v.Signeds())
		case driver.ValueTagUnsigneds:
			n += 8 * len(v.Unsigneds())
		case driver.ValueTagFloats:
			n += 8 * len(v.Floats())
		default:
			n += 8
		}
	}
	return n
}

func (c *Channel) publish(e *edition, samples []driver.Sample, now time.Time) {
	var counted qualities
	for i := range samples {
		p := e.points[samples[i].Point]
		if reason := &samples[i].Reason; reason.Some {
			reason.Value = e.code(reason.Value)
		}
		r := p.Convert(samples[i], now)
		counted[r.Quality]++
		if !p.Accept(r, now) {
			continue
		}
		p.device.mu.Lock()
		p.device.add(r)
		p.device.mu.Unlock()
	}
	c.counts.batch(counted, now)
	for _, m := range e.members {
		m.device.mu.Lock()
		m.device.flush(c.config.Sink, e.PointBatches, now)
		m.device.mu.Unlock()
	}
	c.gap.published(now)
}

// DeviceStatus implements host.Data.
func (s *session) DeviceStatus(_ context.Context, id driver.DeviceID, status driver.Status, reason string) {
	if d, ok := s.device(id); ok {
		d.setStatus(s.channel.config.Sink, status, s.forPeople(reason), time.Now())
	}
}

// Gauges implements host.Data.
func (s *session) Gauges(_ context.Context, id driver.DeviceID, figures []component.Tuple2[string, float64]) {
	if d, ok := s.device(id); ok {
		skipped := d.setGauges(s.channel.config.Sink, figures, time.Now())
		s.channel.counts.overruns.Add(skipped)
	}
}

// device returns the device of that id. A driver that makes ids up is refused.
func (s *session) device(id driver.DeviceID) (*device, bool) {
	d := s.edition().device(id)
	if d == nil {
		s.strike("it tells of a device that was not configured")
	}
	return d, d != nil
}
