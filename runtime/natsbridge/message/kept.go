package message

import "strings"

// Kept names what a node keeps in JetStream, where there is one. Permissions are made of it: it is the one place that
// knows the names.
type Kept struct {
	// Prefix and Node are what the names are made of.
	Prefix, Node string
	// Bucket is the key-value bucket with the node's states.
	Bucket string
	// Data is the stream with the messages of the channels that are delivered through one, Events the one with all events.
	Data, Events string
}

// ModuleStream is the stream of the bucket with the modules, which all nodes share (package modules).
const ModuleStream = "OBJ_drover-modules"

// KeptBy returns the names of a node's own bucket and streams.
func KeptBy(prefix, node string) Kept {
	name := strings.ReplaceAll(prefix, ".", "-") + "-" + node
	return Kept{Prefix: prefix, Node: node, Bucket: name, Data: name + "-data", Events: name + "-events"}
}

// BucketStream is the stream that the bucket is.
func (k Kept) BucketStream() string { return "KV_" + k.Bucket }

// Streams are all three, the bucket's first.
func (k Kept) Streams() []string { return []string{k.BucketStream(), k.Events, k.Data} }

// KeySubject is the subject of a key of the bucket.
func (k Kept) KeySubject(key string) string { return "$KV." + k.Bucket + "." + key }

// EventSubjects are the subjects of the stream Events.
func (k Kept) EventSubjects() string { return k.Prefix + "." + k.Node + ".*.event.>" }

// DataSubjects are the subjects of a channel in the stream Data.
func (k Kept) DataSubjects(channel string) string {
	return k.Prefix + "." + k.Node + "." + channel + ".data.>"
}

// NodeMayPublish are the subjects that a node publishes to for what it keeps, for the permissions of one that may do
// nothing else.
func (k Kept) NodeMayPublish() []string {
	may := []string{"$JS.API.STREAM.NAMES", "$KV." + k.Bucket + ".>"}
	for _, stream := range k.Streams() {
		for _, verb := range []string{"INFO", "CREATE", "UPDATE", "MSG.GET"} {
			may = append(may, "$JS.API.STREAM."+verb+"."+stream)
		}
	}
	for _, verb := range []string{"STREAM.INFO.", "DIRECT.GET."} {
		may = append(may, "$JS.API."+verb+ModuleStream)
	}
	bucket := k.BucketStream()
	return append(may, "$JS.API.DIRECT.GET."+ModuleStream+".>", "$JS.API.STREAM.PURGE."+bucket, "$JS.API.DIRECT.GET."+bucket, "$JS.API.DIRECT.GET."+bucket+".>")
}

// The keys of the bucket. The values are the messages of the same kind, as they are published.
const (
	// KeyHeartbeat is there while the node is: its value is a Heartbeat. A state of another epoch than it has is stale.
	KeyHeartbeat = "heartbeat"
	keyState     = "state"
	keyDevice    = "device"
	keyHandle    = "handle"
)

// KeyState is the key of a channel's State.
func KeyState(channel string) string { return keyState + "." + channel }

// KeyDevice is the key of a device's Device.
func KeyDevice(channel, device string) string { return keyDevice + "." + channel + "." + device }

// KeyHandle is the key of a device's Handle.
func KeyHandle(channel, device string) string { return keyHandle + "." + channel + "." + device }

// KeysOfStates are the keys that belong to an epoch: all but the heartbeat, as wildcards.
func KeysOfStates() []string { return []string{keyState + ".>", keyDevice + ".>", keyHandle + ".>"} }

// Heartbeat says that a node lives, and in which epoch.
type Heartbeat struct {
	Header
	Node    string `json:"node"`
	Version string `json:"version"`
	Started Time   `json:"started"`
}
