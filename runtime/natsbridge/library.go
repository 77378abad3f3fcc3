package natsbridge

import (
	"context"

	"github.com/nats-io/nats.go"

	"github.com/droverhq/drover/runtime/natsbridge/modules"
)

// Modules opens the bucket of modules over the node's connection. It does not wait for one: without, it fails at once.
// An error that wraps store.ErrNotFound: there is no bucket.
func (b *Bridge) Modules(ctx context.Context, o modules.Options) (*modules.Bucket, error) {
	if !b.link.connectedNow() {
		return nil, errNotConnected
	}
	return modules.Open(ctx, b.link.conn, o)
}

// ModulesChanged has f called, on another goroutine, whenever a module was added to the bucket or removed, as far as the
// server tells the node, until end is called. f must not block.
func (b *Bridge) ModulesChanged(f func()) (end func(), err error) {
	sub, err := b.link.conn.Subscribe(modules.MetaSubjects, func(*nats.Msg) { f() })
	if err != nil {
		return nil, err
	}
	return func() { _ = sub.Unsubscribe() }, nil // a connection that is gone has taken it along
}
