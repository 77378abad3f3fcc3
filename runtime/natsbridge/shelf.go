package natsbridge

import (
	"encoding/json"
	"sync"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// shelf has the keys of the bucket whose values are not written yet. A key is in it once, however often it changes. One
// goroutine takes keys out; those that it took count until it says that it is done.
type shelf struct {
	mu    sync.Mutex
	dirty map[routeKey]struct{}
	taken int
}

func newShelf() *shelf { return &shelf{dirty: make(map[routeKey]struct{})} }

func (s *shelf) mark(keys ...routeKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range keys {
		s.dirty[k] = struct{}{}
	}
}

// take takes out up to n keys. done follows it.
func (s *shelf) take(n int) []routeKey {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := make([]routeKey, 0, min(n, len(s.dirty)))
	for k := range s.dirty {
		if len(keys) == n {
			break
		}
		keys = append(keys, k)
		delete(s.dirty, k)
	}
	s.taken = len(keys)
	return keys
}

// done says that the keys taken last were written, or are marked again.
func (s *shelf) done() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken = 0
}

// len is how many keys are not written yet.
func (s *shelf) len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.dirty) + s.taken
}

// key is the key of the bucket.
func (k routeKey) key() string {
	switch k.kind {
	case message.KindDevice:
		return message.KeyDevice(k.channel, k.name)
	case message.KindHandle:
		return message.KeyHandle(k.channel, k.name)
	default:
		return message.KeyState(k.channel)
	}
}

// The headers of a key-value bucket's messages (ADR-8).
const (
	headerOperation = "KV-Operation"
	operationPurge  = "PURGE"
	// markerTTL is how long the bucket remembers that a key was removed.
	markerTTL = "1h"
)

// putOf returns the message that writes a key, or removes it where there is no value any more.
func (b *Bridge) putOf(k routeKey) (*nats.Msg, error) {
	m := &nats.Msg{Subject: b.kept.KeySubject(k.key())}
	value := b.memory.value(k)
	if value == nil {
		m.Header = removal()
		return m, nil
	}
	var err error
	m.Data, err = json.Marshal(value)
	return m, err
}

// removal are the headers of a message that removes a key.
func removal() nats.Header {
	return nats.Header{
		headerOperation:        {operationPurge},
		jetstream.MsgRollup:    {jetstream.MsgRollupSubject},
		jetstream.MsgTTLHeader: {markerTTL},
	}
}
