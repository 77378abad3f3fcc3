package client

import (
	"context"
	"errors"

	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/natsbridge/modules"
)

// Modules opens the bucket of modules and calls f with it. The error is that of opening or of f; what the server does not
// permit is ErrDenied. One that wraps store.ErrNotFound may say that there is no bucket.
func (c *Client) Modules(ctx context.Context, o modules.Options, f func(context.Context, *modules.Bucket) error) error {
	return c.permitted(ctx, func(ctx context.Context) error {
		b, err := modules.Open(ctx, c.conn, o)
		if err != nil {
			return err
		}
		return f(ctx, b)
	})
}

// OpenModules opens the bucket of modules, for as long as the client is open. An error that wraps store.ErrNotFound:
// there is none; ErrDenied: we may not read it.
func (c *Client) OpenModules(ctx context.Context, o modules.Options) (b *modules.Bucket, err error) {
	err = c.permitted(ctx, func(ctx context.Context) (err error) {
		b, err = modules.Open(ctx, c.conn, o)
		return err
	})
	return b, err
}

// permitted calls f and returns its error, or what the server objected to meanwhile, which ends f's context.
func (c *Client) permitted(ctx context.Context, f func(context.Context) error) error {
	ctx, done := c.denials.watch(ctx, anySubject)
	defer done()
	err := f(ctx)
	if denied, ok := errors.AsType[*message.Error](context.Cause(ctx)); err != nil && ok {
		return denied
	}
	return err
}
