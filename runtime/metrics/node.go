package metrics

import (
	"github.com/droverhq/drover/runtime/channel"
	"github.com/droverhq/drover/runtime/natsbridge"
	"github.com/droverhq/drover/runtime/supervise"
)

// Node is what there is to say of a node at one time.
type Node struct {
	Version, ABI string
	Channels     []Channel
	// NATS is nil while the node starts.
	NATS *natsbridge.Stats
}

// Channel is what there is to say of a channel.
type Channel struct {
	Name string
	// Driver, Version and Digest are empty for a driver that cannot be loaded.
	Driver, Version, Digest string
	State                   supervise.Snapshot
	// Devices are counted by their status.
	Devices  map[string]int
	Counters channel.Counters
	Usage    channel.Usage
	// Received and Sent are bytes over all of its connections.
	Received, Sent uint64
	// Denied and Overflowed are datagrams and connections that nobody got: from where the grants do not reach, and for
	// want of room.
	Denied, Overflowed uint64
}
