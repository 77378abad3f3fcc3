package message

// Logs is the answer of get.logs: the last lines of a channel's log, oldest first.
type Logs struct {
	Node    string `json:"node"`
	Epoch   string `json:"epoch"`
	Channel string `json:"channel"`
	Lines   []Log  `json:"lines"`
	// Until is how long its lines are published as they come, if that was asked for: who follows asks again before.
	Until Time `json:"until,omitzero"`
}

// LogLevel is the answer of ctl.log-level: from which level on a channel's lines are logged.
type LogLevel struct {
	Channel string `json:"channel"`
	// Level is debug, info, warn or error.
	Level string `json:"level"`
	// Own: it is the channel's own, and not the node's.
	Own bool `json:"own"`
}
