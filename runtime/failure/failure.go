// Package failure is the taxonomy of what can go wrong with a driver: phases, kinds, codes, and the record that goes
// from the guest to the subscriber.
//
// The table in table.go is the only place that decides what a code means.
package failure

import (
	"errors"
	"fmt"
	"time"
)

// Phase is the part of an attempt in which a failure happened.
type Phase string

// The phases of an attempt, in order. PhaseDescribe belongs to the module rather than to an attempt.
const (
	PhaseDescribe  Phase = "describe"
	PhaseConfigure Phase = "configure"
	PhaseConnect   Phase = "connect"
	PhaseInit      Phase = "init"
	PhaseRun       Phase = "run"
)

// Kind is what is done about a failure.
type Kind string

const (
	// Retryable failures are tried again after the backoff.
	Retryable Kind = "retryable"
	// Fatal failures end the channel as failed.
	Fatal Kind = "fatal"
	// Stop ends the channel as stopped, by the driver's own decision.
	Stop Kind = "stop"
)

// Failure is the error that a phase ends with: what went wrong, before the supervisor knows when and in which attempt.
// Kind may be empty: the table then decides.
type Failure struct {
	Phase   Phase
	Kind    Kind
	Code    Code
	Summary string
	// Detail is what only a post-mortem shows: a wasm stack, the last line of stderr.
	Detail string
	// Remains is what a crashed instance left for the post-mortem, in the terms of who ran it; nil where it left nothing.
	Remains any
	// Cause is the error behind it, for errors.Is and errors.As. It may be nil.
	Cause error
}

// New returns a failure of the code's default kind.
func New(phase Phase, code Code, summary string) *Failure {
	return &Failure{Phase: phase, Kind: code.Kind(), Code: code, Summary: summary}
}

// Error implements error: phase, code and summary in one line.
func (f *Failure) Error() string { return fmt.Sprintf("%s: %s: %s", f.Phase, f.Code, f.Summary) }

// Unwrap returns the cause.
func (f *Failure) Unwrap() error { return f.Cause }

// From returns the failure that err holds, with phase and kind filled in; an error that holds none becomes host.panic,
// because everything that a driver or a device can do has a failure of its own.
func From(phase Phase, err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		g := *f
		if g.Phase == "" {
			g.Phase = phase
		}
		if g.Kind == "" {
			g.Kind = g.Code.Kind()
		}
		return &g
	}
	f := New(phase, HostPanic, err.Error())
	f.Cause = err
	return f
}

// Record is a failure as the channel's event tells it.
type Record struct {
	Phase      Phase     `json:"phase"`
	Kind       Kind      `json:"kind"`
	Code       Code      `json:"code"`
	Summary    string    `json:"summary"`
	Attempt    uint64    `json:"attempt"`
	Generation uint64    `json:"generation"`
	Digest     string    `json:"digest,omitempty"`
	Time       time.Time `json:"time"`
	// NextRetry is when the next attempt starts; zero when there is none.
	NextRetry time.Time `json:"next_retry,omitzero"`
}
