package sdk

import (
	"slices"
	"time"

	"github.com/droverhq/drover/abi/driver"
)

// Event is what Context.Wait answers. Kind is the contract's; Stream comes with EventTagReadable, Command with
// EventTagCommand and EventTagCancel.
type Event struct {
	Kind    driver.EventTag
	Stream  *Stream
	Command *Command
}

// maxEvents bounds the events that a driver takes from the host before it looks at them.
const maxEvents = 64

// Wait waits for the first of what the host wants: stop, yield, cancel, command, writable, one of the streams readable,
// timeout, in that order of precedence. Stop and yield are given again and again until the phase returns. A stream that
// is closed counts as readable: its Read returns ErrClosed.
func (c *Context) Wait(timeout time.Duration, streams ...*Stream) Event {
	e := c.next(timeout, streams)
	if e.Command != nil {
		e.Command.begun = true
	}
	return e
}

func (c *Context) next(timeout time.Duration, streams []*Stream) Event {
	if !c.stopping && !c.yielding && len(c.events) > 0 {
		e := c.events[0]
		c.events = slices.Delete(c.events, 0, 1)
		return e
	}
	closed := c.watch(streams)
	if closed != nil {
		timeout = 0
	}
	deadline := c.deadline(timeout)
	e, ok := c.lift(c.host.Wait(c.handles, nanos(timeout)))
	for !ok {
		e, ok = c.lift(c.host.Wait(c.handles, c.until(deadline)))
	}
	if e.Kind == driver.EventTagTimeout && closed != nil {
		return Event{Kind: driver.EventTagReadable, Stream: closed}
	}
	return e
}

// watch notes the streams to wait for, and returns one that is closed.
func (c *Context) watch(streams []*Stream) (closed *Stream) {
	c.streams, c.handles = c.streams[:0], c.handles[:0]
	for _, s := range streams {
		if s.closed {
			closed = s
			continue
		}
		c.streams, c.handles = append(c.streams, s), append(c.handles, s.handle)
	}
	return closed
}

// lift notes what an event means for the context. False: nothing came of it, as of a cancel for a command that is
// answered already.
func (c *Context) lift(in driver.Event) (Event, bool) {
	e := Event{Kind: in.Tag()}
	switch e.Kind {
	case driver.EventTagStop:
		c.stopping = true
	case driver.EventTagYield:
		c.yielding = true
	case driver.EventTagCommand:
		e.Command = c.newCommand(in.Command())
	case driver.EventTagCancel:
		if e.Command = c.commands[in.Cancel()]; e.Command == nil {
			return e, false
		}
		e.Command.cancelled = true
	case driver.EventTagReadable:
		if int(in.Readable()) >= len(c.streams) {
			return e, false
		}
		e.Stream = c.streams[in.Readable()]
	}
	return e, true
}

// look takes what the host has for the driver now, without waiting, and keeps the events for Wait.
func (c *Context) look() {
	for !c.stopping && len(c.events) < maxEvents {
		if !c.take(0) {
			return
		}
	}
}

// take waits for one event and keeps it for Wait. False: it was none to keep, but stop, yield or the end of the time.
func (c *Context) take(timeout time.Duration) bool {
	e, ok := c.lift(c.host.Wait(nil, nanos(timeout)))
	switch e.Kind {
	case driver.EventTagCommand, driver.EventTagCancel, driver.EventTagWritable:
		if ok {
			c.events = append(c.events, e)
		}
		return true
	}
	return false
}

// Yielding says whether the host wants this session to yield: to finish what is on the wire, save its state and return
// Yielded. It is for long work between two waits.
func (c *Context) Yielding() bool {
	if !c.yielding {
		c.look()
	}
	return c.yielding
}

// Stopping says whether the host wants this phase to return.
func (c *Context) Stopping() bool {
	c.look()
	return c.stopping
}

// Hold starts a stretch that a yield does not interrupt, such as a request and its answer: until Release, reads that a
// yield ended go on with what is left of their time. A stop still ends them. Writes do not go on, because nobody knows
// what was sent. Holds nest.
func (c *Context) Hold() { c.held++ }

// Release ends the stretch that Hold began.
func (c *Context) Release() { c.held-- }

// carryOn says whether an operation that failed is to go on: a yield ended it, within Hold.
func (c *Context) carryOn(err driver.IOError) bool {
	if err != driver.IOErrorCancelled || c.held == 0 {
		return false
	}
	return !c.Stopping() && c.yielding
}

// Sleep waits for d. A stop, and outside Hold a yield, ends it early with ErrCancelled. Commands that come meanwhile
// are kept for Wait.
func (c *Context) Sleep(d time.Duration) error {
	end := c.deadline(d)
	for left := d; left > 0; left = duration(c.until(end)) {
		if c.interrupted() {
			return ErrCancelled
		}
		if c.yielding || len(c.events) >= maxEvents { // Wait would answer at once, or bring what there is no room for
			c.host.Sleep(left)
			break
		}
		c.take(left)
	}
	if c.look(); c.interrupted() {
		return ErrCancelled
	}
	return nil
}

func (c *Context) interrupted() bool { return c.stopping || c.yielding && c.held == 0 }
