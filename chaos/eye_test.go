//go:build chaos && linux

package chaos

import (
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// eye is a NATS client beside the node: it asks how channels are, and counts what the healthy ones with core delivery
// publish.
type eye struct {
	conn   *nats.Conn
	closed chan struct{}

	mu     sync.Mutex
	cycles map[string]*cycles
}

func openEye(address string) (*eye, error) {
	e := &eye{closed: make(chan struct{}), cycles: map[string]*cycles{}}
	var err error
	e.conn, err = nats.Connect("nats://"+address, nats.MaxReconnects(-1),
		nats.ReconnectWait(5*time.Millisecond), nats.ReconnectJitter(0, 0),
		nats.ClosedHandler(func(*nats.Conn) { close(e.closed) }))
	if err != nil {
		return nil, fmt.Errorf("open the eye: %w", err)
	}
	for channel, h := range healthy {
		if h.stream {
			continue
		}
		c := &cycles{period: h.period}
		e.cycles[channel] = c
		if _, err := e.conn.Subscribe("drover.n1."+channel+".data.>", func(m *nats.Msg) {
			e.mu.Lock()
			defer e.mu.Unlock()
			c.count(m.Data)
		}); err != nil {
			return nil, fmt.Errorf("watch %s: %w", channel, err)
		}
	}
	return e, e.conn.Flush()
}

func (e *eye) close() {
	e.conn.Close()
	<-e.closed
}

// state asks how a channel is. The answer was made after the question.
func (e *eye) state(channel string) (message.State, error) {
	m, err := e.conn.Request("drover-call.n1.get.state", nil, 500*time.Millisecond)
	if err != nil {
		return message.State{}, err
	}
	all, err := message.Decode[message.Snapshot](m.Data)
	if err != nil {
		return message.State{}, err
	}
	if s := all.Channels[channel].State; s != nil {
		return *s, nil
	}
	return message.State{}, fmt.Errorf("nothing is known of channel %s", channel)
}

// await asks until a channel is as wanted, and returns how it is.
func (e *eye) await(channel, what string, wanted func(message.State) bool) (message.State, error) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var s message.State
	var err error
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		if s, err = e.state(channel); err == nil && wanted(s) {
			return s, nil
		}
	}
	return s, fmt.Errorf("%s: waited in vain until %s: it is %s, attempt %d, %s, last failure %+v, last error %w",
		channel, what, s.State, s.Attempt, s.Reason, s.LastFailure, err)
}

// ready waits until a channel is connected in an attempt after that one, and returns the attempt.
func (e *eye) ready(channel string, after uint64) (uint64, error) {
	s, err := e.await(channel, fmt.Sprint("ready after attempt ", after), func(s message.State) bool {
		return s.State == "connected" && s.Attempt > after
	})
	return s.Attempt, err
}

// failed waits until an attempt has failed.
func (e *eye) failed(channel string, attempt uint64) error {
	_, err := e.await(channel, fmt.Sprintf("attempt %d fails", attempt), func(s message.State) bool {
		return s.Attempt > attempt || s.LastFailure != nil && s.LastFailure.Attempt >= attempt
	})
	return err
}

// do has the driver of the channel "called" do it by a command, which must be answered by an error.
func (e *eye) do(what string) (end func() error, err error) {
	m := nats.NewMsg("drover-call.n1.called.invoke._.do")
	m.Header.Set(message.HeaderTimeout, "20s")
	if m.Data, err = json.Marshal(map[string]string{"what": what}); err != nil {
		return nil, err
	}
	answer, err := e.conn.RequestMsg(m, patience)
	if err != nil {
		return nil, fmt.Errorf("invoke do %s: %w", what, err)
	}
	if code := answer.Header.Get("Nats-Service-Error-Code"); code == "" {
		return nil, fmt.Errorf("invoke do %s: answered without an error: %s", what, answer.Data)
	}
	return func() error { return nil }, nil
}

// cycles is what came of a healthy channel. Its values are those of a counter that begins at 1, as its numbers are, so
// that they are the same if every cycle was published.
type cycles struct {
	period   time.Duration
	messages uint64
	first    time.Time
	// before and last are the two latest messages.
	before, last mark
	holes        []hole
	wrong        []string
	skipped      []span
}

// mark is a message's number and time.
type mark struct {
	seq uint64
	at  time.Time
}

// hole are messages that did not come, between two that did.
type hole struct {
	span
	after, before uint64
}

// span is from one time to another.
type span struct{ from, to time.Time }

func (s span) meets(other span) bool { return !s.to.Before(other.from) && !other.to.Before(s.from) }

// count takes the next message.
func (c *cycles) count(body []byte) {
	d, err := message.Decode[message.Data](body)
	if d.Points["count"].Code == "channel.stopped" { // the node's own word, the last one
		return
	}
	value, bad := strconv.ParseUint(string(d.Points["count"].V), 10, 64)
	if err != nil || bad != nil || value != d.Seq || d.Seq <= c.last.seq {
		c.wrong = append(c.wrong, fmt.Sprintf("after %d: %s", c.last.seq, body))
		if len(c.wrong) > 10 || err != nil {
			return
		}
	}
	now := mark{d.Seq, d.TS.Time}
	if c.messages == 0 {
		c.first, c.last = now.at, mark{now.seq - 1, now.at}
	}
	if now.seq > c.last.seq+1 {
		c.holes = append(c.holes, hole{span{c.last.at, now.at}, c.last.seq, now.seq})
	}
	// After one that is late the next comes all the sooner; after one that was skipped, it does not.
	due := time.Duration(now.seq-c.before.seq)*c.period + c.period*4/5
	if since := (span{c.before.at, now.at}); c.messages > 1 && since.to.Sub(since.from) >= due {
		c.skipped = append(c.skipped, since)
	}
	c.messages, c.before, c.last = c.messages+1, c.last, now
}
