//go:build chaos && linux

package chaos

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"
)

// stage is where a script is played.
type stage struct {
	t     *testing.T
	start time.Time
	hub   *hub
	wire  *wire
	eye   *eye
	doers map[string]doer

	// connected is held by commands, which need NATS, and locked while it is away.
	connected sync.RWMutex

	mu     sync.Mutex
	played map[string][]played
}

// played is an act that was played.
type played struct {
	act
	span
	// attempt is that in which it found the channel.
	attempt uint64
}

// play plays a script to its end. Each channel goes its own way; one whose act goes wrong plays no further.
func (s *stage) play(all script) {
	var running sync.WaitGroup
	for who, acts := range all {
		running.Go(func() {
			for _, a := range acts {
				time.Sleep(time.Until(s.start.Add(a.at)))
				if err := s.perform(who, a); err != nil {
					s.t.Errorf("%s: %s: %v", who, a.what, err)
					return
				}
			}
		})
	}
	running.Wait()
}

func (s *stage) perform(who string, a act) error {
	p := played{act: a}
	var err error
	if who == server {
		p.span, err = s.outage(a)
	} else {
		p, err = s.attack(who, a)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.played[who] = append(s.played[who], p)
	return err
}

// settle is how long a channel is left alone after what lasted: a request that was lost in it may still end a session.
const settle = time.Second

// attack does one act to a channel that is ready, and waits until it is ready again.
func (s *stage) attack(who string, a act) (played, error) {
	d := deedOf(who, a)
	before, err := s.eye.ready(who, 0)
	p := played{act: a, attempt: before, span: span{from: time.Now()}}
	if err != nil {
		return p, err
	}
	end, err := s.begin(who, a)
	if err != nil {
		return p, err
	}
	time.Sleep(a.lasts)
	after := before - 1
	if len(d.codes) > 0 {
		after = before
		err = s.eye.failed(who, before)
	}
	if err = errors.Join(err, end()); err != nil {
		return p, err
	}
	if d.lasting {
		time.Sleep(settle)
	}
	attempt, err := s.eye.ready(who, after)
	p.to = time.Now()
	s.tell(p, who, fmt.Sprint("ready again in attempt ", attempt))
	return p, err
}

func (s *stage) begin(who string, a act) (end func() error, err error) {
	if who == "called" {
		s.connected.RLock()
		defer s.connected.RUnlock()
	}
	s.tell(played{act: a}, who, "")
	return s.doers[who].do(a.what)
}

// outage does one act to NATS, and waits until the node answers again.
func (s *stage) outage(a act) (span, error) {
	s.connected.Lock()
	defer s.connected.Unlock()
	happened := span{from: time.Now()}
	s.tell(played{act: a}, server, "")
	switch a.what {
	case "stall":
		flow := s.wire.stall()
		time.Sleep(a.lasts)
		flow()
	case "cut":
		s.wire.cut()
	case "restart":
		s.hub.stop()
		time.Sleep(a.lasts)
		if err := s.hub.start(); err != nil {
			return happened, err
		}
	}
	_, err := s.eye.ready("steady", 0)
	happened.to = time.Now()
	s.tell(played{act: a}, server, "the node answers again")
	return happened, err
}

// tell tells the story.
func (s *stage) tell(p played, who, what string) {
	if what == "" && p.lasts > 0 {
		what = "for " + p.lasts.String()
	}
	s.t.Logf("%8.3fs  %-8s %-20s %s", time.Since(s.start).Seconds(), who, p.what, what)
}
