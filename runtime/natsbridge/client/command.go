package client

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// ErrNoAnswer means that a command was sent and no answer came in time: the outcome is not known.
var ErrNoAnswer = errors.New("no answer came, the command may have been done")

// Target is what a command is for.
type Target struct {
	Node, Channel string
	// Device is "_" for the channel itself.
	Device string
	// Name is a point's or an action's; empty for the whole device.
	Name string
}

func (t Target) String() string {
	s := t.Channel + "/" + t.Device
	if t.Name != "" {
		s += "." + t.Name
	}
	return s
}

// CommandOptions say how a command is to be done. The zero value is right for most.
type CommandOptions struct {
	// Timeout is how long the node has, from the arrival of the command; what ctx leaves when 0, and 5 s without a
	// deadline. What is not sent to the device by then never is.
	Timeout time.Duration
	// NotAfter is a time of day in its place, for clocks that agree.
	NotAfter time.Time
	// Key makes the command idempotent for 10 minutes: a token.
	Key string
	// Generation, unless 0, is the only one of the channel's handle that may do it.
	Generation uint64
	// Caller is who the event of the command says it came from.
	Caller string
}

const (
	// travel is how much longer than the node the client waits, so that it hears what became of it.
	travel = time.Second
	// askAgain is how often a long action is asked after, beside its events.
	askAgain = 5 * time.Second
)

// Read reads a point of the device now. Errors of this and the other commands wrap ErrUnreachable or ErrNoAnswer, or are
// the node's own *message.Error, for errors.Is.
func (c *Client) Read(ctx context.Context, t Target, o CommandOptions) (message.Reading, error) {
	r, err := command[message.Reading](ctx, c, "read", t, nil, o)
	return r, err
}

// ReadDevice reads all points of a device that can be read.
func (c *Client) ReadDevice(ctx context.Context, t Target, o CommandOptions) (message.Readings, error) {
	return command[message.Readings](ctx, c, "read", t, nil, o)
}

// Write writes a point. The value is JSON, or anything that prints as JSON.
func (c *Client) Write(ctx context.Context, t Target, value any, o CommandOptions) (message.WriteAnswer, error) {
	return command[message.WriteAnswer](ctx, c, "write", t, value, o)
}

// WriteDevice writes points of a device in the order of a JSON object, which is one, or prints as one. With an error, the
// answer says what was written nevertheless.
func (c *Client) WriteDevice(ctx context.Context, t Target, values any, o CommandOptions) (message.WritesAnswer, error) {
	return command[message.WritesAnswer](ctx, c, "write", t, values, o)
}

// Start invokes an action and returns the first answer: it is done, or it goes on (message.StatusRunning) and the event
// action says how it ends. Invoke waits for that.
func (c *Client) Start(ctx context.Context, t Target, arguments any, o CommandOptions) (message.ActionAnswer, error) {
	return command[message.ActionAnswer](ctx, c, "invoke", t, arguments, o)
}

// Cancel has an action end that is on its way: the driver is told, and its answer is the action's.
func (c *Client) Cancel(ctx context.Context, t Target, id string, o CommandOptions) error {
	_, err := command[message.CancelAnswer](ctx, c, "cancel", Target{Node: t.Node, Channel: t.Channel, Device: id}, nil, o)
	return err
}

// NewKey returns a key that nobody else has.
func NewKey() string { return strings.ToLower(rand.Text()) }

