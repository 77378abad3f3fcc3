package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
)

// collector says what read returns.
type collector struct {
	read func() Node
	by   map[string]*prometheus.Desc
}

var _ prometheus.Collector = (*collector)(nil)

func newCollector(read func() Node) *collector {
	c := &collector{read: read, by: make(map[string]*prometheus.Desc)}
	for _, m := range all() {
		c.by[m.name] = prometheus.NewDesc(m.name, m.help, m.labels, nil)
	}
	return c
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, m := range all() {
		to <- c.by[m.name]
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(to chan<- prometheus.Metric) {
	n := c.read()
	s := scrape{c, to}
	s.gauge("drover_build_info", 1, n.Version, n.ABI)
	for i := range n.Channels {
		s.channel(&n.Channels[i])
	}
	if n.NATS == nil {
		return
	}
	s.calls(n.NATS.Endpoints)
	s.nats(n.NATS)
	s.stream("data", &n.NATS.Data)
	s.stream("events", &n.NATS.Events)
	s.states(&n.NATS.States)
}

// scrape is one answer on its way.
type scrape struct {
	collector *collector
	to        chan<- prometheus.Metric
}

func (s scrape) gauge(name string, value float64, labels ...string) {
	s.to <- prometheus.MustNewConstMetric(s.collector.by[name], prometheus.GaugeValue, value, labels...)
}

func (s scrape) counter(name string, value uint64, labels ...string) {
	s.seconds(name, float64(value), labels...)
}

// seconds is a counter that need not be whole.
func (s scrape) seconds(name string, value float64, labels ...string) {
	s.to <- prometheus.MustNewConstMetric(s.collector.by[name], prometheus.CounterValue, value, labels...)
}

func (s scrape) truth(name string, value bool, labels ...string) {
	number := 0.0
	if value {
		number = 1
	}
	s.gauge(name, number, labels...)
}
