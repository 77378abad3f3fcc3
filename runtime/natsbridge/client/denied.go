package client

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// ErrDenied is what the NATS server does not permit: it never reached a node.
var ErrDenied = &message.Error{Status: 403, Code: "call.denied", Message: "the NATS server does not permit it"}

// denials hand what a server objects to on to those who wait for an answer: it comes beside the answers, and no answer
// comes then.
type denials struct {
	mu   sync.Mutex
	next int
	by   map[int]waiter
}

// anySubject is for those who use more than one.
const anySubject = ""

type waiter struct {
	subject string
	end     context.CancelCauseFunc
}

// watch returns a context that ends with ErrDenied when the server objects to the subject, or to a subscription.
func (d *denials) watch(ctx context.Context, subject string) (context.Context, func()) {
	ctx, end := context.WithCancelCause(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.by == nil {
		d.by = make(map[int]waiter)
	}
	id := d.next
	d.next++
	d.by[id] = waiter{subject, end}
	return ctx, func() {
		d.mu.Lock()
		delete(d.by, id)
		d.mu.Unlock()
		end(nil)
	}
}

// heard takes what the server told.
func (d *denials) heard(err error) {
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return
	}
	text := err.Error()
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.by {
		if w.subject == anySubject || strings.Contains(text, strconv.Quote(w.subject)) || strings.Contains(text, "for Subscription to") {
			w.end(ErrDenied.With("the NATS server does not permit it: " + strings.TrimPrefix(text, "nats: ")))
		}
	}
}

// ask sends a request and waits for its answer, or for the server's objection.
func (c *Client) ask(ctx context.Context, request *nats.Msg) (*nats.Msg, error) {
	ctx, done := c.denials.watch(ctx, request.Subject)
	defer done()
	answer, err := c.conn.RequestMsgWithContext(ctx, request)
	if denied, ok := errors.AsType[*message.Error](context.Cause(ctx)); err != nil && ok {
		return nil, denied
	}
	return answer, err
}
