package config

import (
	"path/filepath"
	"time"

	"github.com/droverhq/drover/runtime/store/signature"
)

// Position is a place in a file, line and column counted from 1.
type Position struct {
	File   string `json:"file"`
	Line   int32  `json:"line"`
	Column int32  `json:"column"`
}

// Node is a configuration: a file and what it includes.
type Node struct {
	// File is the path that was given to Load, or the name given to Parse.
	File string
	// Files are all files that it was made of, in the order in which they were read: File, those included, lists of
	// points.
	Files []string
	// Name is the node's name, a token of its subjects.
	Name string
	// Data is the data directory, absolute.
	Data string
	NATS NATS
	HTTP HTTP
	// Trust are the keys whose signatures drivers need. Empty: every driver is taken.
	Trust signature.Keys
	// Channels are in the order of the files.
	Channels []*Channel
}

// NATS says which server the node publishes on. Exactly one of the two is set.
type NATS struct {
	Embedded *Embedded
	Remote   *Remote
	Stream   Stream
	// Commands is empty where the file does not say: all for a server in this process, without what comes through its
	// leaf nodes, and read for one elsewhere.
	Commands Commands
	// ModulesDomain is the JetStream domain whose bucket of modules the node reads; empty is that of its server.
	ModulesDomain string
}

// Commands says which calls a node serves. Looks (get) are always served.
type Commands string

const (
	// CommandsAll is read, write, invoke and changes of the node (ctl), from wherever they are permitted to come.
	CommandsAll Commands = "all"
	// CommandsRead is read alone.
	CommandsRead Commands = "read"
	// CommandsNone is nothing but looks.
	CommandsNone Commands = "none"
)

// Embedded is a server in this process.
type Embedded struct {
	// Listen is "host:port"; port 0 takes a free one. Empty leaves it to Config.
	Listen string
	// JetStream says whether the server keeps streams and buckets, under the data directory.
	JetStream bool
	Store     Store
	// Config is the absolute path of a nats-server configuration, or empty.
	Config string
	// Account is the account of Config that the node lives in; empty is the server's default.
	Account string
	// Creds is the absolute path of the node's credentials, for a Config in operator mode.
	Creds string
}

// Store bounds what JetStream keeps.
type Store struct {
	// Memory and Disk are in bytes.
	Memory, Disk uint64
	// Sync is how often what was written is forced to disk; SyncAlways is after each message.
	Sync       time.Duration
	SyncAlways bool
}

// Remote is a server elsewhere. At most one of Creds, NKey, Token and User is set, and at least one of URL and Context.
type Remote struct {
	// URL has the scheme nats, tls, ws or wss.
	URL string
	// Context is a NATS context, by name or by the absolute path of its file: it has what is not set here.
	Context string
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
	// Driver is the absolute path of the module, or names one of the store: name@version, or its digest, sha256: and 64
	// digits. DriverPosition is where the file names it.
	Driver         string
	DriverPosition Position
	Connections    []*Connection
	// Grants are what the driver may reach besides.
	Grants     Grants
	Limits     Limits
	Retry      Retry
	Deadlines  Deadlines
	Quarantine Quarantine
	Delivery   Delivery
	// PointMessages is a message a point in place of one a device and cycle; IntegerText has the integers of 64 bits as
	// strings in them.
	PointMessages, IntegerText bool
	Settings                   JSON
	Devices                    []*Device

	// every is what devices inherit; 0 where the file has none.
	every time.Duration
}

// FromStore says whether the channel's driver is one of the store, rather than a file.
func (c *Channel) FromStore() bool {
	return c.Driver != "" && !filepath.IsAbs(c.Driver)
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

const (
	// DeliveryCore is at most once: the oldest message goes when there is no room.
	DeliveryCore Delivery = "core"
	// DeliveryStream is exactly once and in order into the node's stream (docs/delivery.md).
	DeliveryStream Delivery = "stream"
)

// Stream bounds the stream of the channels with DeliveryStream, and what waits for it.
type Stream struct {
	// MaxBytes and MaxAge bound what the stream keeps, the oldest goes first; MaxAge 0 has no bound.
	MaxBytes uint64
	MaxAge   time.Duration
	Storage  Storage
	// Buffer is in bytes: what waits in the node.
	Buffer uint64
	OnFull OnFull
}

// Storage is where a stream is kept.
type Storage string

// The kinds of Storage.
const (
	StorageFile   Storage = "file"
	StorageMemory Storage = "memory"
)

// OnFull is what happens where Stream.Buffer is full.
type OnFull string

const (
	// OnFullDropOldest drops the oldest, counted.
	OnFullDropOldest OnFull = "drop_oldest"
	// OnFullBackpressure has drivers wait.
	OnFullBackpressure OnFull = "backpressure"
)

// Device is something addressable behind a channel.
type Device struct {
	Name     string
	Position Position
	Settings JSON
	// Points may be another device's as well, one that uses the same templates alike. They are never changed.
	Points []*Point

	// every is what points inherit; 0 where the file has none.
	every time.Duration
}
