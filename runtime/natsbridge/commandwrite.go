package natsbridge

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
)

// writing is a write on its way: what goes to each point, in order.
type writing struct {
	// one: to one point, by its name.
	one    bool
	writes []write
	sent   bool // something was, or may have been
}

type write struct {
	point CommandPoint
	name  string
	text  json.RawMessage // as it was sent
	value driver.Value
	// old and new are as subscribers see them; nil where there is none.
	old, new json.RawMessage
	err      *message.Error
}

// planWrite reads the body and holds every value to its point. One that does not fit refuses the whole: nothing of it is
// sent then.
func planWrite(j *job) (plan, error) {
	_, points, ok := j.served.Device(j.device)
	if !ok {
		return nil, j.noDevice()
	}
	w := &writing{one: j.name != ""}
	if err := w.read(j); err != nil {
		return nil, err
	}
	byName := make(map[string]CommandPoint, len(points))
	for _, p := range points {
		byName[p.Name()] = p
	}
	var first error
	for i := range w.writes {
		if err := w.writes[i].check(j, byName); err != nil && first == nil {
			first = err
		}
	}
	return w, first
}

// read reads the body: one value, or an object of them.
func (w *writing) read(j *job) error {
	if !json.Valid(j.body) {
		return message.ErrBody.With("the body is not JSON")
	}
	if w.one {
		w.writes = []write{{name: j.name, text: j.body}}
		return nil
	}
	members, err := membersOf(j.body)
	if err != nil {
		return message.ErrBody.With(err.Error())
	}
	for _, m := range members {
		w.writes = append(w.writes, write{name: m.name, text: m.value})
	}
	return nil
}

// check finds the point and makes its value.
func (w *write) check(j *job, points map[string]CommandPoint) error {
	p, ok := points[w.name]
	if !ok {
		return w.refuse(j.noPoint(w.name))
	}
	w.point = p
	if last, known := p.Last(); known && !last.Known.None() {
		w.old = last.Known.AppendJSON(nil)
	}
	if !p.Writable() {
		return w.refuse(message.ErrReadOnly.With(fmt.Sprintf("point %s.%s is read-only", j.device, w.name)))
	}
	value, err := p.Parse(w.text)
	switch {
	case errors.Is(err, point.ErrOutOfRange):
		return w.refuse(message.ErrRange.With(fmt.Sprintf("point %s.%s: %v", j.device, w.name, err)))
	case err != nil:
		return w.refuse(message.ErrType.With(fmt.Sprintf("point %s.%s: %v", j.device, w.name, err)))
	}
	w.value = value
	w.new = p.Scaled(value).AppendJSON(nil)
	return nil
}

func (w *write) refuse(e *message.Error) error {
	w.err = e
	return e
}

func (w *writing) request(*job) driver.Request {
	requests := make([]driver.WriteRequest, len(w.writes))
	for i, one := range w.writes {
		requests[i] = driver.WriteRequest{Point: one.point.ID, Value: one.value}
	}
	return driver.RequestWrite(requests)
}

// finish makes the answer: a result each. Its error is the first of theirs.
func (w *writing) finish(j *job, a driver.Response) (any, error) {
	if a.Tag() != driver.ResponseTagWrite || len(a.Write()) != len(w.writes) {
		return nil, message.ErrUnknown.With("sent, and the driver's answer does not fit")
	}
	var first error
	all := message.WritesAnswer{Header: j.calls.bridge.header(), Points: make(map[string]message.Written, len(w.writes))}
	for i, result := range a.Write() {
		one := &w.writes[i]
		if result.Failed {
			one.err = deviceError(result.Err, j.verb)
			all.Points[one.name] = message.Written{Error: one.err}
			if first == nil {
				first = one.err
			}
			w.sent = w.sent || mayBeSent(one.err)
			continue
		}
		w.sent = true
		all.Points[one.name] = message.Written{V: one.new, Read: one.readBack(j)}
	}
	if !w.one {
		return all, first
	}
	if first != nil {
		return nil, first
	}
	return message.WriteAnswer{Header: all.Header, Written: all.Points[j.name]}, nil
}

// readBack is what the driver published of the point since it took the write; nil for nothing.
func (w *write) readBack(j *job) *message.Reading {
	last, known := w.point.Last()
	if !known || !last.Time.After(j.taken) {
		return nil
	}
	r := readingOf(last.Reading)
	r.Epoch = j.calls.bridge.config.Epoch
	return &r
}

// ended tells the event.
func (w *writing) ended(j *job, _ any, err *message.Error) {
	e := message.WriteEvent{
		Device: j.device, Caller: j.caller, Key: j.key, Status: message.StatusDone, Error: err,
		Duration: time.Since(j.arrived).Seconds(), Points: make(map[string]message.PointChange, len(w.writes)),
	}
	if err != nil {
		e.Status = err.Status
	}
	for _, one := range w.writes {
		change := message.PointChange{Old: one.old, New: one.new, Error: one.err}
		if change.New == nil {
			change.New = one.text
		}
		e.Points[one.name] = change
	}
	j.calls.bridge.Event(j.channel, "write", e)
}
