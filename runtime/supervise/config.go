package supervise

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Config says what to supervise and how. Name and Connector are required.
type Config struct {
	// Name is the channel's name.
	Name string
	// Connector makes the sessions, until Replace.
	Connector Connector
	Policy    Policy
	Deadlines Deadlines
	// Quarantine says when crashes end the channel.
	Quarantine Quarantine
	// CrashLoop, unless nil, is why the channel was quarantined in an earlier life: the first Start then shows it
	// quarantined, with that reason, and nothing starts until Clear, Restart or Replace.
	CrashLoop *CrashLoop
	// Observer may be nil.
	Observer Observer
	// Logger may be nil: nothing is logged then.
	Logger *slog.Logger
	// Rand draws the jitter, and is used by this supervisor alone. Nil is a source with a random seed.
	Rand *rand.Rand
}

// DefaultStableAfter is how long a session must be connected to count as one that works.
const DefaultStableAfter = 10 * time.Second

// Policy says when to try again.
type Policy struct {
	Backoff Backoff
	// MaxRetries limits the retries in a row. Nil is unlimited, 0 is none.
	MaxRetries *int
	// MaxElapsed limits the time from the first failure in a row to the start of a retry. 0 is unlimited.
	MaxElapsed time.Duration
	// StableAfter is how long a session must have been connected for the budgets and the backoff to start anew.
	// Default DefaultStableAfter.
	StableAfter time.Duration
	// ReconnectFloor is the delay of a requested reconnect that follows another within StableAfter. Default 1 s.
	ReconnectFloor time.Duration
}

// Backoff is the delay before a retry: Initial, then Factor times more each time, up to Max, each spread evenly by
// Jitter to both sides but never above Max. The zero value has the defaults 1 s, 30 s, 2 and 0.2; in any other, what is
// zero has its default, except that a Jitter of 0 is none.
type Backoff struct {
	Initial time.Duration
	Max     time.Duration
	Factor  float64
	Jitter  float64
}

// Deadlines limit the phases of an attempt. What is zero has its default.
type Deadlines struct {
	// Connect limits Connect. Default 15 s.
	Connect time.Duration
	// Init limits Init. Default 15 s.
	Init time.Duration
	// Stop is how long a call has to return after its context is done; so long is Close given, too. Default 5 s.
	Stop time.Duration
	// Yield is how long a session has to yield before it is ended. Default 5 s.
	Yield time.Duration
}

// withDefaults returns the configuration with what is left out filled in.
func (c Config) withDefaults() Config {
	if c.Policy.Backoff == (Backoff{}) {
		c.Policy.Backoff.Jitter = 0.2
	}
	b := &c.Policy.Backoff
	b.Initial = cmp.Or(b.Initial, time.Second)
	b.Max = cmp.Or(b.Max, max(30*time.Second, b.Initial))
	b.Factor = cmp.Or(b.Factor, 2)
	c.Policy.StableAfter = cmp.Or(c.Policy.StableAfter, DefaultStableAfter)
	c.Policy.ReconnectFloor = cmp.Or(c.Policy.ReconnectFloor, time.Second)
	d := &c.Deadlines
	d.Connect = cmp.Or(d.Connect, 15*time.Second)
	d.Init = cmp.Or(d.Init, 15*time.Second)
	d.Stop = cmp.Or(d.Stop, 5*time.Second)
	d.Yield = cmp.Or(d.Yield, 5*time.Second)
	c.Quarantine.Crashes = cmp.Or(c.Quarantine.Crashes, 5)
	c.Quarantine.Window = cmp.Or(c.Quarantine.Window, 10*time.Minute)
	if c.Observer == nil {
		c.Observer = discard{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Rand == nil {
		c.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	return c
}

// validate reports all problems of a configuration that has its defaults.
func (c Config) validate() error {
	var problems []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			problems = append(problems, fmt.Errorf(format, args...))
		}
	}
	wrong(c.Name == "", "name is empty")
	wrong(c.Connector == nil, "connector is nil")
	b := c.Policy.Backoff
	wrong(b.Initial < 0, "backoff: initial %s is negative", b.Initial)
	wrong(b.Max < b.Initial, "backoff: max %s is below initial %s", b.Max, b.Initial)
	wrong(!(b.Factor >= 1), "backoff: factor %g is below 1", b.Factor)
	wrong(!(b.Jitter >= 0 && b.Jitter < 1), "backoff: jitter %g is not in [0, 1)", b.Jitter)
	wrong(c.Policy.MaxRetries != nil && *c.Policy.MaxRetries < 0, "max retries is negative")
	for _, d := range []struct {
		name  string
		value time.Duration
	}{
		{"max elapsed", c.Policy.MaxElapsed},
		{"stable after", c.Policy.StableAfter},
		{"reconnect floor", c.Policy.ReconnectFloor},
		{"connect deadline", c.Deadlines.Connect},
		{"init deadline", c.Deadlines.Init},
		{"stop deadline", c.Deadlines.Stop},
		{"yield deadline", c.Deadlines.Yield},
		{"quarantine window", c.Quarantine.Window},
	} {
		wrong(d.value < 0, "%s %s is negative", d.name, d.value)
	}
	return errors.Join(problems...)
}
