package natsbridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

const (
	// callTimeout is how long a caller waits who does not say.
	callTimeout = 1500 * time.Millisecond
	// longestCall bounds what a caller may say.
	longestCall = 10 * time.Minute
	// atOnce is how many calls of an endpoint run at the same time; more are refused.
	atOnce = 16
)

// calls answers what is asked of the node: one micro service with a wildcard endpoint for each root of verbs, because
// endpoints cannot be removed and a service per channel costs 50 KB.
//
// nats.go runs the handlers of an endpoint one after the other, so these only start a goroutine. Answers go through the
// ring like everything that is published.
type calls struct {
	bridge  *Bridge
	verbs   map[string]Verb
	service micro.Service
	ctx     context.Context
	cancel  context.CancelFunc
	looks   endpoint
	changes endpoint

	mu      sync.Mutex
	stopped bool
	running sync.WaitGroup
}

// endpoint is one root of verbs.
type endpoint struct {
	name   string
	slots  chan struct{}
	failed atomic.Uint64
}

func newCalls(b *Bridge) *calls {
	c := &calls{bridge: b, verbs: b.builtin()}
	for name, verb := range b.config.Verbs {
		c.verbs[name] = verb
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	for e, name := range map[*endpoint]string{&c.looks: "get", &c.changes: "ctl"} {
		e.name, e.slots = name, make(chan struct{}, atOnce)
	}
	return c
}

// validVerb says whether name is get.<verb> or ctl.<verb>, and not one of the bridge's own.
func validVerb(name string) bool {
	root, verb, _ := strings.Cut(name, ".")
	if name == "get.ping" || name == "get.state" || name == "get.last" {
		return false
	}
	return (root == "get" || root == "ctl") && message.ValidName(verb)
}

func (c *calls) start() error {
	service, err := micro.AddService(c.bridge.link.conn, micro.Config{
		Name:               "drover-" + c.bridge.config.Node,
		Version:            c.bridge.config.Version,
		Description:        "Drover node " + c.bridge.config.Node,
		Metadata:           map[string]string{"node": c.bridge.config.Node, "epoch": c.bridge.config.Epoch},
		QueueGroupDisabled: true, // nobody else answers for this node, by mistake or on purpose
		StatsHandler:       c.stats,
	})
	if err != nil {
		return err
	}
	c.service = service
	for _, e := range []*endpoint{&c.looks, &c.changes} {
		subject := c.bridge.config.CallPrefix + "." + c.bridge.config.Node + "." + e.name + ".*"
		handle := micro.HandlerFunc(func(r micro.Request) { c.handle(e, r) })
		if err := service.AddEndpoint(e.name, handle, micro.WithEndpointSubject(subject)); err != nil {
			c.stop(context.Background())
			return err
		}
	}
	return nil
}

// stats adds what the service's own counters miss, because the answers are given behind its back.
func (c *calls) stats(e *micro.Endpoint) any {
	failed := &c.looks.failed
	if e.Name == c.changes.name {
		failed = &c.changes.failed
	}
	return map[string]uint64{"failed": failed.Load()}
}

// handle starts to answer one call; never blocks.
func (c *calls) handle(e *endpoint, r micro.Request) {
	name := e.name + r.Subject()[strings.LastIndexByte(r.Subject(), '.'):]
	verb, ok := c.verbs[name]
	if !ok {
		c.answer(e, r, nil, message.ErrUnknownVerb.With("there is no verb "+strconv.Quote(name)))
		return
	}
	timeout, err := timeoutOf(r)
	if err != nil {
		c.answer(e, r, nil, err)
		return
	}
	if !c.enter(e) {
		c.answer(e, r, nil, message.ErrBusy)
		return
	}
	go func() {
		defer c.leave(e)
		ctx, cancel := context.WithTimeout(c.ctx, timeout)
		defer cancel()
		result, err := c.call(ctx, name, verb, r.Data())
		c.answer(e, r, result, err)
	}()
}

// enter takes a slot of the endpoint; false when there is none, or no more calls are taken.
func (c *calls) enter(e *endpoint) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopped {
		return false
	}
	select {
	case e.slots <- struct{}{}:
		c.running.Add(1)
		return true
	default:
		return false
	}
}

func (c *calls) leave(e *endpoint) {
	<-e.slots
	c.running.Done()
}

// call runs a verb. A panic in it is our bug: this call fails, the node lives.
func (c *calls) call(ctx context.Context, name string, verb Verb, body []byte) (result any, err error) {
	defer func() {
		if p := recover(); p != nil {
			c.bridge.config.Logger.Error("a verb panicked", "verb", name, "panic", p, "stack", string(debug.Stack()))
			err = message.ErrInternal
		}
	}()
	return verb(ctx, body)
}

// timeoutOf reads how long the caller waits.
func timeoutOf(r micro.Request) (time.Duration, error) {
	text := r.Headers().Get(message.HeaderTimeout)
	if text == "" {
		return callTimeout, nil
	}
	timeout, err := time.ParseDuration(text)
	if err != nil || timeout <= 0 {
		return 0, message.ErrBody.With(fmt.Sprintf("%s %q is no time to wait", message.HeaderTimeout, text))
	}
	return min(timeout, longestCall), nil
}

// answer puts the answer into the ring. A call without a reply subject gets none.
func (c *calls) answer(e *endpoint, r micro.Request, result any, err error) {
	body, encoding := json.Marshal(result)
	if err == nil && encoding != nil {
		c.bridge.config.Logger.Error("an answer cannot be encoded", "subject", r.Subject(), "error", encoding)
		err = message.ErrInternal
	}
	var header nats.Header
	if err != nil {
		e.failed.Add(1)
		wire := wireError(err)
		header, body = headerOf(wire), mustJSON(wire)
	}
	if r.Reply() == "" {
		return
	}
	b := c.bridge.buffers.get(len(body))
	b.b = append(b.b, body...)
	c.bridge.ring.add(classReply, entry{subject: r.Reply(), body: b, header: header})
}

// wireError returns what the caller is told.
func wireError(err error) *message.Error {
	if told, ok := errors.AsType[*message.Error](err); ok {
		return told
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		return message.ErrExpired.With(err.Error())
	}
	return message.ErrInternal.With(err.Error())
}

func headerOf(e *message.Error) nats.Header {
	return nats.Header{
		message.HeaderError:       {oneLine(e.Message)},
		message.HeaderErrorStatus: {strconv.Itoa(e.Status)},
		message.HeaderErrorCode:   {e.Code},
	}
}

// oneLine keeps a text from ending its header.
func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// mustJSON encodes an error, which has only texts and a number.
func mustJSON(e *message.Error) []byte {
	body, _ := json.Marshal(e)
	return body
}

// stop refuses further calls, cancels those that run, and waits for them until ctx ends.
func (c *calls) stop(ctx context.Context) {
	if err := c.service.Stop(); err != nil {
		c.bridge.config.Logger.Debug("the service did not stop cleanly", "error", err)
	}
	c.mu.Lock()
	c.stopped = true
	c.mu.Unlock()
	c.cancel()
	done := make(chan struct{})
	go func() {
		c.running.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
