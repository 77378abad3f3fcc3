// Package client asks nodes and watches them, over NATS: what the command line is made of.
package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/runtime/natsbridge/dial"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// ErrUnreachable means that no server, or no node of that name, answers. The node's own refusals are *message.Error.
var ErrUnreachable = errors.New("unreachable")

// Options say where to and as whom.
type Options struct {
	// URL names the servers, separated by commas. Required, unless Context has one.
	URL         string
	Credentials dial.Credentials
	// Context is the name of a NATS context (ADR-21), or the path of its file: what URL and Credentials leave empty comes
	// from it. No context is ever taken that is not named here.
	Context string
	// Name is shown by the server; "drover" when empty.
	Name string
	// InboxPrefix is for servers whose permissions want a certain one.
	InboxPrefix string
	// Prefix and CallPrefix are the node's; message.DefaultPrefix and message.DefaultCallPrefix when empty.
	Prefix, CallPrefix string
}

// Client is a connection. Its methods may be called from any goroutine.
type Client struct {
	conn    *nats.Conn
	options Options
	closed  chan struct{}
	denials denials
}

const (
	defaultName  = "drover"
	defaultInbox = "_INBOX_drover"
	// anonymousInbox is where those without credentials may listen.
	anonymousInbox = "_INBOX"
	// connectWithin is how long a server has to take the connection when ctx does not say.
	connectWithin = 5 * time.Second
	// answerWithin is how long a node has to answer when ctx does not say.
	answerWithin = 5 * time.Second
)

// Connect connects to a server. An error that wraps ErrUnreachable: none took the connection; one that wraps ErrDenied: it
// does not know us. The caller closes.
func Connect(ctx context.Context, options Options) (*Client, error) {
	options, err := options.withDefaults()
	if err != nil {
		return nil, err
	}
	natsOptions, err := options.Credentials.Options()
	if err != nil {
		return nil, err
	}
	c := &Client{options: options, closed: make(chan struct{})}
	natsOptions = append(natsOptions, dial.Persistent(options.Name, options.InboxPrefix)...)
	natsOptions = append(natsOptions,
		nats.Timeout(within(ctx, connectWithin)),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { c.denials.heard(err) }),
		nats.ClosedHandler(func(*nats.Conn) { close(c.closed) }),
	)
	c.conn, err = nats.Connect(options.URL, natsOptions...)
	switch {
	case errors.Is(err, nats.ErrAuthorization):
		return nil, fmt.Errorf("connect to %s: %w", options.URL, ErrDenied.With("the NATS server does not let us in: wrong credentials, or none"))
	case err != nil:
		return nil, fmt.Errorf("connect to %s: %w: %w", options.URL, ErrUnreachable, err)
	}
	return c, nil
}

// Close ends the connection; those who watch return.
func (c *Client) Close() {
	c.conn.Close()
	<-c.closed
}

func (o Options) withDefaults() (Options, error) {
	if o.Context != "" {
		if err := o.fromContext(); err != nil {
			return o, err
		}
	}
	o.Name = orDefault(o.Name, defaultName)
	if o.Credentials == (dial.Credentials{}) {
		o.InboxPrefix = orDefault(o.InboxPrefix, anonymousInbox)
	}
	o.InboxPrefix = orDefault(o.InboxPrefix, defaultInbox)
	o.Prefix = orDefault(o.Prefix, message.DefaultPrefix)
	o.CallPrefix = orDefault(o.CallPrefix, message.DefaultCallPrefix)
	if o.URL == "" {
		return o, errors.New("no NATS server is named")
	}
	if !message.ValidPrefix(o.Prefix) || !message.ValidPrefix(o.CallPrefix) {
		return o, fmt.Errorf("prefixes %q and %q: names joined by dots are expected", o.Prefix, o.CallPrefix)
	}
	return o, nil
}

// within returns what ctx leaves, or otherwise.
func within(ctx context.Context, otherwise time.Duration) time.Duration {
	deadline, ok := ctx.Deadline()
	if !ok {
		return otherwise
	}
	return max(time.Until(deadline), time.Millisecond)
}

func orDefault(s, otherwise string) string {
	if s == "" {
		return otherwise
	}
	return s
}
