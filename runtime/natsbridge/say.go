package natsbridge

import (
	"encoding/json"
	"maps"
	"time"

	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
)

// The methods in here are for channels: any goroutine may call them, none blocks, and nothing given is kept. A name
// that can be no part of a subject, or a payload that cannot be JSON, is refused, counted and logged.

// Data publishes what a device gave in one cycle, in one message or as many as needed. False: it was not taken, in part
// or whole; Stats counts it.
func (b *Bridge) Data(channel string, batch point.Batch) bool {
	subject, err := b.routes.data(channel, batch.Device, batch.Point)
	if err != nil {
		return b.refuse(err)
	}
	e := b.encoders.get()
	defer b.encoders.put(e)
	e.encode(&batch)
	to, clock := b.streamed.of(channel), b.clock.word()
	if to != nil {
		b.streamed.adding.RLock()
		defer b.streamed.adding.RUnlock()
		to = b.streamed.of(channel) // it may have left meanwhile
	}
	taken := true
	for i := range e.parts() {
		points := e.part(i)
		body := b.buffers.get(headerBytes + len(points))
		body.b = appendData(body.b, b.config.Epoch, clock, &batch, i+1, e.parts(), points)
		message := entry{subject: subject, body: body, owner: channel}
		if to == nil {
			taken = b.ring.add(classData, message) && taken
			continue
		}
		message.id = b.dataID(channel, &batch, i+1, e.parts())
		taken = b.data.add(message) && taken
	}
	if to != nil {
		b.tellDelivery(channel, to)
	}
	return taken
}

// State publishes the state of a channel and keeps it for get.state. The header is filled in.
func (b *Bridge) State(channel string, s message.State) {
	s.Header = b.header()
	if b.say(classControl, routeKey{message.KindState, channel, ""}, s) {
		b.memory.state(channel, s)
		b.keeper.mark(routeKey{message.KindState, channel, ""})
	}
}

// Device publishes the state of a device and keeps it for get.state. Gauges that are no finite numbers are left out.
func (b *Bridge) Device(channel string, s point.DeviceState) {
	m := message.Device{
		Header: b.header(), Status: s.Status.String(), Reason: s.Reason, Since: message.Time{Time: s.Since},
		Gauges: Finite(s.Gauges),
	}
	if b.say(classControl, routeKey{message.KindDevice, channel, s.Device}, m) {
		b.memory.device(channel, s.Device, m)
		b.keeper.mark(routeKey{message.KindDevice, channel, s.Device})
	}
}

// Event publishes that something happened. The detail is anything that prints as JSON; a failure.Record prints as
// message.Failure.
func (b *Bridge) Event(channel, name string, detail any) {
	if r, ok := detail.(failure.Record); ok {
		detail = FailureOf(r)
	}
	raw, err := json.Marshal(detail)
	if err != nil {
		b.refuse(err)
		return
	}
	e, ok := b.entry(routeKey{message.KindEvent, channel, name}, message.Event{Header: b.header(), Detail: raw})
	if ok {
		e.id = b.eventID(channel)
		b.events.add(e)
	}
}

// Log publishes a line of the channel's log, of the time in it if there is one. Lines are dropped as data is.
func (b *Bridge) Log(channel string, l message.Log) {
	at := l.TS
	if l.Header = b.header(); !at.IsZero() {
		l.TS = at
	}
	b.say(classData, routeKey{message.KindLog, channel, ""}, l)
}

// Handle publishes what a session serves of a device, and keeps it for get.state; get.last answers from its points.
func (b *Bridge) Handle(channel, device string, generation uint64, points ...*point.Point) {
	m := message.Handle{Header: b.header(), Generation: generation, Points: describe(points)}
	if b.say(classControl, routeKey{message.KindHandle, channel, device}, m) {
		b.memory.handle(channel, device, m, points)
		b.keeper.mark(routeKey{message.KindHandle, channel, device})
	}
}

// Revoke publishes that a channel's handle is not served any more. get.last keeps what is known of its points.
func (b *Bridge) Revoke(channel string) {
	for device, m := range b.memory.revoke(channel, b.header()) {
		key := routeKey{message.KindHandle, channel, device}
		b.say(classControl, key, m)
		b.keeper.mark(key)
	}
}

// Forget drops all that is kept of a channel that is there no more, and is closed: nothing is said of it any more. What
// it has said is still sent.
func (b *Bridge) Forget(channel string) {
	b.Deliver(channel, false)
	b.keeper.mark(b.memory.forget(channel)...)
	b.routes.forget(channel)
}

// ForgetDevice drops all that is kept of a device that its channel has no more, and tells that nothing serves it.
func (b *Bridge) ForgetDevice(channel, device string) {
	none := message.Handle{Header: b.header(), Revoked: true, Points: map[string]message.Descriptor{}}
	b.say(classControl, routeKey{message.KindHandle, channel, device}, none)
	b.keeper.mark(b.memory.forgetDevice(channel, device)...)
	b.routes.forgetDevice(channel, device)
}

// say encodes m and adds it to the ring.
func (b *Bridge) say(c class, k routeKey, m any) bool {
	e, ok := b.entry(k, m)
	if ok {
		b.ring.add(c, e)
	}
	return ok
}

// entry encodes m.
func (b *Bridge) entry(k routeKey, m any) (entry, bool) {
	subject, err := b.routes.subject(k)
	if err != nil {
		return entry{}, b.refuse(err)
	}
	raw, err := json.Marshal(m)
	if err != nil {
		return entry{}, b.refuse(err)
	}
	body := b.buffers.get(len(raw))
	body.b = append(body.b, raw...)
	return entry{subject: subject, body: body, owner: k.channel}, true
}

func (b *Bridge) refuse(err error) bool {
	b.refused.Add(1)
	b.config.Logger.Warn("message refused", "error", err)
	return false
}

func (b *Bridge) header() message.Header {
	return message.Header{TS: message.Time{Time: time.Now()}, Epoch: b.config.Epoch, Clock: b.clock.word()}
}

// FailureOf is a failure's record as it travels.
func FailureOf(r failure.Record) message.Failure {
	return message.Failure{
		Phase: string(r.Phase), Kind: string(r.Kind), Code: string(r.Code), Summary: r.Summary,
		Attempt: r.Attempt, Generation: r.Generation, Digest: r.Digest,
		Time: message.Time{Time: r.Time}, NextRetry: message.Time{Time: r.NextRetry},
	}
}

// Finite returns a copy of the gauges without those that JSON cannot carry.
func Finite(gauges map[string]float64) map[string]float64 {
	gauges = maps.Clone(gauges)
	maps.DeleteFunc(gauges, func(_ string, f float64) bool { return f-f != 0 })
	return gauges
}
