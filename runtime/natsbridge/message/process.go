package message

// Processes is the answer of get.ps.
type Processes struct {
	Node     string    `json:"node"`
	Epoch    string    `json:"epoch"`
	Channels []Process `json:"channels"`
}

// Process is what a channel is and does.
type Process struct {
	Channel string `json:"channel"`
	// Driver, Version and Digest are empty while the driver cannot be loaded.
	Driver  string `json:"driver,omitempty"`
	Version string `json:"version,omitempty"`
	Digest  string `json:"digest,omitempty"`
	Devices int    `json:"devices"`
	Points  int    `json:"points"`
	State   State  `json:"state"`
}
