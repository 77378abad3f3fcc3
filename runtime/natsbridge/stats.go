package natsbridge

import (
	"time"

	"github.com/droverhq/drover/runtime/natsbridge/message"
)

// Stats are the bridge's counters since its start, and how its connection is.
type Stats struct {
	// Published counts messages and answers that nats.go took.
	Published uint64 `json:"published"`
	// Latency is how long those had waited since they were said.
	Latency Histogram `json:"latency"`
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

	// Data and Events are what goes into the node's streams.
	Data   StreamStats `json:"data"`
	Events StreamStats `json:"events"`
	// States is what goes into the bucket.
	States StateStats `json:"states"`

	Connected bool `json:"connected"`
	// Since is when Connected last changed; URL is the server's.
	Since      time.Time `json:"since"`
	URL        string    `json:"url"`
	Reconnects uint64    `json:"reconnects"`
	// LastError is what the connection last failed with.
	LastError string `json:"last_error,omitempty"`
	// Violations counts what the server did not permit.
	Violations uint64 `json:"violations,omitempty"`
	// LastViolation is the latest of it.
	LastViolation string `json:"last_violation,omitempty"`
	// Endpoints has what became of calls, by verb, or root of verbs.
	Endpoints map[string]EndpointStats `json:"endpoints"`
	// CapturedBy are the streams that hold the node's calls, and so answer them in its place.
	CapturedBy []string `json:"captured_by,omitempty"`
}

// StreamStats are what became of the messages for a stream.
type StreamStats struct {
	// Status is flowing, stalled (the stream does not take messages), filling (three quarters of the room are taken) or
	// full (messages are dropped, or drivers held up).
	Status string `json:"status"`
	// Trouble is why the stream takes no messages; empty while it does.
	Trouble string `json:"trouble,omitempty"`
	// Waiting and WaitingBytes are what the stream has not acknowledged yet, of LimitBytes; Unacked is how much of that
	// has been sent.
	Waiting      int `json:"waiting"`
	Unacked      int `json:"unacked"`
	WaitingBytes int `json:"waiting_bytes"`
	LimitBytes   int `json:"limit_bytes"`
	// Acked counts what the stream has, Duplicates what it said to have had already.
	Acked      uint64 `json:"acked"`
	Duplicates uint64 `json:"duplicates"`
	// Retried counts messages sent again, Failed refusals and missing answers of the stream.
	Retried uint64 `json:"retried"`
	Failed  uint64 `json:"failed"`
	// Dropped counts messages that found no room, Refused those that the stream can never take.
	Dropped uint64 `json:"dropped"`
	Refused uint64 `json:"refused"`
	// Latency is the sum of the times from sending to the acknowledgement, over Acked messages.
	Latency time.Duration `json:"latency_ns"`
}

// StateStats are what became of the states in the bucket.
type StateStats struct {
	// Kept: the bucket is there, and the heartbeat is this node's.
	Kept bool `json:"kept"`
	// Waiting is how many keys are to be written, Written how many were, Failed how many writes failed.
	Waiting int    `json:"waiting"`
	Written uint64 `json:"written"`
	Failed  uint64 `json:"failed"`
}

// Stats never waits for the server.
func (b *Bridge) Stats() Stats {
	s := Stats{
		Published: b.published.Load(), Latency: b.latency.histogram(), Endpoints: b.calls.counted(),
		Refused: b.refused.Load(), RingBytes: b.config.RingBytes, CapturedBy: b.captors(),
	}
	b.ring.stats(&s)
	b.link.stats(&s)
	s.Data, s.Events = b.data.stats(), b.events.stats()
	s.States = b.keeper.stats()
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
	s.Connected, s.URL = l.state.Number == int(message.LinkConnected), l.state.URL
	s.Since, s.Reconnects, s.LastError = l.state.Since.Time, l.state.Reconnects, l.state.LastError
	s.Violations, s.LastViolation = l.state.Violations, l.state.LastViolation
}

func (l *lane) stats() StreamStats {
	status, trouble := l.status()
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &l.counts
	return StreamStats{
		Status: status.String(), Trouble: trouble,
		Waiting: l.queue.len(), Unacked: l.sent, WaitingBytes: l.bytes, LimitBytes: l.limit,
		Acked: c.acked, Duplicates: c.duplicates, Retried: c.retried, Failed: c.failed,
		Dropped: c.dropped, Refused: c.refused, Latency: c.latency,
	}
}
