package natsbridge

import (
	"fmt"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
)

// reading is a read on its way.
type reading struct {
	points []CommandPoint
	// one: of one point, by its name.
	one bool
}

// planRead finds the points: the one that is named, or all of the device that can be read.
func planRead(j *job) (plan, error) {
	_, points, ok := j.served.Device(j.device)
	if !ok {
		return nil, j.noDevice()
	}
	r := &reading{one: j.name != ""}
	for _, p := range points {
		if r.one && p.Name() == j.name || !r.one && p.Readable() {
			r.points = append(r.points, p)
		}
	}
	switch {
	case r.one && len(r.points) == 0:
		return nil, j.noPoint(j.name)
	case r.one && !r.points[0].Readable():
		return nil, message.ErrWriteOnly.With(fmt.Sprintf("point %s.%s is write-only", j.device, j.name))
	case len(r.points) == 0:
		return nil, message.ErrWriteOnly.With(fmt.Sprintf("device %q has no point that can be read", j.device))
	}
	return r, nil
}

func (r *reading) request(*job) driver.Request {
	ids := make([]driver.PointID, len(r.points))
	for i, p := range r.points {
		ids[i] = p.ID
	}
	return driver.RequestRead(ids)
}

func (r *reading) finish(j *job, a driver.Response) (any, error) {
	if a.Tag() != driver.ResponseTagRead || len(a.Read()) != len(r.points) {
		return nil, message.ErrAnswer
	}
	now := time.Now()
	all := message.Readings{Header: j.calls.bridge.header(), Points: make(map[string]message.Point, len(r.points))}
	all.TS.Time = now
	for i, s := range a.Read() {
		p := r.points[i]
		if s.Point != p.ID {
			return nil, message.ErrAnswer
		}
		if err := p.Check(s); err != nil {
			return nil, message.ErrAnswer.With(fmt.Sprintf("%s: point %s: %v", message.ErrAnswer.Message, p.Name(), err))
		}
		got := readingOf(p.Convert(s, now))
		if r.one {
			got.Epoch = j.calls.bridge.config.Epoch
			return got, nil
		}
		shown := message.Point{V: got.V, Q: got.Q, Code: got.Code}
		if !got.TS.Equal(now) {
			shown.TS = got.TS
		}
		all.Points[p.Name()] = shown
	}
	return all, nil
}

func (*reading) ended(*job, any, *message.Error) {}

// readingOf is a reading as it travels. Its epoch is filled in by who knows it.
func readingOf(r point.Reading) message.Reading {
	out := message.Reading{TS: message.Time{Time: r.Time}, Code: r.Code}
	if r.Quality != driver.QualityGood {
		out.Q = r.Quality.String()
	}
	if !r.Value.None() {
		out.V = r.Value.AppendJSON(nil)
	}
	return out
}
