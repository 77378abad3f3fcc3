package main

import (
	"context"
	"errors"
	"log/slog"

	"github.com/droverhq/drover/runtime/config"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// runner is a node, ready to run.
type runner interface {
	// Run runs the node until ctx is done, and then ends it in order.
	Run(ctx context.Context) error
}

// errUnreachable is wrapped by errors of a node that cannot be reached.
var errUnreachable = errors.New("the node cannot be reached")

func newNode(context.Context, *config.Node, *slog.Logger) (runner, error) {
	return nil, errors.ErrUnsupported
}

func checkDrivers(context.Context, *config.Node) (config.Problems, error) { return nil, nil }

// observer asks a node and follows it.
type observer interface {
	snapshot(ctx context.Context) (message.Snapshot, error)
	watch(ctx context.Context) (<-chan incoming, error)
	close()
}

func (g *globals) connect(context.Context) (observer, error) {
	return nil, coded(exitUnreachable, errUnreachable)
}
