//go:build chaos && linux

package chaos

import (
	"context"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// outcome is what is there once a script was played and the node has stopped.
type outcome struct {
	played map[string][]played
	// attempts is in which attempt each channel was in the end.
	attempts map[string]uint64
	// asked is how often the device of each healthy channel was.
	asked map[string]uint64
	// cycles is what came of each healthy channel.
	cycles map[string]*cycles
	// failures are the events of each channel, in order.
	failures map[string][]message.Failure
	// shares tell how long the machine kept the node waiting, over time.
	shares []share
}

// stored reads a stream from its beginning to its end.
func stored(ctx context.Context, js jetstream.JetStream, name string, each func(message.Subject, []byte) error) error {
	stream, err := js.Stream(ctx, name)
	if err != nil {
		return fmt.Errorf("stream %s: %w", name, err)
	}
	consumer, err := stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{})
	if err != nil {
		return fmt.Errorf("read stream %s: %w", name, err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return fmt.Errorf("read stream %s: %w", name, err)
	}
	defer messages.Stop()
	for range stream.CachedInfo().State.Msgs {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return fmt.Errorf("read stream %s: %w", name, err)
		}
		subject, err := message.ParseSubject(message.DefaultPrefix, m.Subject())
		if err != nil {
			return err
		}
		if err := each(subject, m.Data()); err != nil {
			return fmt.Errorf("%s: %w: %s", subject, err, m.Data())
		}
	}
	return nil
}

// readEvents reads the failures, and what else must not be there.
func (o *outcome) readEvents(ctx context.Context, js jetstream.JetStream) error {
	o.failures = map[string][]message.Failure{}
	return stored(ctx, js, "drover-n1-events", func(s message.Subject, body []byte) error {
		e, err := message.Decode[message.Event](body)
		if err != nil {
			return err
		}
		switch s.Event {
		case "failure":
			f, err := message.Decode[message.Failure](e.Detail)
			o.failures[s.Channel] = append(o.failures[s.Channel], f)
			return err
		case "delivery":
			d, err := message.Decode[message.Delivery](e.Detail)
			if d.Dropped > 0 {
				return fmt.Errorf("%d messages for the stream were dropped", d.Dropped)
			}
			return err
		}
		return nil
	})
}

// readData reads the messages of the channels with delivery: stream. Those that are attacked lose cycles, and no
// message.
func (o *outcome) readData(ctx context.Context, js jetstream.JetStream) error {
	last := map[string]uint64{}
	return stored(ctx, js, "drover-n1-data", func(s message.Subject, body []byte) error {
		if h, ok := healthy[s.Channel]; ok {
			if o.cycles[s.Channel] == nil {
				o.cycles[s.Channel] = &cycles{period: h.period}
			}
			o.cycles[s.Channel].count(body)
			return nil
		}
		d, err := message.Decode[message.Data](body)
		if last[s.Channel]++; err == nil && d.Seq != last[s.Channel] && d.Part <= 1 {
			err = fmt.Errorf("number %d in place of %d", d.Seq, last[s.Channel])
		}
		last[s.Channel] = d.Seq
		return err
	})
}

// verify holds what came against the script.
func (o *outcome) verify(t *testing.T) {
	for channel := range victims {
		if channel != server {
			o.verifyVictim(t, channel)
		}
	}
	for channel := range healthy {
		o.verifyHealthy(t, channel)
	}
	if n := len(o.shares); n > 0 {
		whole := span{o.shares[0].from, o.shares[n-1].to}
		t.Logf("the machine kept the node's threads waiting for %s in %s",
			o.waited(whole).Round(time.Millisecond), whole.to.Sub(whole.from).Round(time.Millisecond))
	}
}

// verifyVictim: each attempt but the last has one event, of a code that the act explains which came upon it.
func (o *outcome) verifyVictim(t *testing.T, channel string) {
	attempt := uint64(1)
	for i, p := range o.played[channel] {
		next := o.attempts[channel]
		if i+1 < len(o.played[channel]) {
			next = o.played[channel][i+1].attempt
		}
		d := deedOf(channel, p.act)
		if p.attempt != attempt || next < attempt || d.once() && next != attempt+1 || len(d.codes) == 0 && next != attempt ||
			len(d.codes) > 0 && next == attempt {
			t.Errorf("%s: %s at %s: found attempt %d and left %d, after %d", channel, p.what, p.at, p.attempt, next, attempt)
		}
		for ; attempt < next; attempt++ {
			o.verifyFailure(t, channel, p, attempt)
		}
	}
	if n := uint64(len(o.failures[channel])); n != attempt-1 {
		t.Errorf("%s: %d failures were told in %d attempts: %v", channel, n, attempt, codes(o.failures[channel]))
	}
}

