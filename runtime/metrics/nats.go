package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/droverhq/drover/runtime/natsbridge"
)

// codeOK is the code of calls that went well.
const codeOK = "ok"

func (s scrape) calls(endpoints map[string]natsbridge.EndpointStats) {
	for verb, e := range endpoints {
		s.counter("drover_calls_total", e.Answered-e.Failed, verb, codeOK)
		for code, count := range e.Codes {
			s.counter("drover_calls_total", count, verb, code)
		}
	}
}

func (s scrape) nats(n *natsbridge.Stats) {
	s.truth("drover_nats_connected", n.Connected)
	s.counter("drover_nats_reconnects_total", n.Reconnects)
	s.counter("drover_nats_violations_total", n.Violations)
	s.counter("drover_nats_published_total", n.Published)
	s.counter("drover_nats_refused_total", n.Refused)
	s.counter("drover_nats_dropped_total", n.DroppedData, "data")
	s.counter("drover_nats_dropped_total", n.DroppedControl, "control")
	s.counter("drover_nats_dropped_total", n.DroppedReplies, "reply")
	s.histogram("drover_nats_publish_seconds", n.Latency)
	s.gauge("drover_nats_ring_messages", float64(n.Waiting))
	s.gauge("drover_nats_ring_bytes", float64(n.WaitingBytes))
	s.gauge("drover_nats_ring_limit_bytes", float64(n.RingBytes))
}

func (s scrape) stream(name string, n *natsbridge.StreamStats) {
	s.gauge("drover_stream_waiting_messages", float64(n.Waiting), name)
	s.gauge("drover_stream_unacked_messages", float64(n.Unacked), name)
	s.gauge("drover_stream_waiting_bytes", float64(n.WaitingBytes), name)
	s.gauge("drover_stream_limit_bytes", float64(n.LimitBytes), name)
	s.truth("drover_stream_stalled", n.Trouble != "", name)
	s.counter("drover_stream_acked_total", n.Acked, name)
	s.seconds("drover_stream_ack_seconds_total", n.Latency.Seconds(), name)
	s.counter("drover_stream_duplicates_total", n.Duplicates, name)
	s.counter("drover_stream_retried_total", n.Retried, name)
	s.counter("drover_stream_failed_total", n.Failed, name)
	s.counter("drover_stream_dropped_total", n.Dropped, name)
	s.counter("drover_stream_refused_total", n.Refused, name)
}

func (s scrape) states(n *natsbridge.StateStats) {
	s.truth("drover_states_kept", n.Kept)
	s.gauge("drover_states_waiting", float64(n.Waiting))
	s.counter("drover_states_written_total", n.Written)
	s.counter("drover_states_failed_total", n.Failed)
}

// histogram says a histogram in Prometheus' form: buckets hold those below them as well.
func (s scrape) histogram(name string, h natsbridge.Histogram) {
	buckets := make(map[float64]uint64, len(h.Bounds))
	total := uint64(0)
	for i, count := range h.Counts {
		total += count
		if i < len(h.Bounds) {
			buckets[h.Bounds[i].Seconds()] = total
		}
	}
	s.to <- prometheus.MustNewConstHistogram(s.collector.by[name], total, h.Sum.Seconds(), buckets)
}
