// Package message has the messages between a node and its subscribers and callers: their subjects and
// their JSON. The node, the client and the command line share it. It imports no NATS.
//
// Each message that a node publishes has a JSON Schema in docs/schemas.
package message

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Time prints as UTC with nine digits (RFC 3339), so that messages sort as text.
type Time struct{ time.Time }

const layout = "2006-01-02T15:04:05.000000000Z"

// AppendTime appends t as a JSON string, UTC with nine digits.
func AppendTime(dst []byte, t time.Time) []byte {
	dst = append(dst, '"')
	dst = t.UTC().AppendFormat(dst, layout)
	return append(dst, '"')
}

// MarshalJSON implements json.Marshaler.
func (t Time) MarshalJSON() ([]byte, error) { return AppendTime(nil, t.Time), nil }

// UnmarshalJSON implements json.Unmarshaler; it takes any RFC 3339 time.
func (t *Time) UnmarshalJSON(b []byte) error {
	var s string
	if err := json.Unmarshal(b, &s); err != nil {
		return err
	}
	parsed, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return err
	}
	t.Time = parsed.UTC()
	return nil
}

// Header starts every message that a node publishes.
type Header struct {
	// TS is when the message was made.
	TS Time `json:"ts"`
	// Epoch is the node's start: a message of another epoch than the node's heartbeat is stale.
	Epoch string `json:"epoch"`
	// Clock is "unsynced" while the kernel of the node's machine takes its clock for unsynchronised; empty otherwise, and
	// where it cannot tell.
	Clock string `json:"clock,omitempty"`
}

// Data is what a device gave in one poll cycle, or one of its points.
type Data struct {
	Header
	// Seq counts per channel and device within an epoch.
	Seq uint64 `json:"seq"`
	// Part is 1 to Parts where the cycle did not fit one message; both are 0 where it did.
	Part  int `json:"part,omitempty"`
	Parts int `json:"parts,omitempty"`
	// Points by name: those that were due and passed their filters.
	Points map[string]Point `json:"points"`
}

// Point is one reading.
type Point struct {
	// V is the value as it came; nil where there is none.
	V json.RawMessage `json:"v,omitempty"`
	// Q is empty where the quality is good.
	Q string `json:"q,omitempty"`
	// Code says why it is not good.
	Code string `json:"code,omitempty"`
	// TS is set where it differs from the message's.
	TS Time `json:"ts,omitzero"`
}

// State is the state of a channel. Its header's TS is when the state began to be published.
type State struct {
	Header
	// State is the name, Number the number of it: disconnected 0, connecting 1, initializing 2, connected 3,
	// reconnecting 4, failed 5, stopped 6, quarantined 7.
	State  string `json:"state"`
	Number int    `json:"number"`
	Reason string `json:"reason,omitempty"`
	// Since is when the state began.
	Since      Time   `json:"since,omitzero"`
	Attempt    uint64 `json:"attempt"`
	Generation uint64 `json:"generation"`
	// Backoff is in seconds.
	Backoff   float64 `json:"backoff,omitempty"`
	NextRetry Time    `json:"next_retry,omitzero"`
	// RetriesLeft is absent where retries are unlimited.
	RetriesLeft *int     `json:"retries_left,omitempty"`
	LastFailure *Failure `json:"last_failure,omitempty"`
}

// Failure is failure.Record as it travels: the detail of the event failure.
type Failure struct {
	Phase      string `json:"phase"`
	Kind       string `json:"kind"`
	Code       string `json:"code"`
	Summary    string `json:"summary"`
	Attempt    uint64 `json:"attempt"`
	Generation uint64 `json:"generation"`
	Digest     string `json:"digest,omitempty"`
	Time       Time   `json:"time"`
	NextRetry  Time   `json:"next_retry,omitzero"`
}

