package message

import "encoding/json"

// Reading is the answer of read.<device>.<point>: the point as a data message has it, its time always there.
type Reading struct {
	// TS is when the value was true at its source.
	TS    Time   `json:"ts"`
	Epoch string `json:"epoch"`
	// V, Q and Code are those of Point.
	V    json.RawMessage `json:"v,omitempty"`
	Q    string          `json:"q,omitempty"`
	Code string          `json:"code,omitempty"`
}

// Readings is the answer of read.<device>.
type Readings struct {
	Header
	Points map[string]Point `json:"points"`
}

// Written is what became of one point of a write.
type Written struct {
	// V is what was written, as a data message would have it; nil where it was not.
	V json.RawMessage `json:"v,omitempty"`
	// Read is what the driver read of the point after it took the write; nil where it read nothing.
	Read  *Reading `json:"read,omitempty"`
	Error *Error   `json:"error,omitempty"`
}

// WriteAnswer is the answer of write.<device>.<point>.
type WriteAnswer struct {
	Header
	Written
}

// WritesAnswer is the answer of write.<device>: a result for each point. When one has an error, the answer is an error
// besides, that of the first.
type WritesAnswer struct {
	Header
	Points map[string]Written `json:"points"`
}

// The statuses of an ActionAnswer.
const (
	StatusDone    = 200
	StatusRunning = 202
)

// ActionAnswer is the answer of invoke.<device>.<action>.
type ActionAnswer struct {
	Header
	// Status is StatusDone, or StatusRunning: the action goes on, and the event action says how it ended.
	Status int `json:"status"`
	// ID names the action for cancel: the call's Drover-Key where it had one.
	ID string `json:"id"`
	// Result is the driver's.
	Result json.RawMessage `json:"result,omitempty"`
}

// CancelAnswer is the answer of cancel.<id>: the driver is told, or the action was not sent to it yet and never will be.
type CancelAnswer struct {
	Header
	ID string `json:"id"`
}

// Caller is who a command came from, as far as NATS and the caller tell.
type Caller struct {
	// Name is what the caller calls itself (Drover-Caller): nobody has checked it.
	Name string `json:"name,omitempty"`
	// Account and User are those of Nats-Request-Info. A NATS server writes them where the call crosses accounts by a
	// service import, and only then: within one account the caller can write them itself.
	Account string `json:"account,omitempty"`
	User    string `json:"user,omitempty"`
}

// WriteEvent is the detail of the event write: each write that named a device of the channel, also one that was refused.
type WriteEvent struct {
	Device string                 `json:"device"`
	Points map[string]PointChange `json:"points"`
	Caller Caller                 `json:"caller"`
	Key    string                 `json:"key,omitempty"`
	// Status is 200, or that of Error: the first of the points', or that of the whole.
	Status int    `json:"status"`
	Error  *Error `json:"error,omitempty"`
	// Duration is from the arrival to the answer, in seconds.
	Duration float64 `json:"duration"`
}

// PointChange is one point of a WriteEvent.
type PointChange struct {
	// Old is the value known last before the write; nil where none was.
	Old json.RawMessage `json:"old,omitempty"`
	// New is the value that was to be written.
	New   json.RawMessage `json:"new,omitempty"`
	Error *Error          `json:"error,omitempty"`
}

// ActionEvent is the detail of the event action: how far one is, and how it ended.
type ActionEvent struct {
	ID string `json:"id"`
	// Device is absent for an action of the channel itself.
	Device string `json:"device,omitempty"`
	Action string `json:"action"`
	Caller Caller `json:"caller"`
	// Status is StatusRunning for progress, StatusDone, or that of Error.
	Status int `json:"status"`
	// Text and Fraction, from 0 to 1, are the progress.
	Text     string          `json:"text,omitempty"`
	Fraction float64         `json:"fraction,omitempty"`
	Result   json.RawMessage `json:"result,omitempty"`
	Error    *Error          `json:"error,omitempty"`
	// Duration is from the arrival on, in seconds.
	Duration float64 `json:"duration"`
}

// Captured is the detail of the node's event captured: streams hold subjects of its calls, and answer them in its place.
type Captured struct {
	Subject string   `json:"subject"`
	Streams []string `json:"streams"`
}

// Actions is the answer of get.actions: what the sessions at work can do, by channel.
type Actions struct {
	Node     string              `json:"node"`
	Epoch    string              `json:"epoch"`
	Channels map[string][]Action `json:"channels"`
}

// Action is one of them.
type Action struct {
	// Device is absent for an action of the channel itself.
	Device string `json:"device,omitempty"`
	Name   string `json:"name"`
	// Arguments and Result are JSON Schemas; absent where the driver has none.
	Arguments json.RawMessage `json:"arguments,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
}
