package node

import (
	"bytes"
	"errors"
	"fmt"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/droverhq/drover/abi/component"
	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/supervise"
)

// commands finds channels for the bridge.
type commands struct{ node *Node }

var (
	_ natsbridge.Commands       = commands{}
	_ natsbridge.CommandChannel = (*commandChannel)(nil)
	_ natsbridge.Pending        = pending{}
)

// Channel implements natsbridge.Commands. While the node starts, and where the driver cannot be loaded, none is ready.
func (c commands) Channel(name string) (natsbridge.CommandChannel, error) {
	select {
	case <-c.node.started:
	default:
		return nil, message.ErrNotReady.With("the node is starting")
	}
	m, err := c.node.members.find(name)
	if err != nil {
		return nil, err
	}
	if m.channel == nil {
		e := message.ErrNotReady.With(fmt.Sprintf("channel %q has no driver: %s", name, m.failed.LastFailure.Summary))
		e.State = m.failed.State.String()
		return nil, e
	}
	return m.commands, nil
}

// commandChannel is a channel as the bridge sees it.
type commandChannel struct {
	channel *channel.Channel
	schemas argumentSchemas
}

// Snapshot implements natsbridge.CommandChannel.
func (c *commandChannel) Snapshot() supervise.Snapshot { return c.channel.Snapshot() }

// Device implements natsbridge.CommandChannel.
func (c *commandChannel) Device(name string) (driver.DeviceID, []natsbridge.CommandPoint, bool) {
	id, refs, ok := c.channel.Device(name)
	points := make([]natsbridge.CommandPoint, len(refs))
	for i, r := range refs {
		points[i] = natsbridge.CommandPoint(r)
	}
	return id, points, ok
}

// CheckArguments implements natsbridge.CommandChannel. Whether the action is served is left to the queue while no session
// says so.
func (c *commandChannel) CheckArguments(r driver.ActionRequest) error {
	action, ok := c.channel.Action(r)
	if !ok {
		return nil
	}
	if err := c.schemas.check(action.Arguments, r.Arguments); err != nil {
		return message.ErrInvalid.With(fmt.Sprintf("action %q: %v", r.Action, err))
	}
	return nil
}

// Submit implements natsbridge.CommandChannel.
func (c *commandChannel) Submit(cmd natsbridge.Command) (natsbridge.Pending, error) {
	p, err := c.channel.Submit(channel.Command(cmd))
	if err != nil {
		return nil, commandError(err)
	}
	return pending{p, c.channel}, nil
}

// pending is a submitted command whose errors are told to callers.
type pending struct {
	*channel.Pending
	channel *channel.Channel
}

// Result implements natsbridge.Pending. A code that the driver has not declared becomes other.
func (p pending) Result() (natsbridge.CommandAnswer, error) {
	a, err := p.Pending.Result()
	if err != nil {
		return a, commandError(err)
	}
	if a.Failed {
		a.Err = p.declared(a.Err)
		return a, nil
	}
	if a.Value.Tag() == driver.ResponseTagWrite {
		results := a.Value.Write()
		for i := range results {
			if results[i].Failed {
				results[i].Err = p.declared(results[i].Err)
			}
		}
	}
	return a, nil
}

func (p pending) declared(e driver.CommandError) driver.CommandError {
	if e.Tag() != driver.CommandErrorTagRefused {
		return e
	}
	refused := e.Refused()
	for _, own := range p.channel.Driver().Codes {
		if own.Code == refused.F0 {
			return e
		}
	}
	return driver.CommandErrorRefused(component.Tuple2[string, string]{F0: "other", F1: refused.F1})
}

// commandError is how a command ended without an answer, as callers are told.
func commandError(err error) error {
	for _, known := range []struct {
		is  error
		say *message.Error
	}{
		{channel.ErrNotReady, message.ErrNotReady}, {channel.ErrQueueFull, message.ErrBusy},
		{channel.ErrExpired, message.ErrNeverSent}, {channel.ErrCancelled, message.ErrCancelled},
		{channel.ErrGeneration, message.ErrGeneration}, {channel.ErrNotServed, message.ErrNotFound},
		{channel.ErrUnknown, message.ErrUnknown},
	} {
		if errors.Is(err, known.is) {
			return known.say.With(err.Error())
		}
	}
	return err
}

// argumentSchemas are the schemas of arguments that were compiled, by their text: sessions come and go, their actions
// stay.
type argumentSchemas struct {
	mu       sync.Mutex
	compiled map[string]schema
}

// mostSchemas is how many are kept: as many as a handle may have actions.
const mostSchemas = 256

// check holds arguments to a schema. One that cannot be compiled, or not be evaluated, takes everything: the driver checks
// them itself.
func (s *argumentSchemas) check(text, arguments string) error {
	compiled := s.of(text)
	if compiled.Schema == nil {
		return nil
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader([]byte(arguments)))
	if err != nil {
		return err
	}
	_, err = compiled.validate(v, len(arguments))
	if errors.Is(err, errEvaluations) {
		return nil
	}
	if invalid, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		return errors.New(sentence(invalid))
	}
	return err
}

// of returns the schema of a text, the zero value where there is none.
func (s *argumentSchemas) of(text string) schema {
	s.mu.Lock()
	defer s.mu.Unlock()
	if compiled, known := s.compiled[text]; known || text == "" {
		return compiled
	}
	if s.compiled == nil || len(s.compiled) >= mostSchemas {
		s.compiled = make(map[string]schema)
	}
	compiled, err := compileSchema("arguments", text, newBudget())
	if err != nil {
		compiled = schema{}
	}
	s.compiled[text] = compiled
	return compiled
}

// sentence says what is wrong with the arguments first.
func sentence(e *jsonschema.ValidationError) string {
	for len(e.Causes) > 0 {
		e = e.Causes[0]
	}
	at := pointer(e.InstanceLocation)
	if at == "" {
		at = "the arguments"
	}
	return at + ": " + text(e.ErrorKind)
}
