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

// checkName asks for the node by its name. What answers but is no node is a stream over the calls: it would answer them
// in the node's place, so that is logged.
func (b *Bridge) checkName(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, nameWait)
	defer cancel()
	conn := b.link.conn
	inbox := conn.NewRespInbox()
	sub, err := conn.SubscribeSync(inbox)
	if err != nil {
		return fmt.Errorf("ask for the node's name: %w", err)
	}
	defer sub.Unsubscribe() //nolint:errcheck // the connection is gone then, and the subscription with it
	subject := b.config.CallPrefix + "." + b.config.Node + ".get.ping"
	if err := conn.PublishRequest(subject, inbox, nil); err != nil {
		return fmt.Errorf("ask for the node's name: %w", err)
	}
	for {
		answer, err := sub.NextMsgWithContext(ctx)
		switch {
		case errors.Is(err, nats.ErrNoResponders), errors.Is(err, context.DeadlineExceeded):
			return nil
		case err != nil:
			return fmt.Errorf("ask for the node's name: %w", err)
		}
		ping, err := message.Decode[message.Ping](answer.Data)
		if err == nil && ping.Node == b.config.Node {
			return fmt.Errorf("%w: %q of epoch %s", ErrNameTaken, ping.Node, ping.Epoch)
		}
		b.config.Logger.Warn("a stream captures the calls and answers them", "subject", subject, "answer", string(answer.Data))
	}
}
