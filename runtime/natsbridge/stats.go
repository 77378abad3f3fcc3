package natsbridge

import "time"

// Stats are the bridge's counters since its start, and how its connection is.
type Stats struct {
	// Published counts messages and answers that nats.go took.
	Published uint64 `json:"published"`
	// DroppedData counts data and log messages that found no room, DroppedControl states, devices, events and handles,
	// DroppedReplies answers.
	DroppedData    uint64 `json:"dropped_data"`
	DroppedControl uint64 `json:"dropped_control"`
	DroppedReplies uint64 `json:"dropped_replies"`
	// Refused counts messages that can never be published: bad names, payloads above the server's limit.
	Refused uint64 `json:"refused"`
	// Waiting and WaitingBytes are what is in the ring now, of RingBytes.
	Waiting      int `json:"waiting"`
	WaitingBytes int `json:"waiting_bytes"`
	RingBytes    int `json:"ring_bytes"`

	Connected bool `json:"connected"`
	// Since is when Connected last changed; URL is the server's.
	Since      time.Time `json:"since"`
	URL        string    `json:"url"`
	Reconnects uint64    `json:"reconnects"`
	// LastError is what the connection last failed with, or what the server last objected to.
	LastError string `json:"last_error,omitempty"`
}

// Stats never waits for the server.
func (b *Bridge) Stats() Stats {
	s := Stats{Published: b.published.Load(), Refused: b.refused.Load(), RingBytes: b.config.RingBytes}
	b.ring.stats(&s)
	b.link.stats(&s)
	return s
}

func (r *ring) stats(s *Stats) {
	r.mu.Lock()
	defer r.mu.Unlock()
	s.DroppedData = r.dropped[classData]
	s.DroppedControl = r.dropped[classControl]
	s.DroppedReplies = r.dropped[classReply]
	for i := range r.queues {
		s.Waiting += r.queues[i].len()
	}
	s.WaitingBytes = r.bytes
}

func (l *link) stats(s *Stats) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s.Connected, s.URL = l.isUp, l.url
	s.Since, s.Reconnects, s.LastError = l.since, l.reconnects, l.lastError
}
