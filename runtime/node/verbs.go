package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/droverhq/drover/abi/driver"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/store/signature"
	"github.com/droverhq/drover/runtime/supervise"
)

// verbs are what the node answers besides what the bridge does.
func (n *Node) verbs() map[string]natsbridge.Verb {
	return map[string]natsbridge.Verb{
		"get.ps":        n.whenStarted(n.ps),
		"get.show":      n.whenStarted(n.getShow),
		"get.logs":      n.whenStarted(n.getLogs),
		"get.actions":   n.whenStarted(n.actions),
		"get.crashes":   n.whenStarted(n.getCrashes),
		"get.crash":     n.whenStarted(n.getCrash),
		"get.apply":     n.whenStarted(n.getApply),
		"ctl.apply":     n.whenStarted(n.ctlApply),
		"get.modules":   n.whenStarted(n.getModules),
		"get.module":    n.whenStarted(n.getModule),
		"ctl.log-level": n.whenStarted(n.setLogLevel),
		"ctl.start":     n.starting(func(_ context.Context, m *member) error { m.channel.Start(); return nil }),
		"ctl.stop":      n.on(func(ctx context.Context, m *member) error { return m.channel.Stop(ctx) }),
		"ctl.restart":   n.starting(func(ctx context.Context, m *member) error { return m.channel.Restart(ctx) }),
		"ctl.swap":      n.whenStarted(n.ctlSwap),

		"ctl.forget-module": n.whenStarted(n.forgetModule),
	}
}

// whenStarted has a call wait until the node is complete: the bridge answers before its channels are made.
func (n *Node) whenStarted(verb natsbridge.Verb) natsbridge.Verb {
	return func(ctx context.Context, body []byte) (any, error) {
		select {
		case <-n.started:
			return verb(ctx, body)
		case <-ctx.Done():
			return nil, message.ErrNotReady.With("the node is starting")
		}
	}
}

// ps answers what every channel is and does.
func (n *Node) ps(context.Context, []byte) (any, error) {
	out := message.Processes{
		Node: n.config.Node.Name, Epoch: n.bridge.Epoch(), Links: n.bridge.Links(), Channels: []message.Process{},
	}
	for _, m := range n.members.all() {
		out.Channels = append(out.Channels, n.process(m))
	}
	return out, nil
}

// process is what a member is and does.
func (n *Node) process(m *member) message.Process {
	p := message.Process{Channel: m.config.Name, Devices: len(m.config.Devices), State: n.state(m)}
	for _, d := range m.config.Devices {
		p.Points += len(d.Points)
	}
	p.Override = n.overrideOf(m.name())
	if m.channel == nil {
		return p
	}
	metadata, usage := m.channel.Driver(), m.channel.Usage()
	p.Driver, p.Version, p.Digest = metadata.Name, metadata.Version, m.channel.Digest()
	p.Pending = n.pending(m)
	p.PointsPerSecond = m.channel.Counters().PointsPerSecond
	p.CPU, p.Memory = usage.CPU.Seconds(), usage.Memory
	for _, d := range m.channel.DeviceStates() {
		if d.Status == driver.StatusOnline {
			p.Online++
		}
	}
	return p
}

// state is a channel's state as a message of now.
func (n *Node) state(m *member) message.State {
	s := stateOf(m.snapshot())
	s.Header = message.Header{TS: message.Time{Time: time.Now()}, Epoch: n.bridge.Epoch()}
	return s
}

func (m *member) snapshot() supervise.Snapshot {
	if m.channel == nil {
		return m.failed
	}
	return m.channel.Snapshot()
}

// on makes a verb of something that is done with the channel that the body names.
func (n *Node) on(do func(context.Context, *member) error) natsbridge.Verb {
	return n.whenStarted(func(ctx context.Context, body []byte) (any, error) {
		m, err := n.named(body)
		if err != nil {
			return nil, err
		}
		if m.channel == nil {
			return nil, m.missing()
		}
		if err := do(ctx, m); err != nil {
			return nil, err
		}
		return n.state(m), nil
	})
}

// starting is on, for what starts a channel: one that has no driver gets it first, where it can be had by now.
func (n *Node) starting(do func(context.Context, *member) error) natsbridge.Verb {
	begin := n.on(do)
	return n.whenStarted(func(ctx context.Context, body []byte) (any, error) {
		m, err := n.named(body)
		if err != nil {
			return nil, err
		}
		if m.channel != nil {
			return begin(ctx, body)
		}
		if m, err = n.revive(ctx, n.library, m.name()); err != nil {
			return nil, err
		}
		if m.channel == nil {
			return nil, m.missing()
		}
		return n.state(m), nil
	})
}

// named is the member that a body names.
func (n *Node) named(body []byte) (*member, error) {
	var request struct {
		Channel string `json:"channel"`
	}
	if err := json.Unmarshal(body, &request); err != nil {
		return nil, message.ErrBody.With(fmt.Sprintf(`the body is not {"channel":"NAME"}: %v`, err))
	}
	return n.members.find(request.Channel)
}

// missing is why a member has no channel, as callers are told.
func (m *member) missing() error {
	if errors.Is(m.failure, signature.ErrUntrusted) {
		return message.ErrUntrusted.With(m.failure.Summary)
	}
	return message.ErrNotReady.With(m.failure.Summary)
}
