package node

import (
	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/crash"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
)

// sink is where one channel tells what happens: the bridge, the log, and what is kept of crashes.
type sink struct {
	channel string
	bridge  *natsbridge.Bridge
	crashes *crash.Store
	log     failureLog
}

var (
	_ channel.Sink         = (*sink)(nil)
	_ channel.Backpressure = (*sink)(nil)
)

// Room implements channel.Backpressure.
func (s *sink) Room(c chan<- struct{}) bool { return s.bridge.Room(s.channel, c) }

// Data implements channel.Sink.
func (s *sink) Data(b point.Batch) { s.bridge.Data(s.channel, b) }

// State implements channel.Sink.
func (s *sink) State(snapshot supervise.Snapshot) {
	s.log.state(snapshot)
	if snapshot.State == supervise.Connecting { // whatever held it has been cleared
		s.crashes.Lift(s.channel)
	}
	s.bridge.State(s.channel, stateOf(snapshot))
}

// Device implements channel.Sink.
func (s *sink) Device(d point.DeviceState) { s.bridge.Device(s.channel, d) }

// Failure implements channel.Sink.
func (s *sink) Failure(r failure.Record) {
	s.log.failure(r)
	s.bridge.Event(s.channel, "failure", r)
}

// Crashed implements channel.Sink.
func (s *sink) Crashed(c channel.Crash) {
	m := crashOf(c)
	m.Channel, m.Epoch, m.Driver, m.Version = s.channel, s.bridge.Epoch(), c.Driver.Name, c.Driver.Version
	s.crashes.Add(m)
}

// Quarantined implements channel.Sink.
func (s *sink) Quarantined(c supervise.CrashLoop) {
	q := quarantineOf(s.channel, c)
	s.crashes.Quarantine(q)
	s.bridge.Event(s.channel, "quarantine", q)
}

// Backoff implements channel.Sink.
func (s *sink) Backoff(w supervise.Wait) {
	s.bridge.Event(s.channel, "backoff", message.Backoff{
		Attempt: w.Attempt, Reason: w.Reason, Delay: w.Delay.Seconds(), Until: message.Time{Time: w.Until},
	})
}

// Handle implements channel.Sink.
func (s *sink) Handle(device string, generation uint64, points []*point.Point) {
	s.bridge.Handle(s.channel, device, generation, points...)
}

// Revoke implements channel.Sink.
func (s *sink) Revoke() { s.bridge.Revoke(s.channel) }

// Removed implements channel.Sink.
func (s *sink) Removed(device string) { s.bridge.ForgetDevice(s.channel, device) }

// Event implements channel.Sink.
func (s *sink) Event(name string, detail any) { s.bridge.Event(s.channel, name, detail) }

func stateOf(s supervise.Snapshot) message.State {
	out := message.State{
		State: s.State.String(), Number: int(s.State), Reason: s.Reason, Since: message.Time{Time: s.Since},
		Attempt: s.Attempt, Generation: s.Generation, Backoff: s.Backoff.Seconds(),
		NextRetry: message.Time{Time: s.NextRetry}, RetriesLeft: s.RetriesLeft,
	}
	if s.LastFailure != nil {
		f := natsbridge.FailureOf(*s.LastFailure)
		out.LastFailure = &f
	}
	return out
}