// Device is the state of a device.
type Device struct {
	Header
	// Status is online, degraded or offline.
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
	Since  Time   `json:"since,omitzero"`
	// Gauges are figures by name: seconds, ratios and counts.
	Gauges map[string]float64 `json:"gauges,omitempty"`
}

// Event is something that happened to a channel; its name is in the subject.
type Event struct {
	Header
	// Detail depends on the name: a Failure for "failure".
	Detail json.RawMessage `json:"detail,omitempty"`
}

// Log is a line of a channel's log.
type Log struct {
	Header
	// Seq counts the lines of the channel within an epoch, from 1.
	Seq uint64 `json:"seq,omitempty"`
	// Level is debug, info, warn or error.
	Level   string `json:"level"`
	Message string `json:"message"`
	// Guest marks a line that the driver wrote.
	Guest  bool              `json:"guest,omitempty"`
	Fields map[string]string `json:"fields,omitempty"`
}

// Handle is what a session serves of a device.
type Handle struct {
	Header
	Generation uint64 `json:"generation"`
	// Revoked: it is not served any more. Points is empty then.
	Revoked bool                  `json:"revoked,omitempty"`
	Points  map[string]Descriptor `json:"points"`
}

// Descriptor describes a point to those who read or write it.
type Descriptor struct {
	// Type is the declared scalar type, as in the configuration.
	Type  string `json:"type"`
	Count uint32 `json:"count,omitempty"`
	// Access is r, w or rw.
	Access string `json:"access"`
	Unit   string `json:"unit,omitempty"`
	// Scale and Offset are what was applied to the raw value already: absent where nothing was.
	Scale  float64 `json:"scale,omitempty"`
	Offset float64 `json:"offset,omitempty"`
	// Range is what may be written.
	Range *Range `json:"range,omitempty"`
}

// Range is a closed interval.
type Range struct {
	Min float64 `json:"min"`
	Max float64 `json:"max"`
}

// Ping is the answer of get.ping.
type Ping struct {
	Node    string `json:"node"`
	Epoch   string `json:"epoch"`
	Version string `json:"version"`
	Started Time   `json:"started"`
	// CapturedBy are the streams that hold the node's calls, and so answer them in its place.
	CapturedBy []string `json:"captured_by,omitempty"`
	// Links are the node's connection to its server, and those that an embedded one keeps to hubs.
	Links []Link `json:"links,omitempty"`
}

// Snapshot is the answer of get.state: what was published last, by channel.
type Snapshot struct {
	Node  string `json:"node"`
	Epoch string `json:"epoch"`
	// Links are those of Ping.
	Links    []Link             `json:"links,omitempty"`
	Channels map[string]Channel `json:"channels"`
}

// Channel is a channel's part of Snapshot.
type Channel struct {
	State   *State            `json:"state,omitempty"`
	Devices map[string]Device `json:"devices,omitempty"`
	Handles map[string]Handle `json:"handles,omitempty"`
}

// Values is the answer of get.last: what is known of every point, by channel, device and point.
type Values struct {
	Node     string                                 `json:"node"`
	Epoch    string                                 `json:"epoch"`
	Channels map[string]map[string]map[string]Value `json:"channels"`
}

// Value is what is known of a point.
type Value struct {
	// V is the latest value that there was, ValueTS its time where that is not TS.
	V       json.RawMessage `json:"v,omitempty"`
	ValueTS Time            `json:"value_ts,omitzero"`
	// Q, Code and TS are those of the latest reading.
	Q    string `json:"q,omitempty"`
	Code string `json:"code,omitempty"`
	TS   Time   `json:"ts"`
}

// ErrMalformed is what the errors of Decode wrap.
var ErrMalformed = errors.New("malformed message")

// Decode reads a message of any of this package's types. Members it does not know are left out: newer nodes have more.
func Decode[T any](payload []byte) (T, error) {
	var m T
	if err := json.Unmarshal(payload, &m); err != nil {
		return m, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	return m, nil
}
