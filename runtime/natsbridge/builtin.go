package natsbridge

import (
	"context"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// builtin returns the bridge's own verbs. They answer from memory.
func (b *Bridge) builtin() map[string]Verb {
	return map[string]Verb{
		"get.ping":  b.getPing,
		"get.state": b.getState,
		"get.last":  b.getLast,
	}
}

func (b *Bridge) getPing(context.Context, []byte) (any, error) {
	return message.Ping{
		Node: b.config.Node, Epoch: b.config.Epoch, Version: b.config.Version, Started: message.Time{Time: b.started},
		CapturedBy: b.captors(), Links: b.Links(),
	}, nil
}

func (b *Bridge) getState(context.Context, []byte) (any, error) {
	return message.Snapshot{Node: b.config.Node, Epoch: b.config.Epoch, Links: b.Links(), Channels: b.memory.snapshot()}, nil
}

func (b *Bridge) getLast(context.Context, []byte) (any, error) {
	return message.Values{Node: b.config.Node, Epoch: b.config.Epoch, Channels: b.memory.values()}, nil
}
