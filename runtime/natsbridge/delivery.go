package natsbridge

import (
	"strconv"

	"github.com/droverhq/drover/runtime/natsbridge/message"
	"github.com/droverhq/drover/runtime/point"
)

// eventBytes bounds the events that wait.
const eventBytes = 1 << 20

// Deliver has the data of a channel go into the node's stream from now on, or not any more. The keeper makes the stream
// for that: what is said meanwhile waits. What a channel that leaves the stream has said before still goes there.
func (b *Bridge) Deliver(channel string, stream bool) {
	if b.streamed.put(channel, stream, func() { b.data.shut("") }) {
		poke(b.keeper.poked)
	}
}

// tellDelivery publishes a change of the status.
func (b *Bridge) tellDelivery(channel string, s *streamed) {
	status, _ := b.data.status()
	if laneStatus(s.told.Swap(int32(status))) == status {
		return
	}
	stats := b.data.stats()
	b.Event(channel, "delivery", message.Delivery{
		Status: status.String(), Reason: stats.Trouble, Waiting: stats.Waiting, Dropped: stats.Dropped,
	})
}

// Room says whether there is room for one more batch of the channel. If there is none, c gets a token, without
// blocking, once there is. There always is for a channel that is not delivered through the stream, or without
// backpressure.
func (b *Bridge) Room(channel string, c chan<- struct{}) bool {
	return b.streamed.of(channel) == nil || b.data.room(c)
}

// dataID is the id by which the stream knows a message again: no other has it, of this start or another.
func (b *Bridge) dataID(channel string, batch *point.Batch, part, parts int) string {
	id := make([]byte, 0, 128)
	for _, token := range []string{b.config.Node, channel, batch.Device, b.config.Epoch} {
		id = append(id, token...)
		id = append(id, '.')
	}
	id = strconv.AppendUint(id, batch.Seq, 10)
	if parts > 1 {
		id = append(id, '.')
		id = strconv.AppendInt(id, int64(part), 10)
	}
	return string(id)
}

func (b *Bridge) eventID(channel string) string {
	return b.config.Node + "." + channel + ".event." + b.config.Epoch + "." +
		strconv.FormatUint(b.eventNumber.Add(1), 10)
}
