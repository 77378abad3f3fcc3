package node

import (
	"cmp"
	"context"
	"fmt"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/dial"
	"github.com/droverhq/drover/runtime/natsbridge/embedded"
	"github.com/droverhq/drover/runtime/natsbridge/modules"
)

// connect starts the server, where it is ours, and the bridge.
func (n *Node) connect(ctx context.Context) error {
	c := natsbridge.Config{
		Node: n.config.Node.Name, Version: n.config.Version, Logger: n.config.Logger, Verbs: n.verbs(),
		Commands:      commands{n},
		Stream:        streamOf(n.config.Node),
		Tracer:        n.config.Tracer,
		CommandPolicy: natsbridge.CommandPolicy(n.config.Node.NATS.Commands),
	}
	local := client.Local{Node: n.config.Node.Name}
	var err error
	switch nats := n.config.Node.NATS; {
	case nats.Embedded != nil:
		if problems := CheckNATS(n.config.Node); len(problems) > 0 {
			return problems
		}
		if n.server, err = embedded.Start(serverConfig(n.config)); err != nil {
			return err
		}
		c.Server = n.server
		local.Credentials, local.InboxPrefix = n.server.Admin().Credentials, n.server.Admin().InboxPrefix
	case nats.Remote != nil:
		if c.URL, c.Credentials, err = Server(nats.Remote); err != nil {
			return err
		}
		n.url = c.URL
		local.Credentials, local.InboxPrefix = c.Credentials, natsbridge.InboxPrefix(c.Node)
	}
	if n.bridge, err = natsbridge.New(ctx, c); err != nil {
		return err
	}
	n.library.connect(n.bucket)
	n.config.Logs.Publish(n.bridge.Log)
	local.Epoch, local.URL = n.bridge.Epoch(), n.URL()
	n.announce(local)
	return nil
}

// bucket opens the bucket of modules that nodes share.
func (n *Node) bucket(ctx context.Context) (*modules.Bucket, error) {
	return n.bridge.Modules(ctx, modules.Options{Domain: n.config.Node.NATS.ModulesDomain})
}

// announce leaves the file by which the command line of the same user finds the node. Without it, it has to be told.
func (n *Node) announce(local client.Local) {
	if err := client.WriteLocal(local); err != nil {
		n.config.Logger.Warn("the command line will not find this node by itself", "error", err)
	}
}

// serverConfig is what the configuration says of the server in the node's process.
func serverConfig(c Config) embedded.Config {
	e := c.Node.NATS.Embedded
	return embedded.Config{
		Name: c.Node.Name, Listen: e.Listen, Data: c.Node.Data, NoJetStream: !e.JetStream,
		MaxMemory: int64(e.Store.Memory), MaxStore: int64(e.Store.Disk),
		SyncInterval: e.Store.Sync, SyncAlways: e.Store.SyncAlways,
		File: e.Config, Account: e.Account, Creds: e.Creds,
		LeafCalls: c.Node.NATS.Commands == config.CommandsAll,
		Logger:    c.Logger,
	}
}

// Server returns where a server elsewhere is and who we are to it. What the configuration leaves open is from its NATS
// context, where it names one.
func Server(r *config.Remote) (url string, c dial.Credentials, err error) {
	c = dial.Credentials{
		File: r.Creds, NKey: r.NKey, Token: string(r.Token), User: string(r.User), Password: string(r.Password),
	}
	if r.TLS != nil {
		c.CA, c.Cert, c.Key = r.TLS.CA, r.TLS.Cert, r.TLS.Key
	}
	if r.Context == "" {
		return r.URL, c, nil
	}
	context, err := dial.ReadContext(r.Context)
	if err != nil {
		return "", c, err
	}
	context.Fill(&c)
	if url = cmp.Or(r.URL, context.URL); url == "" {
		return "", c, fmt.Errorf("NATS context %q has no url", r.Context)
	}
	return url, c, nil
}

// URL returns where clients find the node's server.
func (n *Node) URL() string {
	if n.server != nil {
		return n.server.URL()
	}
	return n.url
}
