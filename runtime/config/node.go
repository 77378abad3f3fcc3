package config

import "time"

// Position is a place in the file, both counted from 1.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Node is one configuration file.
type Node struct {
	// File is the path that was given to Load, or the name given to Parse.
	File string
	// Name is the node's name, a token of its subjects.
	Name string
	// Data is the data directory, absolute.
	Data string
	NATS NATS
	// Channels are in the order of the file.
	Channels []*Channel
}

// NATS says which server the node publishes on. Exactly one of the two is set.
type NATS struct {
	Embedded *Embedded
	Remote   *Remote
}

// Embedded is a server in this process.
type Embedded struct {
	// Listen is "host:port"; port 0 takes a free one.
	Listen string
	// JetStream says whether the server keeps streams and buckets, under the data directory.
	JetStream bool
	// Config is the absolute path of a nats-server configuration, or empty.
	Config string
}

// Remote is a server elsewhere. At most one of Creds, NKey, Token and User is set.
type Remote struct {
	// URL has the scheme nats, tls, ws or wss.
	URL string
	// Creds and NKey are absolute paths of a credentials file and of a seed file.
	Creds, NKey    string
	Token          Secret
	User, Password Secret
	// TLS is nil where the configuration has no tls.
	TLS *TLS
}

// TLS has the absolute paths of PEM files. Cert and Key are set together or not at all; an empty CA means the system's.
type TLS struct {
	CA, Cert, Key string
}

// Channel is one driver on one line or endpoint.
type Channel struct {
	Name     string
	Position Position
	// Driver is the absolute path of the module. DriverPosition is where the file names it.
	Driver         string
	DriverPosition Position
	Connections    []*Connection
	Limits         Limits
	Retry          Retry
	Deadlines      Deadlines
	Delivery       Delivery
	Settings       JSON
	Devices        []*Device

	// every is what devices inherit; 0 where the file has none.
	every time.Duration
}

// Limits bound what one instance of a channel's driver may take.
type Limits struct {
	// Memory is in bytes, a whole number of wasm pages (64 KiB).
	Memory uint64
}

// Retry is a channel's backoff and its budgets.
type Retry struct {
	// Initial is the first delay, Max the longest.
	Initial, Max time.Duration
	// Attempts is how many retries follow a failure, 0 is none, Unlimited (negative) has no end.
	Attempts int
	// Elapsed bounds the time spent on retrying; 0 has no bound.
	Elapsed time.Duration
}

// Unlimited is the value of Retry.Attempts for retries without end.
const Unlimited = -1

// Deadlines are how long a phase may take before the host ends it.
type Deadlines struct {
	Connect, Init, Stop time.Duration
}

// Delivery is what happens to a message that cannot be sent at once.
type Delivery string

// DeliveryCore is at most once: the oldest message goes when the ring is full.
const DeliveryCore Delivery = "core"

// Connection is something a channel's driver may open by name. Exactly one of Serial and TCP is set.
type Connection struct {
	Name     string
	Position Position
	Serial   *Serial
	TCP      *TCP
}

// TCP is an endpoint to connect to.
type TCP struct {
	// Address is "host:port" or "[v6]:port".
	Address string
}

// Device is something addressable behind a channel.
type Device struct {
	Name     string
	Position Position
	Settings JSON
	Points   []*Point

	// every is what points inherit; 0 where the file has none.
	every time.Duration
}
