package rig

import (
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
)

// Pulse has when each message of a program came to the subscriber, by subject.
type Pulse struct {
	sub *nats.Subscription
	mu  sync.Mutex
	at  map[string][]time.Duration
}

// Feel begins to take the pulse of these subjects. The caller ends it.
func (w *World) Feel(subjects string) (*Pulse, error) {
	p := &Pulse{at: map[string][]time.Duration{}}
	begin := time.Now()
	var err error
	p.sub, err = w.Conn.Subscribe(subjects, func(m *nats.Msg) {
		now := time.Since(begin)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.at[m.Subject] = append(p.at[m.Subject], now)
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	if err := p.sub.SetPendingLimits(-1, -1); err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	return p, w.Conn.Flush()
}

// End ends it and returns when each message came, in the order of their coming.
func (p *Pulse) End() (map[string][]time.Duration, error) {
	if err := p.sub.Unsubscribe(); err != nil {
		return nil, fmt.Errorf("unsubscribe: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.at, nil
}