func (o *outcome) verifyFailure(t *testing.T, channel string, p played, attempt uint64) {
	var of []message.Failure
	for _, f := range o.failures[channel] {
		if f.Attempt == attempt {
			of = append(of, f)
		}
	}
	if d := deedOf(channel, p.act); len(of) != 1 || !slices.Contains(d.codes, of[0].Code) {
		t.Errorf("%s: %s at %s: attempt %d has failures %v, wanted is one of %v",
			channel, p.what, p.at, attempt, codes(of), d.codes)
	}
}

func codes(all []message.Failure) (texts []string) {
	for _, f := range all {
		texts = append(texts, fmt.Sprintf("%s (attempt %d, %s: %s)", f.Code, f.Attempt, f.Phase, f.Summary))
	}
	return texts
}

// verifyHealthy: it never failed, every cycle was published, and those that a subscriber has not got were on a
// connection that was cut. A cycle that the driver skipped is one that the machine was late for.
func (o *outcome) verifyHealthy(t *testing.T, channel string) {
	c := o.cycles[channel]
	if c == nil || c.messages == 0 {
		t.Fatalf("%s: nothing came", channel)
	}
	if n := o.attempts[channel]; n != 1 || len(o.failures[channel]) > 0 {
		t.Errorf("%s: attempt %d, failures %v", channel, n, codes(o.failures[channel]))
	}
	if len(c.wrong) > 0 {
		t.Errorf("%s: %s", channel, strings.Join(c.wrong, "\n"))
	}
	missing := uint64(0)
	for _, h := range c.holes {
		missing += h.before - h.after - 1
		if healthy[channel].stream || !o.wasCut(h.span) {
			t.Errorf("%s: %d was followed by %d, from %s to %s", channel, h.after, h.before, h.from, h.to)
		}
	}
	asked := o.asked[channel]
	if asked == 0 {
		asked = c.last.seq // the test driver asks nobody
	}
	if c.last.seq+1 < asked { // the last one may be on its way at the end
		t.Errorf("%s: %d cycles were published, the device was asked %d times", channel, c.last.seq, asked)
	}
	o.verifyPace(t, channel, c)
	t.Logf("%-8s %6d cycles, %d not heard by the subscriber in %d cuts", channel, c.last.seq, missing, len(c.holes))
}

// verifyPace: no cycle was skipped while the machine was there for it.
func (o *outcome) verifyPace(t *testing.T, channel string, c *cycles) {
	for _, s := range c.skipped {
		if waited := o.waited(s); waited < c.period/4 {
			t.Errorf("%s: a cycle is missing from %s to %s, while the machine kept the node waiting for %s only",
				channel, s.from, s.to, waited)
		}
	}
	length := c.last.at.Sub(c.first)
	t.Logf("%-8s %6.0f cycles are %s at a period of %s; %d gaps while the machine was busy",
		channel, math.Round(float64(length)/float64(c.period))+1, length.Round(time.Millisecond), c.period, len(c.skipped))
}

// waited is how long the machine kept the node waiting around that time.
func (o *outcome) waited(during span) (sum time.Duration) {
	for _, s := range o.shares {
		if s.meets(during) {
			sum += s.waited
		}
	}
	return sum
}

// wasCut says whether a connection was cut or the server away, or soon after: what was on its way then is lost, too.
func (o *outcome) wasCut(s span) bool {
	s.to = s.to.Add(onItsWay)
	return slices.ContainsFunc(o.played[server], func(p played) bool { return p.what != "stall" && p.meets(s) })
}

// onItsWay is how long a message may take to a subscriber on a machine that is busy.
const onItsWay = time.Second

// tellCodes tells how often there was which code.
func (o *outcome) tellCodes(t *testing.T) {
	count := map[string]int{}
	for _, failures := range o.failures {
		for _, f := range failures {
			count[f.Code]++
		}
	}
	for _, code := range slices.Sorted(maps.Keys(count)) {
		t.Logf("%6d %s", count[code], code)
	}
}
