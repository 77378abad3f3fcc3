package natsbridge

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// duty is something that the keeper has to have done once a connection, and again when it failed.
type duty struct {
	// what is said where it fails.
	what string
	do   func(context.Context) error
	// failed does what is to be done instead.
	failed func(error)
	// optional says whether nobody needs to know where it fails; nil for one that somebody does.
	optional func() bool
	// problem is why it is not done, or does not do what it is for.
	problem error
	// longest is the longest time between two tries.
	longest time.Duration

	done  bool
	due   time.Time
	pause time.Duration
}

// again has it done once more, from now on.
func (d *duty) again(at time.Time) { d.done, d.due = false, at }

// The places of the duties.
const (
	dutyBucket = iota
	dutyEvents
	dutyData
)

func (k *keeper) allDuties() []*duty {
	return []*duty{
		dutyBucket: {
			what: "states are not kept, get.state has them", do: k.openBucket, longest: 10 * time.Minute,
			failed: func(error) { k.kept.Store(false) },
		},
		dutyEvents: {
			what: "events are not kept", do: k.openEvents, longest: 10 * time.Minute,
			failed: func(error) { k.b.events.open(lanePlain, "") },
		},
		dutyData: {
			what: "the data of channels with delivery: stream waits", do: k.openData, longest: 10 * time.Second,
			optional: k.b.streamed.none,
			failed:   func(err error) { k.b.data.shut(err.Error()) },
		},
	}
}

// setUp does what is due. It is called by New as well, so that what a node keeps is there when New returns.
func (k *keeper) setUp(ctx context.Context) {
	now := time.Now()
	c := max(k.connections.Load(), 1)
	again := c != k.connection
	if again {
		k.connection = c
		k.b.events.shut("") // what was sent by the connection before may be lost
		k.b.data.shut("")
		k.dueAgain(now)
	}
	for _, d := range k.duties {
		if d.done || d.due.After(now) {
			continue
		}
		err := k.interruptible(ctx, d.do)
		if k.settle(d, err); errors.Is(err, ErrNameTaken) {
			k.b.displace(err)
			return
		}
		if errors.Is(err, errSilent) && !k.started.Load() {
			return // who starts the node does not wait for each
		}
	}
	if again {
		if err := k.b.contest(ctx); err != nil {
			k.giveWayOr(err, "the node's name could not be checked")
		}
	}
}

// dueAgain has everything done once more.
func (k *keeper) dueAgain(now time.Time) {
	for _, d := range k.duties {
		d.pause = 0
		d.again(now)
	}
}

// settle notes what became of a duty.
func (k *keeper) settle(d *duty, err error) {
	d.done, d.problem = err == nil || d.optional != nil && d.optional(), nil
	if d.done {
		d.pause = 0
		return
	}
	d.problem = err
	d.pause = min(max(2*d.pause, time.Second), d.longest)
	d.due = time.Now().Add(d.pause)
	d.failed(err)
}

// report logs which duties are not done and why, in one line, when that has changed.
func (k *keeper) report() {
	var problems []string
	causes := map[string]bool{}
	for _, d := range k.duties {
		if d.problem != nil {
			problems = append(problems, d.what)
			causes[d.problem.Error()] = true
		}
	}
	cause := strings.Join(slices.Sorted(maps.Keys(causes)), "; ")
	what := strings.Join(problems, "; ")
	if what+cause == k.reported || k.ctx.Err() != nil {
		return
	}
	k.reported = what + cause
	if what == "" {
		k.b.config.Logger.Info("JetStream does all that is wanted again")
		return
	}
	k.b.config.Logger.Warn("JetStream does not do all that is wanted", "missing", what, "error", cause)
}

// nextDuty returns when the first duty is due, at most latest.
func (k *keeper) nextDuty(latest time.Time) time.Time {
	for _, d := range k.duties {
		if !d.done && d.due.Before(latest) {
			latest = d.due
		}
	}
	return latest
}

var (
	errNone   = errors.New("the server has no JetStream")
	errSilent = errors.New("JetStream does not answer")
	errGone   = errors.New("nobody answers for the stream")
	errDenied = errors.New("the node may not do this")
)

// explain says what an error of JetStream's API means.
func explain(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, nats.ErrNoResponders), errors.Is(err, jetstream.ErrJetStreamNotEnabled),
		errors.Is(err, jetstream.ErrJetStreamNotEnabledForAccount):
		return errNone
	case errors.Is(err, jetstream.ErrNoStreamResponse):
		return errGone
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, nats.ErrTimeout):
		return fmt.Errorf("%w: %w", errSilent, err)
	default:
		return err
	}
}
