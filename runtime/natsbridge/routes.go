package natsbridge

import (
	"fmt"
	"sync"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// routeKey is what a subject depends on; name is the device or the event.
type routeKey struct {
	kind          message.Kind
	channel, name string
}

// routes keeps the subjects that were made: each is checked and joined once.
type routes struct {
	prefix, node string

	mu       sync.RWMutex
	subjects map[routeKey]string
}

func newRoutes(prefix, node string) *routes {
	return &routes{prefix: prefix, node: node, subjects: make(map[routeKey]string)}
}

// subject returns the subject; the error names the token that cannot be part of one.
func (r *routes) subject(k routeKey) (string, error) {
	r.mu.RLock()
	s, ok := r.subjects[k]
	r.mu.RUnlock()
	if ok {
		return s, nil
	}
	if err := k.validate(); err != nil {
		return "", err
	}
	s = r.prefix + "." + k.subject(r.node).String()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.subjects[k] = s
	return s, nil
}

// forget drops the subjects of a channel.
func (r *routes) forget(channel string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k := range r.subjects {
		if k.channel == channel {
			delete(r.subjects, k)
		}
	}
}

func (k routeKey) validate() error {
	if !message.ValidChannel(k.channel) {
		return fmt.Errorf("channel %q: no name for a channel", k.channel)
	}
	switch k.kind {
	case message.KindData, message.KindDevice, message.KindHandle:
		if !message.ValidDevice(k.name) {
			return fmt.Errorf("device %q: no name for a device", k.name)
		}
	case message.KindEvent:
		if !message.ValidName(k.name) {
			return fmt.Errorf("event %q: no name for an event", k.name)
		}
	}
	return nil
}

func (k routeKey) subject(node string) message.Subject {
	s := message.Subject{Node: node, Channel: k.channel, Kind: k.kind}
	if k.kind == message.KindEvent {
		s.Event = k.name
	} else {
		s.Device = k.name
	}
	return s
}
