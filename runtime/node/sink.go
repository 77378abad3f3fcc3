package node

import (
	"log/slog"

	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
)

// sink is the bridge as one channel sees it.
type sink struct {
	channel string
	bridge  *natsbridge.Bridge
	logger  *slog.Logger
}

var _ channel.Sink = (*sink)(nil)

// Data implements channel.Sink.
func (s *sink) Data(b point.Batch) { s.bridge.Data(s.channel, b) }

// State implements channel.Sink.
func (s *sink) State(snapshot supervise.Snapshot) {
	s.logger.Info("state", "state", snapshot.State.String(), "reason", snapshot.Reason, "attempt", snapshot.Attempt)
	s.bridge.State(s.channel, stateOf(snapshot))
}

// Device implements channel.Sink.
func (s *sink) Device(d point.DeviceState) { s.bridge.Device(s.channel, d) }

// Failure implements channel.Sink.
func (s *sink) Failure(r failure.Record) {
	s.logger.Warn("failure", "phase", r.Phase, "kind", r.Kind, "code", r.Code, "summary", r.Summary, "attempt", r.Attempt)
	s.bridge.Event(s.channel, "failure", r)
}

// Handle implements channel.Sink.
func (s *sink) Handle(device string, generation uint64, points []*point.Point) {
	s.bridge.Handle(s.channel, device, generation, points...)
}

// Revoke implements channel.Sink.
func (s *sink) Revoke() { s.bridge.Revoke(s.channel) }

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
