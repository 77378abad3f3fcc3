package message

import "encoding/json"

// Modules is the answer of get.modules: the drivers that a node has.
type Modules struct {
	Node  string `json:"node"`
	Epoch string `json:"epoch"`
	// Domain is the JetStream domain whose bucket the node reads; absent for that of its own server.
	Domain string `json:"domain,omitempty"`
	// Trust are the keys whose word the node takes, by their names; absent where it takes every driver.
	Trust []string `json:"trust,omitempty"`
	// Modules are those in its own store and those in use, by name, version and digest.
	Modules []Module `json:"modules"`
}

// Module is a driver that a node has.
type Module struct {
	Digest  string `json:"digest"`
	Name    string `json:"name"`
	Version string `json:"version"`
	// ABI is the version of drover:driver that it was built for, Size in bytes.
	ABI   string `json:"abi"`
	Size  int64  `json:"size"`
	Added Time   `json:"added,omitzero"`
	// Kept: it is there because a channel ran it from a file, and is found by its digest alone.
	Kept bool `json:"kept,omitempty"`
	// Missing: it is in use, and the node's store does not have it.
	Missing bool `json:"missing,omitempty"`
	// SignedBy are the keys that claim to have signed it, by their names.
	SignedBy []string `json:"signed_by,omitempty"`
	// Channels need it: they run it, their configuration names it by its digest or its name, it was pinned for them, or
	// swapped in.
	Channels []string `json:"channels,omitempty"`
}

// Library is what `drover module ls` and `add` print: the modules of a server, in its bucket and in its nodes' stores.
type Library struct {
	// Domain is the JetStream domain of the bucket; absent for the server's own.
	Domain string `json:"domain,omitempty"`
	// Modules are by name, version and digest.
	Modules []SharedModule `json:"modules"`
}

// SharedModule is a module, and where it is.
type SharedModule struct {
	Digest  string `json:"digest"`
	Name    string `json:"name"`
	Version string `json:"version"`
	ABI     string `json:"abi"`
	Size    int64  `json:"size"`
	Added   Time   `json:"added,omitzero"`
	// ByDigest: it is found by its digest alone, because it was not added, but came from a file that a channel ran.
	ByDigest bool `json:"by_digest,omitempty"`
	// SignedBy are the keys that claim to have signed it, by their names.
	SignedBy []string `json:"signed_by,omitempty"`
	// Bucket: it is in the bucket.
	Bucket bool `json:"bucket"`
	// Nodes have it in their stores, or use it.
	Nodes []ModuleNode `json:"nodes,omitempty"`
}

// ModuleNode is what a node has to do with a module.
type ModuleNode struct {
	Node string `json:"node"`
	// Missing: it is in use, and the node's store does not have it.
	Missing bool `json:"missing,omitempty"`
	// Channels need it.
	Channels []string `json:"channels,omitempty"`
}

// RemovedModule is what `drover module rm` prints of each module.
type RemovedModule struct {
	Digest  string `json:"digest"`
	Name    string `json:"name"`
	Version string `json:"version"`
	// Bucket and Nodes are where it was removed from.
	Bucket bool     `json:"bucket"`
	Nodes  []string `json:"nodes,omitempty"`
}

// ModuleRequest is the body of get.module and ctl.forget-module.
type ModuleRequest struct {
	// Digest is the module's, whole.
	Digest string `json:"digest"`
}

// Inspection is what is known of a driver's module without a configuration: the answer of get.module.
type Inspection struct {
	// Digest is "sha256:" and hexadecimal, Size in bytes.
	Digest string `json:"digest"`
	Size   int    `json:"size"`
	// Name, Version and Summary are what the driver says of itself.
	Name    string `json:"name"`
	Version string `json:"version"`
	Summary string `json:"summary"`
	// ABI is the version of drover:driver that it was built for.
	ABI string `json:"abi"`
	// Imports are by what they are of: interfaces of drover:driver and WASI. Exports are functions.
	Imports []Import `json:"imports"`
	Exports []string `json:"exports"`
	// Connections are the kinds of connections that it has the functions to open. It gets none that is not granted.
	Connections []string `json:"connections"`
	// Memory is what an instance has at first, and what it may have if its limits allow that, in bytes. Stack is the most
	// bytes of stack that it may use.
	Memory MemoryRange `json:"memory"`
	Stack  uint64      `json:"stack"`
	// Metering is what is done to the module before it is compiled, so that its work is counted.
	Metering Metering `json:"metering"`
	// Start is how its instances start.
	Start ModuleStart `json:"start"`
	// Settings, DeviceSettings and Address are JSON Schemas of what configurations may say; absent where it has none.
	Settings       json.RawMessage `json:"settings,omitempty"`
	DeviceSettings json.RawMessage `json:"device_settings,omitempty"`
	Address        json.RawMessage `json:"address,omitempty"`
	// Codes are the failures of its own, by code.
	Codes []OwnCode `json:"codes"`
	// SignedBy are the keys that claim to have signed it, by their names. A node does not tell.
	SignedBy []string `json:"signed_by,omitempty"`
	// Channel is that which `drover module inspect` was asked about, Grants what that may reach: nothing else.
	Channel string  `json:"channel,omitempty"`
	Grants  []Grant `json:"grants,omitempty"`
}

// Import is what a module imports of one interface.
type Import struct {
	Interface string   `json:"interface"`
	Functions []string `json:"functions"`
}

// ModuleStart is how the instances of a module start.
type ModuleStart struct {
	// Snapshot: from an image of the memory as it is when the module has initialised itself.
	Snapshot bool `json:"snapshot"`
	// Reason is why not, for people; absent with Snapshot.
	Reason string `json:"reason,omitempty"`
	// Memory is what an instance has when it is initialised, Image what of it the image holds, in bytes.
	Memory uint64 `json:"memory"`
	Image  uint64 `json:"image,omitempty"`
	// Initialisation is for how many seconds the first instance was made and initialised: what each one costs without an
	// image.
	Initialisation float64 `json:"initialisation"`
}

// MemoryRange is how many bytes a memory has at least and at most.
type MemoryRange struct {
	Min uint64 `json:"min"`
	Max uint64 `json:"max"`
}

// Metering are the figures of a module whose work is counted.
type Metering struct {
	// Functions and Loops are the module's own; Metered are the functions that charge for their work, StackCounted those
	// that count the stack that they use.
	Functions    int `json:"functions"`
	Loops        int `json:"loops"`
	Metered      int `json:"metered"`
	StackCounted int `json:"stack_counted"`
	// Before and After are the module's bytes without and with metering.
	Before int `json:"before"`
	After  int `json:"after"`
	// Dropped are custom sections that would be wrong in the metered module, such as debug information.
	Dropped []string `json:"dropped,omitempty"`
}

// OwnCode is a failure code of a driver's own: driver.CODE in failures.
type OwnCode struct {
	Code string `json:"code"`
	// Kind is what is done about it: retryable, fatal or stop.
	Kind    string `json:"kind"`
	Meaning string `json:"meaning"`
}
