package message

import "time"

// Link is a connection of the node: that to its server, or one that its server keeps to a hub. Its states are those of a
// channel (State).
type Link struct {
	// Name is "server", or "leaf" for a leaf remote of the embedded server.
	Name string `json:"name"`
	// URL is where it leads; empty for a server in the node's process.
	URL    string `json:"url,omitempty"`
	State  string `json:"state"`
	Number int    `json:"number"`
	// Since is when the state began.
	Since Time `json:"since"`
	// Attempt counts the attempts that failed since the connection was lost; 0 while it is up.
	Attempt uint64 `json:"attempt"`
	// Reconnects counts how often it came back.
	Reconnects uint64 `json:"reconnects"`
	// LastError is what it last failed with.
	LastError string `json:"last_error,omitempty"`
	// Violations counts what the server did not permit, LastViolation is the latest of it.
	Violations    uint64 `json:"violations,omitempty"`
	LastViolation string `json:"last_violation,omitempty"`
}

// LinkState is a state of a Link, with the number of the channel's state of that name.
type LinkState int

// The states of a Link.
const (
	LinkDisconnected LinkState = 0
	LinkConnecting   LinkState = 1
	LinkConnected    LinkState = 3
	LinkReconnecting LinkState = 4
)

// Set sets state and number.
func (l *Link) Set(s LinkState) {
	l.Number = int(s)
	l.State = map[LinkState]string{
		LinkDisconnected: "disconnected", LinkConnecting: "connecting", LinkConnected: "connected",
		LinkReconnecting: "reconnecting",
	}[s]
}

// Turn takes whether it is connected: a change begins a state.
func (l *Link) Turn(connected bool, now time.Time) {
	was := LinkState(l.Number)
	if connected == (was == LinkConnected) {
		return
	}
	l.Since = Time{Time: now}
	if !connected {
		l.Set(LinkReconnecting)
		return
	}
	if was == LinkReconnecting {
		l.Reconnects++
	}
	l.Attempt = 0
	l.Set(LinkConnected)
}
