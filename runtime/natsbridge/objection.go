package natsbridge

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"
)

// objection implements watcher: a request that was refused is not answered, so who waits for it is told.
func (k *keeper) objection(err error) bool {
	text := err.Error()
	if !errors.Is(err, nats.ErrPermissionViolation) || !strings.Contains(text, "$JS.API.") && !strings.Contains(text, "$KV.") {
		return false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.interrupt != nil {
		k.interrupt(fmt.Errorf("%w: %w", errDenied, err))
	}
	return k.interrupt != nil
}

// interruptible runs do, and ends it when the server objects.
func (k *keeper) interruptible(ctx context.Context, do func(context.Context) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	k.setInterrupt(cancel)
	defer k.setInterrupt(nil)
	err := do(ctx)
	if cause := context.Cause(ctx); errors.Is(cause, errDenied) {
		return cause
	}
	return err
}

func (k *keeper) setInterrupt(cancel context.CancelCauseFunc) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.interrupt = cancel
}
