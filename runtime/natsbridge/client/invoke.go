package client

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// Invoke invokes an action and waits for its end, also of a long one. report, which may be nil, hears its progress. A key
// is made where the options have none; Cancel takes it as the action's id.
//
// When ctx ends, the action goes on: Cancel ends it.
func (c *Client) Invoke(
	ctx context.Context, t Target, arguments any, o CommandOptions, report func(message.ActionEvent),
) (message.ActionAnswer, error) {
	if o.Key == "" {
		o.Key = NewKey()
	}
	events := make(chan *nats.Msg, 256)
	subject := message.Subject{Node: t.Node, Channel: t.Channel, Kind: message.KindEvent, Event: "action"}
	sub, err := c.conn.ChanSubscribe(c.options.Prefix+"."+subject.String(), events)
	if err != nil {
		return message.ActionAnswer{}, fmt.Errorf("listen for the progress of %s: %w", t, unreachable(err))
	}
	defer sub.Unsubscribe() //nolint:errcheck // the connection is gone then, and the subscription with it
	if err := c.flush(ctx); err != nil {
		return message.ActionAnswer{}, fmt.Errorf("listen for the progress of %s: %w", t, unreachable(err))
	}
	i := &invocation{client: c, target: t, arguments: arguments, options: o, report: report}
	return i.follow(ctx, events)
}

// invocation is one action that is followed to its end.
type invocation struct {
	client    *Client
	target    Target
	arguments any
	options   CommandOptions
	report    func(message.ActionEvent)
}

// begun is what an ask came to.
type begun struct {
	answer message.ActionAnswer
	err    error
}

// follow asks, and asks again while the action goes on: its key gives the answer that there is. An event only makes that
// sooner, so one that is lost does no harm.
func (i *invocation) follow(ctx context.Context, events <-chan *nats.Msg) (message.ActionAnswer, error) {
	answers := i.ask(ctx)
	var again <-chan time.Time
	for {
		select {
		case b := <-answers:
			if answers = nil; b.err != nil || b.answer.Status != message.StatusRunning {
				return b.answer, b.err
			}
			again = time.After(askAgain)
		case <-again:
			answers, again = i.ask(ctx), nil
		case m := <-events:
			if over := i.hear(m); over && answers == nil {
				answers, again = i.ask(ctx), nil
			}
		case <-ctx.Done():
			if answers != nil {
				b := <-answers // soon: it ends with ctx, or with what the node says of its deadline
				return b.answer, b.err
			}
			return message.ActionAnswer{}, fmt.Errorf("wait for %s: %w", i.target, context.Cause(ctx))
		}
	}
}

// ask asks on a goroutine that ends with the request's time.
func (i *invocation) ask(ctx context.Context) <-chan begun {
	out := make(chan begun, 1)
	go func() {
		answer, err := i.client.Start(ctx, i.target, i.arguments, i.options)
		out <- begun{answer, err}
	}()
	return out
}

// hear reports progress; true when the action is over.
func (i *invocation) hear(m *nats.Msg) bool {
	event, err := message.Decode[message.Event](m.Data)
	if err != nil {
		return false
	}
	var detail message.ActionEvent
	if json.Unmarshal(event.Detail, &detail) != nil || detail.ID != i.options.Key {
		return false
	}
	if detail.Status == message.StatusRunning && i.report != nil {
		i.report(detail)
	}
	return detail.Status != message.StatusRunning
}
