package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// incoming is a message of a node.
type incoming struct {
	// subject is the whole subject.
	subject string
	message.Subject
	payload []byte
}

// redraw is how often a live table is drawn, at most.
const redraw = 200 * time.Millisecond

// follower shows messages as they come: as JSON, as a live table, or as lines.
type follower struct {
	terminal
	json bool
	// only narrows what is shown; empty parts take everything.
	only pointKey
	// count is how many data messages end it; 0 is without end.
	count  int
	values *values
	// ask returns what the node knows of its channels: what was said before we heard it.
	ask   func(ctx context.Context) (message.Snapshot, error)
	shown int
}

// follow shows messages until ctx is done, the channel is closed or the count is reached.
func (f *follower) follow(ctx context.Context, messages <-chan incoming) error {
	if snapshot, err := f.ask(ctx); err == nil { // else it is asked again with the first value
		if err := f.learn(snapshot); err != nil {
			return err
		}
	}
	if f.json || !f.isTTY {
		return f.each(ctx, messages, nil, func() error { return nil })
	}
	ticker := time.NewTicker(redraw)
	defer ticker.Stop()
	region := live{out: f.out}
	return f.each(ctx, messages, ticker.C, func() error {
		rows, columns := f.size()
		return region.draw(f.values.render(f.palette(), time.Now(), rows, columns))
	})
}

// each takes the messages, and calls draw at every tick and at the end.
func (f *follower) each(ctx context.Context, messages <-chan incoming, tick <-chan time.Time, draw func() error) error {
	for {
		select {
		case <-ctx.Done():
			return draw()
		case <-tick:
			if err := draw(); err != nil {
				return err
			}
		case m, ok := <-messages:
			if !ok {
				return draw()
			}
			if err := f.take(ctx, m); err != nil {
				return err
			}
			if f.count > 0 && f.shown >= f.count {
				return draw()
			}
		}
	}
}

// take shows one message. A message that cannot be decoded is said so, and no reason to end.
func (f *follower) take(ctx context.Context, m incoming) error {
	if f.only.device != "" && m.Device != "" && m.Device != f.only.device {
		return nil
	}
	if f.json {
		return f.printRaw(m)
	}
	var err error
	switch m.Kind {
	case message.KindData:
		err = decoded(m, func(m incoming, d message.Data) error { return f.data(ctx, m, d) })
	case message.KindHandle:
		err = decoded(m, func(m incoming, h message.Handle) error {
			f.values.handle(m.Channel, m.Device, h)
			return nil
		})
	case message.KindState:
		err = decoded(m, f.state)
	}
	if err != nil {
		fmt.Fprintf(f.err, "drover: %s: %v\n", m.subject, err)
	}
	return nil
}

func decoded[T any](m incoming, use func(incoming, T) error) error {
	v, err := message.Decode[T](m.payload)
	if err != nil {
		return err
	}
	return use(m, v)
}

func (f *follower) data(ctx context.Context, m incoming, d message.Data) error {
	if err := f.meet(ctx, m.Channel, m.Device); err != nil {
		return err
	}
	used := false
	for _, name := range slices.Sorted(maps.Keys(d.Points)) {
		if f.only.point != "" && f.only.point != name {
			continue
		}
		used = true
		s := f.values.data(m.Channel, m.Device, name, d.TS.Time, d.Points[name])
		if !f.isTTY {
			f.line(pointKey{m.Channel, m.Device, name}, s)
		}
	}
	if used {
		f.shown++
	}
	return nil
}

// meet asks the node for the units of a device that is new to us.
func (f *follower) meet(ctx context.Context, channel, device string) error {
	if f.values.knows(channel, device) {
		return nil
	}
	snapshot, err := f.ask(ctx)
	if err != nil {
		return err
	}
	f.values.handle(channel, device, message.Handle{}) // It is asked for once, also where there is none.
	return f.learn(snapshot)
}

// learn takes what a node says of its channels.
func (f *follower) learn(snapshot message.Snapshot) error {
	for _, name := range slices.Sorted(maps.Keys(snapshot.Channels)) {
		channel := snapshot.Channels[name]
		if f.json || f.only.channel != "" && f.only.channel != name {
			continue
		}
		for device, handle := range channel.Handles {
			f.values.handle(name, device, handle)
		}
		if s := channel.State; s != nil && f.values.states[name].TS != s.TS {
			if err := f.state(incoming{Subject: message.Subject{Channel: name}}, *s); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *follower) line(k pointKey, s shown) {
	text := s.at.Local().Format("15:04:05.000") + " " + k.String()
	for _, word := range []string{s.value, f.values.units[k], quality(f.palette(), s)} {
		if word != "" {
			text += " " + word
		}
	}
	fmt.Fprintln(f.out, text)
}

func (f *follower) state(m incoming, s message.State) error {
	f.values.states[m.Channel] = s
	if !f.isTTY {
		fmt.Fprintf(f.out, "%s %s %s%s\n", s.TS.Local().Format("15:04:05.000"), m.Channel, s.State, reason(s))
	}
	return nil
}

// printRaw prints a data message as it came, and the subject that it came on.
func (f *follower) printRaw(m incoming) error {
	if m.Kind != message.KindData || f.only.point != "" && !hasPoint(m.payload, f.only.point) {
		return nil
	}
	f.shown++
	line := struct {
		Subject string          `json:"subject"`
		Message json.RawMessage `json:"message"`
	}{m.subject, m.payload}
	if err := json.NewEncoder(f.out).Encode(line); err != nil {
		return fmt.Errorf("print message: %w", err)
	}
	return nil
}

func hasPoint(payload []byte, point string) bool {
	d, err := message.Decode[message.Data](payload)
	_, ok := d.Points[point]
	return err == nil && ok
}
