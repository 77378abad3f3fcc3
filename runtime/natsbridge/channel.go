package natsbridge

import (
	"github.com/droverhq/drover/runtime/failure"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
	"github.com/droverhq/drover/runtime/supervise"
)

// Channel is the bridge as one channel sees it: what runtime/channel calls its sink. It has no state of its own.
type Channel struct {
	bridge *Bridge
	name   string
}

// Channel returns the bridge for a channel.
func (b *Bridge) Channel(name string) *Channel { return &Channel{b, name} }

// Data publishes the readings of one device and one cycle.
func (c *Channel) Data(b point.Batch) { c.bridge.Data(c.name, b) }

// State publishes the channel's state.
func (c *Channel) State(s supervise.Snapshot) { c.bridge.State(c.name, StateOf(s)) }

// Device publishes the state of a device.
func (c *Channel) Device(s point.DeviceState) { c.bridge.Device(c.name, s) }

// Failure publishes the event failure.
func (c *Channel) Failure(r failure.Record) { c.bridge.Event(c.name, "failure", r) }

// Handle publishes what a session serves of a device.
func (c *Channel) Handle(device string, generation uint64, points []*point.Point) {
	c.bridge.Handle(c.name, device, generation, points...)
}

// Revoke publishes that nothing is served any more.
func (c *Channel) Revoke() { c.bridge.Revoke(c.name) }

// StateOf is a snapshot as it travels, without its header.
func StateOf(s supervise.Snapshot) message.State {
	m := message.State{
		State: s.State.String(), Number: int(s.State), Reason: s.Reason, Since: message.Time{Time: s.Since},
		Attempt: s.Attempt, Generation: s.Generation, Backoff: s.Backoff.Seconds(),
		NextRetry: message.Time{Time: s.NextRetry}, RetriesLeft: s.RetriesLeft,
	}
	if s.LastFailure != nil {
		f := FailureOf(*s.LastFailure)
		m.LastFailure = &f
	}
	return m
}
