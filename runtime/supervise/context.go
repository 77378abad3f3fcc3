package supervise

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"

	"github.com/droverhq/drover/runtime/failure"
)

// The causes with which a phase's context is cancelled, to be read with context.Cause. A deadline that has passed is
// context.DeadlineExceeded.
var (
	ErrStop      = errors.New("the channel is stopped")
	ErrRestart   = errors.New("the channel is restarted")
	ErrReconnect = errors.New("a reconnect was requested")
	ErrReplaced  = errors.New("the driver is replaced")
	ErrYield     = errors.New("the session did not yield in time")
)

// Context is what a phase is given: cancellation and deadline, and what is known of the attempt. It is valid until the
// phase returns, but RequestReconnect may be called at any time.
type Context struct {
	context.Context
	attempt *attempt
	phase   failure.Phase
	log     *slog.Logger
	forced  context.Context
}

// Attempt returns the attempt's number, counted from 1 and never reset.
func (c *Context) Attempt() uint64 { return c.attempt.number }

// Generation returns the number that this session's handle has, or will have once Ready.
func (c *Context) Generation() uint64 { return c.attempt.generation }

// Takeover says whether this session takes over from one that yielded: its lines may still be open, and what it saved
// is current.
func (c *Context) Takeover() bool { return c.attempt.takeover }

// Phase returns the phase that this context was made for.
func (c *Context) Phase() failure.Phase { return c.phase }

// Logger returns a logger with the labels channel, attempt and phase.
func (c *Context) Logger() *slog.Logger { return c.log }

// Yield returns the channel that is closed when this session is asked to yield. It is never reopened.
func (c *Context) Yield() <-chan struct{} { return c.attempt.yield }

// Forced returns the context that ends when waiting is over: at a phase's deadline, or when the grace after Done has
// passed. What can be ended by force must be ended then.
func (c *Context) Forced() context.Context { return c.forced }

// RequestReconnect asks for a new session and says whether the request was taken. It never blocks. One request is taken
// per run, between the handle's publication and the end of the run; others, and those of an attempt that is over,
// return false and do nothing.
func (c *Context) RequestReconnect(reason string) bool { return c.attempt.gate.request(reason) }

// Fatal returns the error that ends the channel as failed with this code: trying again cannot help.
func (c *Context) Fatal(code failure.Code, summary string) error {
	return &failure.Failure{Phase: c.phase, Kind: failure.Fatal, Code: code, Summary: summary}
}

// attempt is what all contexts of one attempt share.
type attempt struct {
	connector  Connector
	number     uint64
	generation uint64
	takeover   bool
	yield      chan struct{}
	gate       gate
}

func newAttempt(c Connector, number, generation uint64, takeover bool) *attempt {
	return &attempt{
		connector:  c,
		number:     number,
		generation: generation,
		takeover:   takeover,
		yield:      make(chan struct{}),
		gate:       gate{requests: make(chan string, 1)},
	}
}

// gate lets one reconnect request of an attempt through, while its run lasts.
type gate struct {
	state    atomic.Int32
	requests chan string // holds one: the gate is taken at most once
}

const (
	gateShut int32 = iota
	gateOpen
)

func (g *gate) open() { g.state.Store(gateOpen) }
func (g *gate) shut() { g.state.Store(gateShut) }

func (g *gate) request(reason string) bool {
	if !g.state.CompareAndSwap(gateOpen, gateShut) {
		return false
	}
	g.requests <- reason
	return true
}
