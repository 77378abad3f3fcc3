package node

import (
	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/metrics"
	"github.com/droverhq/drover/runtime/module"
)

// metrics reads the node's figures for a scrape.
func (n *Node) metrics() metrics.Node {
	out := metrics.Node{Version: n.config.Version, ABI: module.ABIVersion}
	select {
	case <-n.started:
	default:
		return out
	}
	for _, m := range n.members.all() {
		out.Channels = append(out.Channels, m.metrics())
	}
	stats := n.bridge.Stats()
	out.NATS = &stats
	return out
}

func (m *member) metrics() metrics.Channel {
	out := metrics.Channel{Name: m.config.Name, State: m.snapshot()}
	if m.channel == nil {
		out.Counters.Failures = map[channel.FailureKind]uint64{{Phase: m.failure.Phase, Code: m.failure.Code}: 1}
		return out
	}
	metadata := m.channel.Driver()
	out.Driver, out.Version, out.Digest = metadata.Name, metadata.Version, m.channel.Digest()
	out.Counters, out.Usage, out.Devices = m.channel.Counters(), m.channel.Usage(), make(map[string]int)
	for _, d := range m.channel.DeviceStates() {
		out.Devices[d.Status.String()]++
	}
	if counted, ok := m.host.(module.Counted); ok {
		out.Received, out.Sent = counted.Traffic()
		out.Denied, out.Overflowed = counted.Dropped()
	}
	return out
}
