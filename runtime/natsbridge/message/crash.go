package message

// Crashes is the answer of get.crashes: the crashes of a channel that are kept, the last one first.
type Crashes struct {
	Node    string `json:"node"`
	Epoch   string `json:"epoch"`
	Channel string `json:"channel"`
	// Crashes are without their stacks, lines and calls.
	Crashes []Crash `json:"crashes"`
	// Damaged are the names of files that cannot be read.
	Damaged []string `json:"damaged,omitempty"`
}

// Crash is the post-mortem of a failure whose code counts as a crash, and the answer of get.crash. Everything in it is as
// it was when the call into the driver had failed.
type Crash struct {
	// N counts from 1, which is the last crash; it is 0 where the crash is kept.
	N       int    `json:"n,omitempty"`
	Channel string `json:"channel"`
	// Epoch is that of the node's start in which it happened.
	Epoch   string  `json:"epoch,omitempty"`
	Driver  string  `json:"driver,omitempty"`
	Version string  `json:"version,omitempty"`
	Failure Failure `json:"failure"`
	// Started is when the attempt began.
	Started Time `json:"started,omitzero"`
	// Memory is the most that the guest's memory had, in bytes.
	Memory uint64 `json:"memory,omitempty"`
	// CPU is for how many seconds the guest's code ran.
	CPU float64 `json:"cpu,omitempty"`
	// Stack has the functions at the failure, innermost first.
	Stack []string `json:"stack,omitempty"`
	// Lines are the last that the driver logged or printed, oldest first.
	Lines []CrashLine `json:"lines,omitempty"`
	// Calls are the driver's last calls of the host, oldest first.
	Calls []CrashCall `json:"calls,omitempty"`
	// Cut: something was left out to keep the post-mortem small.
	Cut bool `json:"cut,omitempty"`
}

// CrashLine is a line that the driver logged or printed.
type CrashLine struct {
	TS Time `json:"ts,omitzero"`
	// Level is debug, info, warn or error; empty for what was printed.
	Level string `json:"level,omitempty"`
	Text  string `json:"text"`
}

// CrashCall is a call of the host. Secrets of the settings are left out of its texts.
type CrashCall struct {
	Name   string `json:"name"`
	Args   string `json:"args,omitempty"`
	Result string `json:"result,omitempty"`
	// Duration is in seconds.
	Duration float64 `json:"duration"`
}

// Backoff is the detail of the event backoff: a channel waits for its next attempt.
type Backoff struct {
	// Attempt is the number of the attempt that has ended.
	Attempt uint64 `json:"attempt"`
	Reason  string `json:"reason"`
	// Delay is in seconds.
	Delay float64 `json:"delay"`
	Until Time    `json:"until"`
}

// Quarantine is the detail of the event quarantine, and what is kept of it: a channel has crashed too often.
type Quarantine struct {
	Channel string `json:"channel"`
	Reason  string `json:"reason"`
	// Count crashes happened within Window, which is in seconds.
	Count  int     `json:"count"`
	Window float64 `json:"window"`
	Since  Time    `json:"since"`
	// Digest is that of the driver: another one is not quarantined.
	Digest      string  `json:"digest"`
	LastFailure Failure `json:"last_failure"`
}
