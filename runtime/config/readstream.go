package config

import "time"

const (
	defaultStreamBytes  = 512 << 20
	defaultStreamBuffer = 32 << 20
	// eventsBytes is what the stream of events takes of the same store (docs/delivery.md).
	eventsBytes = 16 << 20
)

func defaultStream() Stream {
	return Stream{
		MaxBytes: defaultStreamBytes, Storage: StorageFile, Buffer: defaultStreamBuffer, OnFull: OnFullDropOldest,
	}
}

func streamKeys(s *Stream) keys {
	return keys{
		"max_bytes": func(v value) { v.size(&s.MaxBytes, 1<<20, mostStore, 1<<10) },
		"max_age":   func(v value) { v.duration(&s.MaxAge, time.Second, longest) },
		"storage":   func(v value) { oneOf(v, &s.Storage, StorageFile, StorageMemory) },
		"buffer":    func(v value) { v.size(&s.Buffer, 1<<20, 1<<30, 1<<10) },
		"on_full":   func(v value) { oneOf(v, &s.OnFull, OnFullDropOldest, OnFullBackpressure) },
	}
}

// streamFits reports channels that are delivered through a stream which the embedded server cannot have.
func (r *reader) streamFits(n *Node) {
	e, s := n.NATS.Embedded, &n.NATS.Stream
	if e == nil || e.Config != "" {
		return
	}
	room, taken, where := e.Store.Disk, s.MaxBytes+eventsBytes, "disk"
	if s.Storage == StorageMemory {
		room, taken, where = e.Store.Memory, s.MaxBytes, "memory"
	}
	for _, c := range n.Channels {
		path := "channels." + c.Name + ".delivery"
		switch {
		case c.Delivery != DeliveryStream:
		case !e.JetStream:
			r.problem(c.Position, path, "the stream needs JetStream, expected core, or nats.embedded.jetstream: true")
		case taken > room:
			r.problem(c.Position, path, "the stream takes %s of nats.embedded.store.%s, which is %s, expected a smaller"+
				" nats.stream.max_bytes", formatSize(taken), where, formatSize(room))
			return // once is enough
		}
	}
}
