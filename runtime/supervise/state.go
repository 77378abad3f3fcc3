package supervise

import "fmt"

// State is what a channel is doing. The numbers are part of the contract with those who watch.
type State uint8

// The states of a channel.
const (
	// Disconnected is a channel that is not started, or one that is about to be stopped.
	Disconnected State = 0
	// Connecting is an attempt in Connect.
	Connecting State = 1
	// Initializing is an attempt in Init.
	Initializing State = 2
	// Connected is a session in Run, or a swap between two of them.
	Connected State = 3
	// Reconnecting waits for the next attempt.
	Reconnecting State = 4
	// Failed ended by a fatal failure or for want of retries. Restart or a new connector clears it.
	Failed State = 5
	// Stopped ended because it was asked to, by us or by the driver.
	Stopped State = 6
	// Quarantined crashed too often. Clear, Restart or a new connector clears it.
	Quarantined State = 7
)

// String returns the state's name in lower case.
func (s State) String() string {
	switch s {
	case Disconnected:
		return "disconnected"
	case Connecting:
		return "connecting"
	case Initializing:
		return "initializing"
	case Connected:
		return "connected"
	case Reconnecting:
		return "reconnecting"
	case Failed:
		return "failed"
	case Stopped:
		return "stopped"
	case Quarantined:
		return "quarantined"
	default:
		return fmt.Sprintf("state(%d)", uint8(s))
	}
}

// MarshalText implements encoding.TextMarshaler with the state's name.
func (s State) MarshalText() ([]byte, error) { return []byte(s.String()), nil }
