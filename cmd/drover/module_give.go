package main

import (
	"context"
	"errors"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// give gives a module's file to the bucket that the node reads, and has the request name it by its digest.
func (r *remote) give(context.Context, string, *message.SwapRequest) error {
	return errors.New("the node does not have the module: copy it there")
}
