package message

// Apply is the body of ctl.apply.
type Apply struct {
	// Bundle is the configuration with all its files: config.Bundle, packed.
	Bundle []byte `json:"bundle"`
	// DryRun answers what would change, and changes nothing.
	DryRun bool `json:"dry_run,omitempty"`
	// By is who applies it (user@host), for the record.
	By string `json:"by,omitempty"`
	// Trial is for how many seconds a channel that was swapped is watched before that holds; the node's default, 10 s, when
	// absent.
	Trial *float64 `json:"trial,omitempty"`
}

// Applied is the answer of ctl.apply, and in get.apply.
type Applied struct {
	Node   string `json:"node"`
	Epoch  string `json:"epoch"`
	File   string `json:"file"`
	By     string `json:"by,omitempty"`
	DryRun bool   `json:"dry_run,omitempty"`
	// Problems is why nothing was changed: all that is wrong with the configuration.
	Problems []Problem `json:"problems,omitempty"`
	// Refused: each problem is a driver that this node does not take: not signed, or of another ABI.
	Refused bool `json:"refused,omitempty"`
	// Missing are drivers that the node cannot find: once they are in the bucket of modules, it can.
	Missing []MissingModule `json:"missing,omitempty"`
	// Changes is what differs from what the channels run with.
	Changes []ChannelsChange `json:"changes"`
	// Restart is what differs from what the node runs with, and waits for its next start.
	Restart []Change `json:"restart,omitempty"`
	// Overrides are the swaps that hold on, and those that end with this.
	Overrides []AppliedOverride `json:"overrides,omitempty"`
	// Results are what became of each channel that differs; none of a dry run.
	Results []ApplyResult `json:"results,omitempty"`
	// Unrecorded is why the next start does not know of it, where that is so.
	Unrecorded string `json:"unrecorded,omitempty"`
	// Duration is in seconds.
	Duration float64 `json:"duration"`
}

// Problem is one thing that is wrong with a configuration.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Path    string `json:"path,omitempty"`
	Message string `json:"message"`
}

// MissingModule is a driver that a node cannot find.
type MissingModule struct {
	// Path is the file that the configuration names, Digest what it has where the configuration was read.
	Path   string `json:"path"`
	Digest string `json:"digest"`
}

// ChannelsChange is what differs in some channels, the same in each.
type ChannelsChange struct {
	Channels []string `json:"channels"`
	// Effect is what it takes: none, in-place, swap, reconnect, driver, add or remove.
	Effect  string   `json:"effect"`
	Changes []Change `json:"changes"`
	// More is how many changes were left out of Changes.
	More int `json:"more,omitempty"`
}

// Change is a value that differs.
type Change struct {
	// Path is the keys below the channel, or the device, joined by dots; empty for the channel or the device itself.
	Path string `json:"path"`
	// Devices are those whose value it is, a few of them; MoreDevices is how many others.
	Devices     []string `json:"devices,omitempty"`
	MoreDevices int      `json:"more_devices,omitempty"`
	// Old and New are absent where there was, or is, none. A secret is [redacted].
	Old    string `json:"old,omitempty"`
	New    string `json:"new,omitempty"`
	Effect string `json:"effect"`
}

// AppliedOverride is the swap of a channel.
type AppliedOverride struct {
	Channel string `json:"channel"`
	Override
	// Ended: the configuration names another driver by now, or the channel is gone.
	Ended bool `json:"ended,omitempty"`
}

// The results of an apply in a channel.
const (
	// AppliedInPlace: the driver has not noticed.
	AppliedInPlace = "in place"
	// AppliedSwapped: a new session took over. AppliedAdopted: it is that of the next attempt.
	AppliedSwapped = "swapped"
	AppliedAdopted = "adopted"
	// AppliedAdded, AppliedRemoved: the channel is there now, or gone.
	AppliedAdded   = "added"
	AppliedRemoved = "removed"
	// AppliedRecorded: nothing had to change.
	AppliedRecorded = "recorded"
	// AppliedRolledBack: the new session failed, and the one before is back. AppliedRefused: it could not be prepared;
	// the one before was not touched. AppliedFailed: something else kept it from being done.
	AppliedRolledBack = "rolled back"
	AppliedRefused    = "refused"
	AppliedFailed     = "failed"
)

// ApplyResult is what became of a channel.
type ApplyResult struct {
	Channel string `json:"channel"`
	Result  string `json:"result"`
	// Why is set where it was rolled back or refused, or has failed.
	Why string `json:"why,omitempty"`
	// Code is the failure's.
	Code string `json:"code,omitempty"`
	// Gap is how long there was no message, in seconds; absent where nothing was interrupted.
	Gap float64 `json:"gap,omitempty"`
}

// Succeeded says whether the channel runs as configured.
func (r *ApplyResult) Succeeded() bool {
	return r.Result != AppliedRolledBack && r.Result != AppliedRefused && r.Result != AppliedFailed
}

// Applying is the answer of get.apply.
type Applying struct {
	Node  string `json:"node"`
	Epoch string `json:"epoch"`
	// Running: an apply is in progress, since Started.
	Running bool `json:"running"`
	Started Time `json:"started,omitzero"`
	// Phase is checking, removing, changing or adding; Done of Total channels have been.
	Phase string `json:"phase,omitempty"`
	Done  int    `json:"done"`
	Total int    `json:"total"`
	// Last is the last one that is over since the node's start.
	Last *Applied `json:"last,omitempty"`
}

// ConfigApplied is the detail of the event apply of a channel.
type ConfigApplied struct {
	ApplyResult
	// Effect is what it took, By who has applied it.
	Effect string `json:"effect"`
	By     string `json:"by,omitempty"`
}
