package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// Get asks a node for a look: drover-call.<node>.get.<verb>. body, unless nil, is sent as JSON; the answer is read into
// out, unless nil. The node has the time that ctx leaves, 5 s without a deadline.
//
// Errors wrap ErrUnreachable when nobody answers, or are the node's own *message.Error.
func (c *Client) Get(ctx context.Context, node, verb string, body, out any) error {
	return c.call(ctx, node, "get", verb, body, out)
}

// Ctl asks a node for a change: drover-call.<node>.ctl.<verb>. It is sent at most once.
func (c *Client) Ctl(ctx context.Context, node, verb string, body, out any) error {
	return c.call(ctx, node, "ctl", verb, body, out)
}

func (c *Client) call(ctx context.Context, node, root, verb string, body, out any) error {
	if !message.ValidName(node) || !message.ValidName(verb) {
		return fmt.Errorf("ask node %q for %q: %w", node, verb, message.ErrNotFound.With("no such name is possible"))
	}
	request, err := c.request(ctx, node, root, verb, body)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, within(ctx, answerWithin))
	defer cancel()
	answer, err := c.ask(ctx, request)
	if err != nil {
		return fmt.Errorf("ask node %q for %s.%s: %w", node, root, verb, unreachable(err))
	}
	if err := errorOf(answer.Header); err != nil {
		return fmt.Errorf("node %q refused %s.%s: %w", node, root, verb, err)
	}
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(answer.Data, out); err != nil {
		return fmt.Errorf("read the answer of node %q to %s.%s: %w: %w", node, root, verb, message.ErrMalformed, err)
	}
	return nil
}

func (c *Client) request(ctx context.Context, node, root, verb string, body any) (*nats.Msg, error) {
	request := nats.NewMsg(c.options.CallPrefix + "." + node + "." + root + "." + verb)
	request.Header.Set(message.HeaderTimeout, within(ctx, answerWithin).Round(time.Millisecond).String())
	if body == nil {
		return request, nil
	}
	data, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("encode the body of %s.%s: %w", root, verb, err)
	}
	if most := c.conn.MaxPayload(); most > 0 && int64(len(data)) > most {
		return nil, fmt.Errorf("the body of %s.%s has %d bytes, the NATS server takes %d (max_payload)", root, verb, len(data), most)
	}
	request.Data = data
	return request, nil
}

// unreachable marks the errors that mean that nobody is there. The end of the caller's own ctx is not one of them.
func unreachable(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, ErrDenied) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnreachable, err)
}

// errorOf reads the error that an answer carries; nil where there is none. Numbers that are none become 500.
func errorOf(h nats.Header) error {
	status := h.Get(message.HeaderErrorStatus)
	if status == "" && h.Get(message.HeaderError) == "" {
		return nil
	}
	number, err := strconv.Atoi(status)
	if err != nil || number < 400 || number > 599 {
		number = 500
	}
	code := orDefault(h.Get(message.HeaderErrorCode), message.ErrInternal.Code)
	return &message.Error{Status: number, Code: code, Message: h.Get(message.HeaderError)}
}

// Nodes asks all nodes for their names, and returns those that answered by the end of ctx, or within 500 ms, sorted by
// name. What answers but is no node is left out.
func (c *Client) Nodes(ctx context.Context) ([]message.Ping, error) {
	ctx, cancel := context.WithTimeout(ctx, min(within(ctx, nodesWithin), nodesWithin))
	defer cancel()
	inbox := c.conn.NewRespInbox()
	sub, err := c.conn.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("ask for nodes: %w", unreachable(err))
	}
	defer sub.Unsubscribe() //nolint:errcheck // the connection is gone then, and the subscription with it
	if err := c.conn.PublishRequest("$SRV.PING", inbox, nil); err != nil {
		return nil, fmt.Errorf("ask for nodes: %w", unreachable(err))
	}
	var names []string
	for {
		answer, err := sub.NextMsgWithContext(ctx)
		if err != nil {
			break // the time is over, or nobody is there
		}
		if name, ok := nodeOf(answer.Data); ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return c.pings(names)
}

const nodesWithin = 500 * time.Millisecond

// pings asks each node for its epoch and version; those that do not answer are left out.
func (c *Client) pings(names []string) ([]message.Ping, error) {
	slices.Sort(names)
	var pings []message.Ping
	for _, name := range names {
		ctx, cancel := context.WithTimeout(context.Background(), nodesWithin)
		var p message.Ping
		err := c.Get(ctx, name, "ping", nil, &p)
		cancel()
		if err == nil {
			pings = append(pings, p)
		}
	}
	return pings, nil
}

// nodeOf returns the node that a service's answer to $SRV.PING is of.
func nodeOf(answer []byte) (string, bool) {
	var service struct {
		Name     string            `json:"name"`
		Metadata map[string]string `json:"metadata"`
	}
	if err := json.Unmarshal(answer, &service); err != nil {
		return "", false
	}
	name, ok := strings.CutPrefix(service.Name, "drover-")
	return name, ok && message.ValidName(name) && service.Metadata["node"] == name
}
