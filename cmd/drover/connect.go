package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// remote is a node that answers.
type remote struct {
	client *client.Client
	node   string
}

// connect finds the node that is meant. The caller closes it.
func (g *globals) connect(ctx context.Context) (*remote, error) {
	c, node, err := g.connectServer(ctx)
	if err != nil {
		return nil, err
	}
	if node == "" {
		if node, err = only(ctx, c); err != nil {
			c.Close()
			return nil, err
		}
	}
	return &remote{client: c, node: node}, nil
}

// connectServer connects to the server that is meant, which the caller closes. The node's name is empty where it is not
// known.
func (g *globals) connectServer(ctx context.Context) (c *client.Client, node string, err error) {
	options, node, err := g.find(ctx)
	if err != nil {
		return nil, "", unreachable(err)
	}
	options.Name = "drover command"
	if c, err = client.Connect(ctx, options); err != nil {
		return nil, "", unreachable(err)
	}
	return c, node, nil
}

// find returns where to connect to, and the node's name where that is known: by --server or --context, then NATS_URL,
// then the file of a node of this user.
func (g *globals) find(ctx context.Context) (client.Options, string, error) {
	options := environment()
	switch url := os.Getenv("NATS_URL"); {
	case g.server != "" && g.context != "":
		return client.Options{}, "", usagef("--server and --context exclude each other")
	case g.server != "":
		options.URL = g.server
	case g.context != "":
		options = client.Options{Context: g.context}
	case url != "":
		options.URL = url
	default:
		local, err := client.LocalNode(ctx, g.node)
		if err != nil {
			return client.Options{}, "", fmt.Errorf("find a node on this machine: %w", err)
		}
		return g.login.fill(local.Options()), local.Node, nil
	}
	return g.login.fill(options), g.node, nil
}

// only returns the name of the one node that a server has.
func only(ctx context.Context, c *client.Client) (string, error) {
	nodes, err := c.Nodes(ctx)
	if err != nil {
		return "", unreachable(err)
	}
	names := make([]string, len(nodes))
	for i, n := range nodes {
		names[i] = n.Node
	}
	switch len(names) {
	case 0:
		return "", coded(exitUnreachable, errors.New("no node answers on this server"))
	case 1:
		return names[0], nil
	}
	return "", usagef("the server has several nodes (%s): choose one with --node", strings.Join(names, ", "))
}

// unreachable gives errors of nodes that do not answer their exit code.
func unreachable(err error) error {
	if errors.Is(err, client.ErrUnreachable) {
		return coded(exitUnreachable, err)
	}
	return err
}

func (r *remote) close() { r.client.Close() }

// snapshot returns what the node knows of its channels.
func (r *remote) snapshot(ctx context.Context) (message.Snapshot, error) {
	var s message.Snapshot
	if err := r.client.Get(ctx, r.node, "state", nil, &s); err != nil {
		return s, unreachable(fmt.Errorf("ask node %s for its channels: %w", r.node, err))
	}
	return s, nil
}

// kinds are the messages that a follower shows.
func kinds() []message.Kind {
	return []message.Kind{message.KindData, message.KindState, message.KindHandle}
}

// follow gives f what the node publishes until ctx is done or f has enough.
func (r *remote) follow(ctx context.Context, f *follower) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	messages := make(chan incoming, 256)
	filter := client.Filter{Node: r.node, Channel: f.only.channel, Kinds: kinds()}
	var watch sync.WaitGroup
	var watchErr error
	watch.Go(func() {
		defer close(messages)
		watchErr = r.client.Watch(ctx, filter, func(m client.Message) error {
			select {
			case messages <- incoming{subject: m.Raw, Subject: m.Subject, payload: bytes.Clone(m.Payload)}:
			case <-ctx.Done():
			}
			return nil
		})
	})
	err := f.follow(ctx, messages)
	cancel()
	watch.Wait()
	return errors.Join(err, unreachable(watchErr))
}
