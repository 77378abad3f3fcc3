package embedded

import (
	"github.com/nats-io/nats-server/v2/server"

	"github.com/droverhq/drover/runtime/natsbridge/dial"
)

// anonymous is the user that clients without credentials are.
const anonymous = "anonymous"

// users are the node, which may do everything, and anonymous.
func users(node dial.Credentials, prefix, callPrefix string) []*server.User {
	return []*server.User{
		{Username: node.User, Password: node.Password},
		{Username: anonymous, Permissions: observer(prefix, callPrefix)},
	}
}

// observer is what clients without credentials may do: watch, ask, and discover. What would let them reach a command is
// missing on purpose: any consumer of JetStream (its deliver subject can be a command), and every inbox but their own
// (node and command line have prefixes of their own).
func observer(prefix, callPrefix string) *server.Permissions {
	return &server.Permissions{
		Subscribe: &server.SubjectPermission{Allow: []string{prefix + ".>", "_INBOX.>"}},
		Publish: &server.SubjectPermission{Allow: []string{
			callPrefix + ".*.get.>",
			"$SRV.PING", "$SRV.PING.>", "$SRV.INFO", "$SRV.INFO.>", "$SRV.STATS", "$SRV.STATS.>",
			"$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST",
		}},
	}
}
