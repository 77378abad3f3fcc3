package natsbridge

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// ErrNameTaken means that another node answers by the name.
var ErrNameTaken = errors.New("the node's name is taken")

// nameWait is how long another node of the name has for its answer.
const nameWait = 500 * time.Millisecond

// rival asks for the node by its name, and returns another node that answers, if any. What answers but is no node is a
// stream over the calls: it would answer them in the node's place, so that is logged.
func (b *Bridge) rival(ctx context.Context) (*message.Ping, error) {
	ctx, cancel := context.WithTimeout(ctx, nameWait)
	defer cancel()
	conn := b.link.conn
	inbox := conn.NewRespInbox()
	sub, err := conn.SubscribeSync(inbox)
	if err != nil {
		return nil, fmt.Errorf("ask for the node's name: %w", err)
	}
	defer sub.Unsubscribe() //nolint:errcheck // the connection is gone then, and the subscription with it
	subject := b.config.CallPrefix + "." + b.config.Node + ".get.ping"
	if err := conn.PublishRequest(subject, inbox, nil); err != nil {
		return nil, fmt.Errorf("ask for the node's name: %w", err)
	}
	for {
		answer, err := sub.NextMsgWithContext(ctx)
		switch {
		case errors.Is(err, nats.ErrNoResponders), errors.Is(err, context.DeadlineExceeded):
			return nil, nil
		case err != nil:
			return nil, fmt.Errorf("ask for the node's name: %w", err)
		}
		ping, err := message.Decode[message.Ping](answer.Data)
		switch {
		case err != nil || ping.Node != b.config.Node:
			b.config.Logger.Warn("a stream captures the calls and answers them", "subject", subject,
				"answer", string(answer.Data))
		case ping.Epoch != b.config.Epoch:
			return &ping, nil
		}
	}
}

// taken is the error of a node that finds another one by its name.
func taken(name, epoch string) error {
	return fmt.Errorf("%w: %q of epoch %s", ErrNameTaken, name, epoch)
}

// contest looks for another node of the name after the connection was away. Of two, the one that started later gives
// way; epochs sort by time.
func (b *Bridge) contest(ctx context.Context) error {
	other, err := b.rival(ctx)
	switch {
	case err != nil || other == nil:
		return err
	case other.Epoch < b.config.Epoch:
		return taken(other.Node, other.Epoch)
	}
	b.config.Logger.Error("another node of this name has started since; it is to give way", "epoch", other.Epoch)
	return nil
}
