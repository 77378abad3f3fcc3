package natsbridge

import (
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// actions are those on their way, for cancel.
type actions struct {
	mu      sync.Mutex
	running map[string]*action // by channel and id
}

func (s *actions) add(a *action, p Pending) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a.pending = p
	if s.running == nil {
		s.running = make(map[string]*action)
	}
	s.running[a.job.channel+"."+a.id] = a
}

func (s *actions) remove(a *action) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.running, a.job.channel+"."+a.id)
}

func (s *actions) find(channel, id string) *action {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running[channel+"."+id]
}

// cancel answers CHANNEL.cancel.ID: the driver is told, or never gets the action.
func (c *calls) cancelAction(e *endpoint, r micro.Request) {
	j := &job{calls: c, endpoint: e, body: r.Data(), asker: c.askerOf(r), arrived: time.Now()}
	j.guard(func() {
		if err := j.read(r); err != nil {
			j.end(nil, err)
			return
		}
		a := c.actions.find(j.channel, j.device)
		if a == nil {
			j.end(nil, message.ErrNotFound.With(fmt.Sprintf("channel %q has no action %q on its way", j.channel, j.device)))
			return
		}
		a.cancel()
		j.end(message.CancelAnswer{Header: c.bridge.header(), ID: a.id}, nil)
	})
}
