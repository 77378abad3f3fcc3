package natsbridge

import (
	"strings"

	"github.com/nats-io/nats.go/micro"
)

// headerStream is what a server puts into messages that it takes out of a stream.
const headerStream = "Nats-Stream"

// isCall says whether a message is what somebody published as a call. A consumer of JetStream can be made to push what a
// stream holds to the subject of a command: that has its own subject still. A stream can be made to republish: that has
// a header which clients cannot be without. Neither has a caller who may write, so both are refused, and logged.
func (c *calls) isCall(r micro.Request) bool {
	root := c.bridge.config.CallPrefix + "." + c.bridge.config.Node + "."
	stream := r.Headers().Get(headerStream)
	if strings.HasPrefix(r.Subject(), root) && stream == "" {
		return true
	}
	c.bridge.config.Logger.Warn("refused what a stream sent to a command", "subject", r.Subject(), "stream", stream)
	return false
}
