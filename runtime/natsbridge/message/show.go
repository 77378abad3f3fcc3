package message

// Show is the answer of get.show: what a channel runs, what it may reach, and what it serves.
type Show struct {
	Node  string `json:"node"`
	Epoch string `json:"epoch"`
	Process
	// Delivery is core or stream, LogLevel from which level on its lines are logged.
	Delivery string `json:"delivery"`
	LogLevel string `json:"log_level"`
	// Retry is how the channel is tried again.
	Retry  Retry  `json:"retry"`
	Limits Limits `json:"limits"`
	// Grants are all that the driver may open: nothing else is reachable.
	Grants []Grant `json:"grants"`
	// Members are the devices in the order of the configuration.
	Members []Member `json:"members"`
	// Quarantine is there while the channel is in it.
	Quarantine *Quarantine `json:"quarantine,omitempty"`
}

// Retry is a channel's backoff, in seconds.
type Retry struct {
	Initial float64 `json:"initial"`
	Max     float64 `json:"max"`
	// Attempts is absent where there is no end.
	Attempts *int `json:"attempts,omitempty"`
}

// Limits are what one instance of the driver may take.
type Limits struct {
	// Memory and Stack are in bytes.
	Memory uint64 `json:"memory"`
	Stack  uint64 `json:"stack"`
	// Compute is for how many seconds it may compute without a call of the host, CPU the share of a core over time.
	Compute float64 `json:"compute"`
	CPU     float64 `json:"cpu"`
	// Samples, Bytes and Log are a second.
	Samples int    `json:"samples"`
	Bytes   uint64 `json:"bytes"`
	Log     int    `json:"log"`
	Streams int    `json:"streams"`
}

// Grant is what a driver may open: a connection, by its name, or what a pattern covers, by its address.
type Grant struct {
	// Name is the connection's; a pattern has none.
	Name string `json:"name,omitempty"`
	// Kind is serial, tcp, udp or listener.
	Kind string `json:"kind"`
	// To is the port's path, the endpoint, the address that is listened on, or the pattern. Mode is how a port is opened.
	To   string `json:"to"`
	Mode string `json:"mode,omitempty"`
	// Local is where a UDP socket is bound; absent where the operating system chooses.
	Local string `json:"local,omitempty"`
	// From are those who may connect to a listener; absent for everybody.
	From []string `json:"from,omitempty"`
	// TLS is there where the host speaks it.
	TLS *GrantTLS `json:"tls,omitempty"`
}

// GrantTLS is how the host speaks TLS with an endpoint.
type GrantTLS struct {
	// ServerName is what the endpoint's certificate is for.
	ServerName string `json:"server_name"`
	// CA is the file of the authorities that are trusted; absent for the system's.
	CA string `json:"ca,omitempty"`
	// Cert is the file of the client certificate; absent where there is none.
	Cert string `json:"cert,omitempty"`
}

// Member is a device of a channel, and how it is.
type Member struct {
	Device string             `json:"device"`
	Status string             `json:"status"`
	Reason string             `json:"reason,omitempty"`
	Since  Time               `json:"since,omitzero"`
	Gauges map[string]float64 `json:"gauges,omitempty"`
	// Points are those that are configured, in that order.
	Points []MemberPoint `json:"points"`
}

// MemberPoint is a point of a device.
type MemberPoint struct {
	Point string `json:"point"`
	Descriptor
	// Every is how often it is read, in seconds; absent where that is by command alone.
	Every float64 `json:"every,omitempty"`
	// Served: the session at work serves it.
	Served bool `json:"served"`
	// Last is what is known of it; absent before its first reading.
	Last *Value `json:"last,omitempty"`
}
