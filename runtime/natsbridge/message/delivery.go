package message

// Delivery is the detail of the event "delivery": how the data of a channel with delivery: stream gets to its stream. It
// is published when the status changes, before anything is dropped.
type Delivery struct {
	// Status is flowing, stalled (the stream takes no messages), filling (three quarters of the buffer are taken) or full
	// (the oldest is dropped, or drivers wait).
	Status string `json:"status"`
	// Reason is why the stream takes no messages.
	Reason string `json:"reason,omitempty"`
	// Waiting is how many messages of the node wait, Dropped how many were dropped since its start.
	Waiting int    `json:"waiting"`
	Dropped uint64 `json:"dropped"`
}
