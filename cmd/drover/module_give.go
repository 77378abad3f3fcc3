package main

import (
	"context"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// give gives a module's file to the bucket that the node reads, and has the request name it by its digest. The module
// does not claim its name and version there, as one that is added does: it may be one of many builds.
func (r *remote) give(ctx context.Context, file string, s *message.SwapRequest) error {
	l, err := r.library(ctx)
	if err != nil {
		return err
	}
	m, err := readModule(ctx, file)
	if err != nil {
		return err
	}
	if m.entry.Path, err = origin(file); err != nil {
		return err
	}
	if _, err := l.put(ctx, m); err != nil {
		return err
	}
	s.Module, s.Digest = m.entry.Digest, m.entry.Digest
	return nil
}
