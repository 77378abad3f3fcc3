package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/droverhq/drover"
	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/modules"
	"github.com/droverhq/drover/runtime/store"
)

// bucketOf returns where the modules of a configuration may be that its node's store does not have. The server is looked
// for when that is asked first. done ends the connection.
func (g *globals) bucketOf(ctx context.Context, cfg *config.Node) (bucket drover.Bucket, done func()) {
	end := func() {}
	open := sync.OnceValues(func() (*modules.Bucket, error) {
		c, err := g.serverOf(ctx, cfg)
		if err != nil {
			return nil, fmt.Errorf("the bucket could not be asked: %w", err)
		}
		end = c.Close
		b, err := c.OpenModules(ctx, modules.Options{Domain: cfg.NATS.ModulesDomain})
		if err != nil && !errors.Is(err, store.ErrNotFound) { // that there is none is an answer
			err = fmt.Errorf("the bucket could not be asked: %w", err)
		}
		return b, err
	})
	return func(context.Context) (*modules.Bucket, error) { return open() }, func() { end() }
}

// serverOf connects to the server that is named, to that of the configuration's node where it runs here, or to the one
// that the configuration names.
func (g *globals) serverOf(ctx context.Context, cfg *config.Node) (*client.Client, error) {
	of := *g
	of.node = cmp.Or(g.node, cfg.Name)
	c, _, err := of.connectServer(ctx)
	if err == nil || cfg.NATS.Remote == nil || g.server != "" || g.context != "" {
		return c, err
	}
	options, err := drover.ServerOf(cfg)
	if err != nil {
		return nil, err
	}
	return client.Connect(ctx, g.login.fill(options))
}
