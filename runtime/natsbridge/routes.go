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

// pointKey is what the subject of a point's own data depends on.
type pointKey struct{ channel, device, point string }

// routes keeps the subjects that were made: each is checked and joined once.
type routes struct {
	prefix, node string

	mu       sync.RWMutex
	subjects map[routeKey]string
	points   map[pointKey]string
}

func newRoutes(prefix, node string) *routes {
	return &routes{prefix: prefix, node: node, subjects: make(map[routeKey]string), points: make(map[pointKey]string)}
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

// data returns the subject of a device's data, or of those of one point.
func (r *routes) data(channel, device, point string) (string, error) {
	if point == "" {
		return r.subject(routeKey{message.KindData, channel, device})
	}
	k := pointKey{channel, device, point}
	r.mu.RLock()
	s, ok := r.points[k]
	r.mu.RUnlock()
	if ok {
		return s, nil
	}
	ofDevice := routeKey{message.KindData, channel, device}
	if err := ofDevice.validate(); err != nil {
		return "", err
	}
	if !message.ValidName(point) {
		return "", fmt.Errorf("point %q: no name for a point", point)
	}
	subject := ofDevice.subject(r.node)
	subject.Point = point
	s = r.prefix + "." + subject.String()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.points[k] = s
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
	for k := range r.points {
		if k.channel == channel {
			delete(r.points, k)
		}
	}
}

// forgetDevice drops the subjects of a device. An event of its name is made again when it is needed.
func (r *routes) forgetDevice(channel, device string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for k := range r.subjects {
		if k.channel == channel && k.name == device {
			delete(r.subjects, k)
		}
	}
	for k := range r.points {
		if k.channel == channel && k.device == device {
			delete(r.points, k)
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
