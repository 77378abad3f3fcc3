package drover

import (
	"context"
	"errors"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/module"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/node"
)

// ReadModule reads the file of a driver. One that is too large to be one is refused.
func ReadModule(path string) ([]byte, error) { return module.ReadFile(path) }

// Inspect looks at a driver's module. Of its code only what says what it is runs, within the default limits, in an
// instance that is granted nothing. What cannot be a driver is refused with an error that says why.
//
// Compiled code is kept in the folder cache, which is made with mode 0700; nowhere when it is empty or cannot be used.
func Inspect(ctx context.Context, binary []byte, cache string) (_ *message.Inspection, err error) {
	loader, err := module.NewLoader(cache)
	if err != nil {
		loader, err = module.NewLoader("")
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, loader.Close(ctx)) }()
	m, err := loader.Load(ctx, binary)
	if err != nil {
		return nil, err
	}
	out := node.Inspection(m)
	return &out, m.Release(ctx)
}

// Grants are what a channel of a configuration lets its driver reach: nothing else.
func Grants(c *config.Channel) []message.Grant { return node.Grants(c) }

// ServerOf says how the node of a configuration with a server elsewhere connects to it.
func ServerOf(c *config.Node) (client.Options, error) {
	url, credentials, err := node.Server(c.NATS.Remote)
	return client.Options{URL: url, Credentials: credentials, InboxPrefix: natsbridge.InboxPrefix(c.Name)}, err
}
