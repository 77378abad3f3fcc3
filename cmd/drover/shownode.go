package main

import (
	"context"
	"errors"
)

// showNode runs a node in this process until ctx is done, and shows what it publishes, as any client would.
func showNode(ctx context.Context, node runner, g *globals) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		defer cancel()
		ended <- node.Run(ctx)
	}()
	err := watchNode(ctx, node, g)
	cancel()
	return errors.Join(err, <-ended)
}

// watchNode follows a node that is starting.
func watchNode(ctx context.Context, node runner, g *globals) error {
	return nil
}
