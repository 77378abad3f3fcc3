// Package sdktest is a fake host for tests of drivers: scripted lines, a clock of its own, and a record of everything
// that the driver did.
//
// Time stands still while the driver computes and jumps while it waits, so that a test of an hour takes microseconds
// and gives the same result each time. Everything happens on the test's own goroutine:
//
//	host := sdktest.New(t)
//	host.Connect("main", driver.ConnectionKindTCP, device)
//	host.At(10*time.Second, host.Stop)
//	outcome, err := host.Run(boiler.Driver{}, config)
//
// A driver that waits with nothing scripted to end it fails the test.
package sdktest

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/guests/sdk"
)

// Host is a fake host. Its exported fields may be changed at any time.
type Host struct {
	// Session is what the phases are told: the first attempt, unless changed.
	Session driver.Session
	// Room is how many more samples publish takes; negative: any number. After a change, call RoomAgain.
	Room int

	tb       testing.TB
	now      time.Time
	start    time.Time
	timeline []scheduled
	lines    []*Line
	streams  map[sdk.StreamHandle]*Line
	sockets  []*Socket
	doors    []*Door
	handles  sdk.StreamHandle
	random   *rand.Rand
	config   *sdk.Config
	phase    string

	stopping, yielding, yieldSpent, writable bool
	cancels                                  []uint64
	commands                                 []queued
	ids                                      uint64

	record
}

type queued struct {
	command  driver.Command
	deadline time.Time
}

var _ sdk.Host = (*Host)(nil)

// New returns a host where nothing is connected. Misuse by the driver is an error of tb: text that is not UTF-8, a
// stream used after it was closed, a second answer to a command.
func New(tb testing.TB) *Host {
	start := time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)
	return &Host{
		Session: driver.Session{Attempt: 1, Generation: 1},
		Room:    -1,
		tb:      tb, now: start, start: start,
		streams: map[sdk.StreamHandle]*Line{},
		random:  rand.New(rand.NewPCG(1, 2)),
		record:  newRecord(),
	}
}

// Context returns a session's context for tests of a driver's parts. The phase is run.
func (h *Host) Context(config sdk.Config) *sdk.Context {
	h.config, h.phase = &config, "run"
	return sdk.NewContext(h, &config, h.Session)
}

// Stop asks the session to stop, as the host does it: every blocking call ends, now and later.
func (h *Host) Stop() { h.stopping = true }

// Yield asks the session to yield.
func (h *Host) Yield() { h.yielding, h.yieldSpent = true, false }

// RoomAgain gives the driver the event writable.
func (h *Host) RoomAgain() { h.writable = true }

// Command asks the driver for something, with the time that the caller waits, and returns the command's id.
func (h *Host) Command(request driver.Request, timeout time.Duration) uint64 {
	h.ids++
	h.commands = append(h.commands, queued{driver.Command{ID: h.ids, Request: request}, h.now.Add(timeout)})
	return h.ids
}

// Cancel tells the driver that the caller of a command does not want it any more.
func (h *Host) Cancel(id uint64) { h.cancels = append(h.cancels, id) }

// Wait implements sdk.Host.
func (h *Host) Wait(streams []sdk.StreamHandle, timeout uint64) driver.Event {
	event := driver.EventTimeout()
	h.await(timeout, func() bool {
		e, ok := h.pending(streams)
		if ok {
			event = e
		}
		return ok
	})
	return event
}

// pending returns the first event in the contract's order of precedence.
func (h *Host) pending(streams []sdk.StreamHandle) (driver.Event, bool) {
	switch {
	case h.stopping:
		return driver.EventStop(), true
	case h.yielding:
		return driver.EventYield(), true
	case len(h.cancels) > 0:
		id := h.cancels[0]
		h.cancels = h.cancels[1:]
		return driver.EventCancel(id), true
	case len(h.commands) > 0:
		q := h.commands[0]
		h.commands = h.commands[1:]
		q.command.Deadline = uint64(max(q.deadline.Sub(h.now), 0))
		return driver.EventCommand(q.command), true
	case h.writable:
		h.writable = false
		return driver.EventWritable(), true
	}
	for i, s := range streams {
		if l := h.line(s); l != nil && (l.available(h.now) || l.failed(h.now)) {
			return driver.EventReadable(uint32(i)), true
		}
	}
	return driver.Event{}, false
}

// Publish implements sdk.Host. It checks each sample against the configuration.
func (h *Host) Publish(samples []driver.Sample) component.Result[uint32, driver.PublishError] {
	switch {
	case h.phase != "run":
		return component.Err[uint32](driver.PublishErrorWrongPhase())
	case len(samples) > sdk.MaxSamples:
		return component.Err[uint32](driver.PublishErrorTooLarge())
	}
	for i, s := range samples {
		p := h.config.Point(s.Point)
		if p == nil {
			return component.Err[uint32](driver.PublishErrorUnknownPoint(uint32(i)))
		}
		if s.Value.Some && p.Fits(s.Value.Value) != nil {
			return component.Err[uint32](driver.PublishErrorWrongType(uint32(i)))
		}
		h.checkText(s.Value.Value.Text(), s.Reason.Value)
	}
	return component.OK[driver.PublishError](uint32(h.take(samples)))
}

// Save implements sdk.Host.
func (h *Host) Save(blob []byte) component.Result[component.Unit, driver.StateError] {
	if len(blob) > sdk.MaxState {
		return component.Err[component.Unit](driver.StateErrorTooLarge)
	}
	h.SetState(blob)
	return component.Done[driver.StateError]()
}

// Load implements sdk.Host.
func (h *Host) Load(buf []byte) component.Option[[]byte] {
	if h.state == nil {
		return component.None[[]byte]()
	}
	return component.Some(append(buf, h.state...))
}

// Random implements sdk.Host. Each test gets the same bytes.
func (h *Host) Random(p []byte) {
	for i := range p {
		p[i] = byte(h.random.Uint32())
	}
}
