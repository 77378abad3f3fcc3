package rig

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// Firsts is how long after a program's start the first of its messages came, and the last of the first ones of each
// subject: from then on everything is read.
type Firsts struct{ First, All time.Duration }

// within is how long a program has for the first message of each channel.
const within = 3 * time.Minute

// Began returns when the program's first messages came.
func (p *Process) Began() Firsts { return p.firsts }

// begin starts a program and waits until each subject of its load has had a message.
func (w *World) begin(ctx context.Context, subjects string, l Load, program string, args ...string) (*Process, error) {
	begin := time.Now()
	arrived := make(chan Firsts, 1)
	seen, firsts := map[string]bool{}, Firsts{}
	sub, err := w.Conn.Subscribe(subjects, func(m *nats.Msg) {
		if seen[m.Subject] || len(seen) == l.subjects() {
			return
		}
		seen[m.Subject] = true
		if len(seen) == 1 {
			firsts.First = time.Since(begin)
		}
		if len(seen) == l.subjects() {
			firsts.All = time.Since(begin)
			arrived <- firsts
		}
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	defer sub.Unsubscribe() //nolint:errcheck // all were seen, or the world ends
	if err := errors.Join(sub.SetPendingLimits(-1, -1), w.Conn.Flush()); err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	begin = time.Now()
	process, err := Start(program, args...)
	if err != nil {
		return nil, err
	}
	select {
	case firsts := <-arrived:
		process.firsts = firsts
		return process, nil
	case err := <-process.ended:
		return nil, fmt.Errorf("%s ended: %w\n%s", program, err, tail(process.stderr.String()))
	case <-ctx.Done():
		return nil, errors.Join(ctx.Err(), process.Stop())
	case <-time.After(within):
		return nil, errors.Join(fmt.Errorf("%s does not publish everything within %s", program, within), process.Stop())
	}
}
