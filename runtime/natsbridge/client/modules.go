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
	ctx, done := c.denials.watch(ctx, anySubject)
	defer done()
	b, err := modules.Open(ctx, c.conn, o)
	if err == nil {
		err = f(ctx, b)
	}
	if denied, ok := errors.AsType[*message.Error](context.Cause(ctx)); err != nil && ok {
		return denied
	}
	return err
}
