package natsbridge

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	// atOnce is how many calls of a root of verbs run at the same time; more are refused.
	atOnce = 16
	// commandsAtOnce is how many commands of a verb wait at the same time, in all channels: each has a queue of its own.
	commandsAtOnce = 4096
)

// calls answers what is asked of the node: one micro service with a wildcard endpoint for each verb and each root of
// verbs, because endpoints cannot be removed and a service per channel costs 50 KB.
//
// nats.go runs the handlers of an endpoint one after the other, so these only start a goroutine, after a command is in its
// channel's queue. Answers go through the ring like everything that is published.
type calls struct {
	bridge    *Bridge
	verbs     map[string]Verb
	service   micro.Service
	ctx       context.Context
	cancel    context.CancelFunc
	endpoints []*endpoint
	keys      *keys
	actions   actions

	mu      sync.Mutex
	stopped bool
	running sync.WaitGroup
}

func newCalls(b *Bridge) *calls {
	c := &calls{bridge: b, verbs: b.builtin(), keys: newKeys()}
	for name, verb := range b.config.Verbs {
		c.verbs[name] = verb
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.endpoints = []*endpoint{
		newEndpoint("get", "get.*", atOnce, c.handle), newEndpoint("ctl", "ctl.*", atOnce, c.handle),
		newEndpoint("read", "*.read.>", commandsAtOnce, c.command), newEndpoint("write", "*.write.>", commandsAtOnce, c.command),
		newEndpoint("invoke", "*.invoke.>", commandsAtOnce, c.command),
		newEndpoint("cancel", "*.cancel.>", commandsAtOnce, c.cancelAction),
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
	for _, e := range c.endpoints {
		subject := c.bridge.config.CallPrefix + "." + c.bridge.config.Node + "." + e.subject
		handle := micro.HandlerFunc(func(r micro.Request) {
			if c.isCall(r) {
				e.handle(e, r)
			}
		})
		if err := service.AddEndpoint(e.name, handle, micro.WithEndpointSubject(subject)); err != nil {
			c.stop(context.Background())
			return err
		}
	}
	return nil
}

// stats adds what the service's own counters miss, because the answers are given behind its back.
func (c *calls) stats(e *micro.Endpoint) any {
	i := slices.IndexFunc(c.endpoints, func(known *endpoint) bool { return known.name == e.Name })
	if i < 0 {
		return nil
	}
	return c.endpoints[i].counted()
}

// handle starts to answer one call; never blocks.
func (c *calls) handle(e *endpoint, r micro.Request) {
	from := c.askerOf(r)
	name := e.name + r.Subject()[strings.LastIndexByte(r.Subject(), '.'):]
	if policy := c.bridge.config.CommandPolicy; !policy.permits(e.name) {
		c.answer(e, from, nil, notPermitted(e.name, policy))
		return
	}
	verb, ok := c.verbs[name]
	if !ok {
		c.answer(e, from, nil, message.ErrUnknownVerb.With("there is no verb "+strconv.Quote(name)))
		return
	}
	timeout, err := timeoutOf(r.Headers())
	if err != nil {
		c.answer(e, from, nil, err)
		return
	}
	if !c.enter(e) {
		c.answer(e, from, nil, message.ErrBusy)
		return
	}
	go func() {
		defer c.leave(e)
		ctx, cancel := context.WithTimeout(c.ctx, timeout)
		defer cancel()
		result, err := c.call(ctx, name, verb, r.Data())
		c.answer(e, from, result, err)
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
func timeoutOf(h micro.Headers) (time.Duration, error) {
	text := h.Get(message.HeaderTimeout)
	if text == "" {
		return callTimeout, nil
	}
	timeout, err := time.ParseDuration(text)
	if err != nil || timeout <= 0 {
		return 0, message.ErrBody.With(fmt.Sprintf("%s %q is no time to wait", message.HeaderTimeout, text))
	}
	return min(timeout, longestCall), nil
}

// answer encodes an answer and sends it.
func (c *calls) answer(e *endpoint, from asker, result any, err error) {
	var told *message.Error
	if err != nil {
		result, told = nil, wireError(err)
	}
	c.send(from, c.encode(e, result, told))
}

// answer is what goes back to a caller.
type answer struct {
	header nats.Header
	body   []byte
}

// encode encodes an answer and counts it. The body of an error without a result is the error.
func (c *calls) encode(e *endpoint, result any, err *message.Error) answer {
	if result == nil && err != nil {
		result = err
	}
	body, encoding := json.Marshal(result)
	if encoding != nil {
		c.bridge.config.Logger.Error("an answer cannot be encoded", "endpoint", e.name, "error", encoding)
		err = message.ErrInternal
		body = mustJSON(err)
	}
	e.count(err)
	if err == nil {
		return answer{body: body}
	}
	return answer{headerOf(err), body}
}

// asker is where an answer goes.
type asker struct {
	// reply is the subject; empty for nobody.
	reply string
	// losses is how often the connection had been lost when the call came: once it is lost again, the answer goes to
	// nobody, then or later.
	losses uint64
}

func (c *calls) askerOf(r micro.Request) asker { return asker{r.Reply(), c.bridge.link.losses.Load()} }

// send puts an answer into the ring. A call without a reply subject gets none.
func (c *calls) send(to asker, a answer) {
	if to.reply == "" {
		return
	}
	b := c.bridge.buffers.get(len(a.body))
	b.b = append(b.b, a.body...)
	c.bridge.ring.add(classReply, entry{subject: to.reply, body: b, header: a.header, losses: to.losses})
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
