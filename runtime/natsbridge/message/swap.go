package message

import "time"

// DefaultTrial is how long the new driver of a swap is watched where the caller does not say.
const DefaultTrial = 30 * time.Second

// SwapRequest is the body of ctl.swap: another driver for a channel.
type SwapRequest struct {
	Channel string `json:"channel"`
	// Module is name@version, a digest, or the absolute path of a file on the node's machine. Empty with Clear.
	Module string `json:"module,omitempty"`
	// Digest, unless empty, is what the module must have.
	Digest string `json:"digest,omitempty"`
	// Clear takes a swap back: the driver that the configuration names runs again.
	Clear bool `json:"clear,omitempty"`
	// DryRun prepares the swap and discards it.
	DryRun bool `json:"dry_run,omitempty"`
	// Trial is for how many seconds the new session is watched; absent is 30, 0 is not at all.
	Trial *float64 `json:"trial,omitempty"`
	// By is who wants it, for the record: user@host.
	By string `json:"by,omitempty"`
}

// Swap is how a swap went: the answer of ctl.swap, and the detail of the event swap.
type Swap struct {
	Channel string `json:"channel"`
	// Result is unchanged, prepared, refused, adopted, swapped, rolled back or abandoned.
	Result string `json:"result"`
	// From and To are the drivers. To runs where the result is adopted or swapped, From otherwise.
	From SwapDriver `json:"from"`
	To   SwapDriver `json:"to"`
	// Reference is what the module was called by, By who wanted the swap.
	Reference string `json:"reference,omitempty"`
	By        string `json:"by,omitempty"`
	// Failure is why the driver was refused or rolled back.
	Failure *Failure `json:"failure,omitempty"`
	// Yielded says whether the session before gave way in order, so that the next took over its lines; Restored whether,
	// after a roll-back, it was Ready again at once.
	Yielded  bool `json:"yielded,omitempty"`
	Restored bool `json:"restored,omitempty"`
	// Gap is for how many seconds there was no message; Parked is how long commands waited.
	Gap    float64 `json:"gap,omitempty"`
	Parked float64 `json:"parked,omitempty"`
	// Steps took Duration together, in seconds.
	Steps    []SwapStep `json:"steps,omitempty"`
	Duration float64    `json:"duration"`
	// Cleared: the channel runs what its configuration names.
	Cleared bool `json:"cleared,omitempty"`
	// Unrecorded is why the swap would not outlive the node; absent where it does.
	Unrecorded string `json:"unrecorded,omitempty"`
}

// SwapDriver is a driver's binary.
type SwapDriver struct {
	Driver  string `json:"driver"`
	Version string `json:"version"`
	Digest  string `json:"digest"`
}

// SwapStep is a step of a swap: prepare, yield, close, connect, init, trial, and in a roll-back close, connect, init again.
type SwapStep struct {
	Step string `json:"step"`
	// Duration is in seconds.
	Duration float64 `json:"duration"`
}

// Override is a swap that holds: another driver runs than the configuration names.
type Override struct {
	Digest    string `json:"digest"`
	Reference string `json:"reference,omitempty"`
	By        string `json:"by,omitempty"`
	At        Time   `json:"at"`
	// Driver is what the configuration names.
	Driver string `json:"driver"`
}
