package client

import (
	"context"
	"errors"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// Filter says what to watch; what is empty is all of it.
type Filter struct {
	Node, Channel, Device string
	Kinds                 []message.Kind
}

// Message is something that a node published. Payload is valid until the function that is given it returns.
type Message struct {
	message.Subject
	// Raw is the whole subject.
	Raw     string
	Payload []byte
}

// Watch gives f what nodes publish from now on, one message after the other, until ctx ends (nil), the client is closed
// or f returns an error (that). Messages that are none of a node's are left out.
func (c *Client) Watch(ctx context.Context, filter Filter, f func(Message) error) error {
	subjects, err := filter.subjects(c.options.Prefix)
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	ctx, done := c.denials.watch(ctx, subjects[0])
	defer done()
	err = c.watch(ctx, subjects, f)
	if denied := context.Cause(ctx); errors.Is(denied, ErrDenied) {
		return fmt.Errorf("watch: %w", denied)
	}
	return err
}

func (c *Client) watch(ctx context.Context, subjects []string, f func(Message) error) error {
	messages := make(chan *nats.Msg, 4096)
	for _, subject := range subjects {
		sub, err := c.conn.ChanSubscribe(subject, messages)
		if err != nil {
			return fmt.Errorf("watch %s: %w", subject, unreachable(err))
		}
		defer sub.Unsubscribe() //nolint:errcheck // the connection is gone then, and the subscription with it
	}
	if err := c.flush(ctx); err != nil {
		return fmt.Errorf("watch: %w", unreachable(err))
	}
	return c.deliver(ctx, messages, f)
}

func (c *Client) deliver(ctx context.Context, messages <-chan *nats.Msg, f func(Message) error) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.closed:
			return fmt.Errorf("watch: %w", ErrUnreachable)
		case m := <-messages:
			subject, err := message.ParseSubject(c.options.Prefix, m.Subject)
			if err != nil {
				continue
			}
			if err := f(Message{Subject: subject, Raw: m.Subject, Payload: m.Data}); err != nil {
				return err
			}
		}
	}
}

// flush waits until the server knows the subscriptions.
func (c *Client) flush(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return c.conn.FlushWithContext(ctx)
}

// subjects returns the narrowest subjects for what is wanted.
func (f Filter) subjects(prefix string) ([]string, error) {
	for _, name := range []string{f.Node, f.Channel, f.Device} {
		if name != "" && !message.ValidName(name) {
			return nil, fmt.Errorf("%q: a name is [A-Za-z0-9_-]+", name)
		}
	}
	kinds := f.Kinds
	if len(kinds) == 0 {
		kinds = f.allKinds()
	}
	subjects := make([]string, 0, len(kinds))
	for _, kind := range kinds {
		s := message.Subject{
			Node: orDefault(f.Node, "*"), Channel: orDefault(f.Channel, "*"), Kind: kind,
			Device: orDefault(f.Device, "*"), Event: "*",
		}
		subjects = append(subjects, prefix+"."+s.String())
		if kind == message.KindData { // a channel may have messages a point
			s.Point = "*"
			subjects = append(subjects, prefix+"."+s.String())
		}
	}
	if len(subjects) == 0 {
		return nil, errors.New("nothing to watch")
	}
	return subjects, nil
}

// allKinds are those that the filter can give: what is not of a device is left out when one is named. Log lines have to be
// asked for by name: not everybody may have them.
func (f Filter) allKinds() []message.Kind {
	of := []message.Kind{message.KindData, message.KindDevice, message.KindHandle}
	if f.Device != "" {
		return of
	}
	return append(of, message.KindState, message.KindEvent)
}
