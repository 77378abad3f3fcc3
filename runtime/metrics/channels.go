package metrics

import (
	"strings"

	"github.com/droverhq/drover/abi/driver"
)

func (s scrape) channel(c *Channel) {
	name, n := c.Name, &c.Counters
	if c.Digest != "" {
		s.gauge("drover_channel_info", 1, name, label(c.Driver), label(c.Version), c.Digest)
	}
	s.gauge("drover_channel_state", float64(c.State.State), name)
	s.counter("drover_channel_attempts_total", c.State.Attempt, name)
	s.gauge("drover_channel_generation", float64(c.State.Generation), name)
	for kind, count := range n.Failures {
		s.counter("drover_channel_failures_total", count, name, string(kind.Phase), string(kind.Code))
	}
	s.counter("drover_channel_quarantines_total", n.Quarantines, name)
	s.counter("drover_channel_polls_total", n.Polls, name)
	s.counter("drover_channel_overruns_total", n.Overruns, name)
	s.counter("drover_channel_points_total", n.Good, name, "good")
	s.counter("drover_channel_points_total", n.Uncertain, name, "uncertain")
	s.counter("drover_channel_points_total", n.Bad, name, "bad")
	for _, status := range []driver.Status{driver.StatusOnline, driver.StatusDegraded, driver.StatusOffline} {
		s.gauge("drover_channel_devices", float64(c.Devices[status.String()]), name, status.String())
	}
	s.gauge("drover_channel_commands_waiting", float64(n.Waiting), name)
	s.gauge("drover_channel_commands_taken", float64(n.Taken), name)
	s.counter("drover_channel_received_bytes_total", c.Received, name)
	s.counter("drover_channel_sent_bytes_total", c.Sent, name)
	s.counter("drover_channel_dropped_total", c.Denied, name, "denied")
	s.counter("drover_channel_dropped_total", c.Overflowed, name, "full")
	s.seconds("drover_channel_cpu_seconds_total", c.Usage.CPU.Seconds(), name)
	s.gauge("drover_channel_memory_bytes", float64(c.Usage.Memory), name)
	s.gauge("drover_channel_memory_highest_bytes", float64(c.Usage.Highest), name)
	s.counter("drover_channel_log_dropped_total", n.LogDropped, name)
}

// label makes a driver's text one that Prometheus takes.
func label(text string) string { return strings.ToValidUTF8(text, "\uFFFD") }
