package message

// Processes is the answer of get.ps.
type Processes struct {
	Node  string `json:"node"`
	Epoch string `json:"epoch"`
	// Links are those of Ping.
	Links    []Link    `json:"links,omitempty"`
	Channels []Process `json:"channels"`
}

// Process is what a channel is and does.
type Process struct {
	Channel string `json:"channel"`
	// Driver, Version and Digest are empty while the driver cannot be loaded.
	Driver  string `json:"driver,omitempty"`
	Version string `json:"version,omitempty"`
	Digest  string `json:"digest,omitempty"`
	// Pending is the digest of the file that the configuration names, where that has changed since it was applied: it runs
	// after the next apply.
	Pending string `json:"pending,omitempty"`
	Devices int    `json:"devices"`
	// Online is how many of the devices are.
	Online int `json:"online"`
	Points int `json:"points"`
	// PointsPerSecond is how many points were read a second of late, those that filters left out included.
	PointsPerSecond float64 `json:"points_per_second"`
	// CPU is for how many seconds the driver's code ran since the node started, Memory what its instance has, in bytes.
	CPU    float64 `json:"cpu"`
	Memory uint64  `json:"memory"`
	// Override is there where a swap has put another driver in the place of the configuration's.
	Override *Override `json:"override,omitempty"`
	State    State     `json:"state"`
}
