package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/droverhq/drover/runtime/natsbridge/client"
	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/natsbridge/modules"
	"github.com/droverhq/drover/runtime/store"
)

// library is where modules are: the bucket of a server, and the stores of its nodes.
type library struct {
	client *client.Client
	// nodes are what the nodes have that answer.
	nodes  []message.Modules
	domain string
}

// connectLibrary finds the server that is meant and asks all of its nodes. The caller closes it.
func (g *globals) connectLibrary(ctx context.Context) (*library, error) {
	c, _, err := g.connectServer(ctx)
	if err != nil {
		return nil, err
	}
	l := &library{client: c}
	nodes, err := c.Nodes(ctx)
	if err == nil {
		names := make([]string, len(nodes))
		for i, n := range nodes {
			names[i] = n.Node
		}
		err = l.ask(ctx, names)
	}
	if err == nil {
		err = l.chooseDomain(g.node)
	}
	if err != nil {
		c.Close()
		return nil, unreachable(err)
	}
	return l, nil
}

// library is that of one node alone.
func (r *remote) library(ctx context.Context) (*library, error) {
	l := &library{client: r.client}
	if err := l.ask(ctx, []string{r.node}); err != nil {
		return nil, unreachable(err)
	}
	return l, l.chooseDomain(r.node)
}

// ask asks nodes for their modules. One that is too old to have any to tell of is left out.
func (l *library) ask(ctx context.Context, nodes []string) error {
	for _, node := range nodes {
		var m message.Modules
		err := l.client.Get(ctx, node, "modules", nil, &m)
		if errors.Is(err, message.ErrUnknownVerb) {
			continue
		}
		if err != nil {
			return fmt.Errorf("ask node %s for its modules: %w", node, err)
		}
		l.nodes = append(l.nodes, m)
	}
	return nil
}

// chooseDomain takes the bucket of the node, or the one that all nodes read.
func (l *library) chooseDomain(node string) error {
	var domains []string
	for _, n := range l.nodes {
		if n.Node == node {
			l.domain = n.Domain
			return nil
		}
		if !slices.Contains(domains, n.Domain) {
			domains = append(domains, n.Domain)
		}
	}
	switch len(domains) {
	case 0:
	case 1:
		l.domain = domains[0]
	default:
		return usagef("the nodes read buckets of several JetStream domains (%s): choose a node with --node", strings.Join(domains, ", "))
	}
	return nil
}

func (l *library) close() { l.client.Close() }

// bucket calls f with the bucket. An error that wraps store.ErrNotFound may say that there is none.
func (l *library) bucket(ctx context.Context, create bool, f func(context.Context, *modules.Bucket) error) error {
	return unreachable(l.client.Modules(ctx, modules.Options{Domain: l.domain, Create: create}, f))
}

// put gives a module to the bucket, which is made if need be, and returns what is known of it then.
func (l *library) put(ctx context.Context, m moduleFile) (entry store.Entry, err error) {
	err = l.bucket(ctx, true, func(ctx context.Context, b *modules.Bucket) error {
		entry, err = b.Put(ctx, m.entry, m.binary)
		return err
	})
	return entry, err
}

// shared are the modules of the bucket; none where there is no bucket.
func (l *library) shared(ctx context.Context) (entries []store.Entry, err error) {
	err = l.bucket(ctx, false, func(ctx context.Context, b *modules.Bucket) error {
		entries, err = b.List(ctx)
		return err
	})
	if errors.Is(err, store.ErrNotFound) {
		return nil, nil
	}
	return entries, err
}