// command sends one command and reads its answer. It is sent once.
func command[T any](ctx context.Context, c *Client, verb string, t Target, body any, o CommandOptions) (T, error) {
	var out T
	what := verb + " " + t.String()
	request, err := c.commandRequest(verb, t, body)
	if err != nil {
		return out, fmt.Errorf("%s: %w", what, err)
	}
	timeout := cmp.Or(o.Timeout, within(ctx, answerWithin))
	o.fill(request.Header, timeout)
	ctx, cancel := beyond(ctx, timeout+travel)
	defer cancel()
	answer, err := c.ask(ctx, request)
	if err != nil {
		return out, fmt.Errorf("%s: %w", what, unanswered(err))
	}
	failed := errorOf(answer.Header)
	if e, ok := errors.AsType[*message.Error](failed); ok {
		e.State, e.NextRetry = stateOf(answer.Data)
	}
	if err := json.Unmarshal(answer.Data, &out); err != nil && failed == nil {
		return out, fmt.Errorf("%s: %w: %w", what, message.ErrMalformed, err)
	}
	if failed != nil {
		return out, fmt.Errorf("%s: %w", what, failed)
	}
	return out, captured(what, answer.Data)
}

// beyond returns a context that lasts that long, also when ctx has less: the node keeps the deadline, and what it says of
// it is to be heard. It ends when ctx is cancelled.
func beyond(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	longer, cancel := context.WithTimeout(context.WithoutCancel(ctx), d)
	stop := context.AfterFunc(ctx, func() {
		if !errors.Is(ctx.Err(), context.DeadlineExceeded) {
			cancel()
		}
	})
	return longer, func() { stop(); cancel() }
}

func (c *Client) commandRequest(verb string, t Target, body any) (*nats.Msg, error) {
	tokens := []string{t.Node, t.Channel, verb, t.Device}
	if t.Name != "" {
		tokens = append(tokens, t.Name)
	}
	for _, token := range tokens {
		if !message.ValidName(token) {
			return nil, message.ErrNotFound.With(fmt.Sprintf("%q: a name is [A-Za-z0-9_-]+", token))
		}
	}
	m := nats.NewMsg(c.options.CallPrefix + "." + strings.Join(tokens, "."))
	if body == nil {
		return m, nil
	}
	data, err := json.Marshal(body)
	if err != nil {
		return nil, message.ErrBody.With(err.Error())
	}
	m.Data = data
	return m, nil
}

func (o *CommandOptions) fill(h nats.Header, timeout time.Duration) {
	h.Set(message.HeaderTimeout, timeout.Round(time.Millisecond).String())
	if !o.NotAfter.IsZero() {
		h.Set(message.HeaderNotAfter, o.NotAfter.UTC().Format(time.RFC3339Nano))
	}
	if o.Key != "" {
		h.Set(message.HeaderKey, o.Key)
	}
	if o.Generation != 0 {
		h.Set(message.HeaderGeneration, strconv.FormatUint(o.Generation, 10))
	}
	if o.Caller != "" {
		h.Set(message.HeaderCaller, o.Caller)
	}
}

// unanswered says what it means that no answer came.
func unanswered(err error) error {
	if errors.Is(err, ErrDenied) {
		return err
	}
	if _, denied := errors.AsType[*message.Error](err); denied {
		return err
	}
	if errors.Is(err, nats.ErrNoResponders) || errors.Is(err, nats.ErrReconnectBufExceeded) {
		return unreachable(err) // nobody has got it
	}
	return fmt.Errorf("%w: %w", ErrNoAnswer, err)
}

// stateOf reads what an error's body has beside its headers.
func stateOf(body []byte) (string, message.Time) {
	var e message.Error
	if json.Unmarshal(body, &e) != nil {
		return "", message.Time{}
	}
	return e.State, e.NextRetry
}

// captured finds an answer that is JetStream's: a stream over the calls has stored the command and acknowledged it, which
// says nothing of the device.
func captured(what string, body []byte) error {
	var ack struct {
		Stream string `json:"stream"`
		Epoch  string `json:"epoch"`
	}
	if json.Unmarshal(body, &ack) == nil && ack.Epoch != "" {
		return nil
	}
	if ack.Stream == "" {
		return fmt.Errorf("%s: %w", what, message.ErrMalformed)
	}
	return fmt.Errorf("%s: %w: the stream %s captures the calls and answered in the node's place", what, ErrNoAnswer, ack.Stream)
}
