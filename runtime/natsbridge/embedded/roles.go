package embedded

import (
	"github.com/nats-io/nats-server/v2/server"

	"github.com/droverhq/drover/runtime/natsbridge/dial"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// Role is what the bearer of a generated key may do on a server without users of its own.
type Role string

const (
	// RoleObserver looks: what anonymous clients may do, from an inbox that those cannot read, and reading the node's
	// streams, and the bucket with the modules, message by message.
	RoleObserver Role = "observer"
	// RoleOperator looks, reads, writes and invokes.
	RoleOperator Role = "operator"
	// RoleAdmin may do everything: changing the node, streams and consumers too.
	RoleAdmin Role = "admin"
)

// Roles are all roles, the least first.
func Roles() []Role { return []Role{RoleObserver, RoleOperator, RoleAdmin} }

// InboxPrefix is where a role's clients get their answers: an inbox that no other role but admin may read.
func (r Role) InboxPrefix() string { return "_INBOX_drover." + string(r) }

// Access is a way into a server.
type Access struct {
	Credentials dial.Credentials
	// InboxPrefix is for the client's inboxes; any when empty.
	InboxPrefix string
}

// permissions are what a role may do; nil is everything.
func (c *Config) permissions(role Role) *server.Permissions {
	if role == RoleAdmin {
		return nil
	}
	p := c.anonymous()
	p.Subscribe.Allow = append(p.Subscribe.Allow, role.InboxPrefix()+".>")
	for _, stream := range append(c.streams(), message.ModuleStream) {
		p.Publish.Allow = append(p.Publish.Allow,
			"$JS.API.DIRECT.GET."+stream, "$JS.API.STREAM.MSG.GET."+stream)
	}
	p.Publish.Allow = append(p.Publish.Allow,
		"$JS.API.STREAM.INFO."+message.ModuleStream, "$JS.API.DIRECT.GET."+message.ModuleStream+".>")
	if role == RoleOperator {
		p.Publish.Deny, p.Subscribe.Deny = nil, nil
		for _, verb := range []string{"read", "write", "invoke", "cancel"} {
			p.Publish.Allow = append(p.Publish.Allow, c.callPrefix()+".*.*."+verb+".>")
		}
	}
	return p
}

// anonymous is what clients without credentials may do: watch, ask, and discover (docs/security.md). What would let
// them reach a command is missing on purpose: any consumer of JetStream (its deliver subject can be a command), and
// every inbox but their own (node and command line have prefixes of their own).
func (c *Config) anonymous() *server.Permissions {
	publish := []string{
		c.callPrefix() + ".*.get.>",
		"$SRV.PING", "$SRV.PING.>", "$SRV.INFO", "$SRV.INFO.>", "$SRV.STATS", "$SRV.STATS.>",
		"$JS.API.INFO", "$JS.API.STREAM.NAMES", "$JS.API.STREAM.LIST",
	}
	for _, stream := range c.streams() {
		publish = append(publish, "$JS.API.STREAM.INFO."+stream, "$JS.API.DIRECT.GET."+stream+".>")
	}
	return &server.Permissions{
		// What a driver logs may be what a device said, as a whole post-mortem has the first bytes of what went over the
		// wire (docs/failures.md).
		Subscribe: &server.SubjectPermission{
			Allow: []string{c.prefix() + ".>", "_INBOX.>"}, Deny: []string{c.prefix() + ".*.*.log"},
		},
		Publish: &server.SubjectPermission{
			Allow: publish, Deny: []string{c.callPrefix() + ".*.get.crash", c.callPrefix() + ".*.get.logs"},
		},
	}
}

// roleUsers are the users of a server that has none of its own.
func (c *Config) roleUsers(keys *keys, options *server.Options) {
	for _, role := range Roles() {
		options.Nkeys = append(options.Nkeys, &server.NkeyUser{Nkey: keys.roles[role].public, Permissions: c.permissions(role)})
	}
	options.Nkeys = append(options.Nkeys,
		&server.NkeyUser{Nkey: keys.node.public}, &server.NkeyUser{Nkey: keys.anonymous.public, Permissions: c.anonymous()})
	options.NoAuthUser = keys.anonymous.public
}
